// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/ramp_control.h"

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace tealdeck {

RampControl::RampControl(QWidget* parent) : QWidget(parent), m_grid(new QGridLayout), m_state(plainLabel({}, this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(spacing::TINY);
    layout->addWidget(m_state);
    m_state->setWordWrap(true);
    m_grid->setSpacing(spacing::TINY);
    for (const int percent : {0, 10, 20, 50, 100}) {
        auto* button = new QPushButton(tr("%1 %").arg(percent));
        button->setAccessibleName(tr("Send %1 percent of the reads to green").arg(percent));
        button->setStyleSheet(QStringLiteral("padding: 4px 2px"));
        button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        connect(button, &QPushButton::clicked, this, [this, percent] { emit shareRequested(percent); });
        m_steps.emplace_back(percent, button);
    }
    layout->addLayout(m_grid);
    flow();
}

int RampControl::widest() const {
    int width = 36;
    for (const auto& [percent, button] : m_steps) {
        width = std::max(width, button->minimumSizeHint().width());
    }
    return width;
}

QSize RampControl::minimumSizeHint() const { return {2 * widest() + spacing::TINY, layout()->minimumSize().height()}; }

void RampControl::flow() {
    if (m_steps.empty()) {
        return; // a style reached it before its buttons did
    }
    // One row where there is room; with large text in a narrow panel several.
    const int columns = std::clamp((width() + spacing::TINY) / (widest() + spacing::TINY), 2, static_cast<int>(m_steps.size()));
    if (columns == m_columns) {
        return;
    }
    m_columns = columns;
    int place = 0;
    for (const auto& [percent, button] : m_steps) {
        m_grid->addWidget(button, place / columns, place % columns);
        ++place;
    }
}

void RampControl::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    flow();
}

void RampControl::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        flow();
    }
}

void RampControl::focusNextShare() {
    const auto next = std::find_if(m_steps.begin(), m_steps.end(), [this](const auto& step) { return step.first > m_target && step.second->isEnabled(); });
    if (isVisible() && next != m_steps.end()) {
        next->second->setFocus(Qt::ShortcutFocusReason);
    }
}

void RampControl::update(const Snapshot& snapshot, const QStringList& whyNot) {
    m_target = qRound(snapshot.traffic.readsGreenTarget);
    const auto& share = snapshot.traffic.readsGreenPercent;
    const QString observed = share ? tr("%1 %").arg(formatNumber(std::round(*share))) : unknownMark();
    m_state->setText(tr("Reads on GREEN: %1 (target %2 %)").arg(observed, formatNumber(snapshot.traffic.readsGreenTarget)));
    for (const auto& [percent, button] : m_steps) {
        const bool isTarget = m_target == percent;
        const QString reason = !whyNot.isEmpty() ? whyNot.join('\n') : isTarget ? tr("This is the target already.") : QString();
        button->setEnabled(reason.isEmpty());
        button->setToolTip(tooltipText(reason.isEmpty() ? tr("Sends %1 % of the reads to GREEN; writes stay where they are.").arg(percent) : reason));
        button->setAccessibleDescription(reason);
    }
}

} // namespace tealdeck
