// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/timeline/replay_bar.h"

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace tealdeck {

ReplayBar::ReplayBar(QWidget* parent)
    : QWidget(parent), m_scrubber(new Scrubber), m_play(new QPushButton(tr("▶ Play"))), m_speed(new QComboBox), m_position(plainLabel({})) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(spacing::SMALL, spacing::TINY, spacing::SMALL, spacing::SMALL);
    layout->setSpacing(spacing::TINY);
    auto* row = new QHBoxLayout;
    m_play->setAccessibleName(tr("Play or pause the recording"));
    m_play->setMinimumWidth(90);
    m_speed->setAccessibleName(tr("Speed of the replay"));
    for (const double speed : {0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0}) {
        m_speed->addItem(QStringLiteral("%1×").arg(speed), speed);
    }
    m_speed->setCurrentIndex(3);
    row->addWidget(m_play);
    row->addWidget(m_speed);
    auto* skip = new QCheckBox(tr("Skip idle"));
    skip->setAccessibleName(tr("Skip the time in which nothing happens"));
    auto* loop = new QCheckBox(tr("Loop"));
    loop->setAccessibleName(tr("Begin again at the end"));
    row->addWidget(skip);
    row->addWidget(loop);
    row->addWidget(m_position, 1);
    layout->addLayout(row);
    layout->addWidget(m_scrubber);
    connect(m_play, &QPushButton::clicked, this, [this] { emit playRequested(!m_playing); });
    connect(m_speed, &QComboBox::currentIndexChanged, this, [this] { emit speedRequested(m_speed->currentData().toDouble()); });
    connect(skip, &QCheckBox::toggled, this, &ReplayBar::skipIdleRequested);
    connect(loop, &QCheckBox::toggled, this, &ReplayBar::loopRequested);
    connect(m_scrubber, &Scrubber::seekRequested, this, &ReplayBar::seekRequested);
    connect(m_scrubber, &Scrubber::playToggled, this, [this] { emit playRequested(!m_playing); });
}

void ReplayBar::setData(TimelineData timeline) { m_scrubber->setData(std::move(timeline)); }

void ReplayBar::setPosition(std::int64_t steadyUs, std::int64_t wallUs) {
    m_scrubber->setPosition(steadyUs);
    m_position->setText(tr("%1 of %2 · %3 UTC").arg(formatPosition(steadyUs), formatPosition(m_scrubber->data().endUs), formatUtcMillis(wallUs)));
}

void ReplayBar::setPlaying(bool playing) {
    m_playing = playing;
    m_play->setText(playing ? tr("⏸ Pause") : tr("▶ Play"));
}

} // namespace tealdeck
