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
#include <tuple>

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
    const std::tuple<const char*, QString, QString> ways[] = {{"back", tr("Back"), tr("Send reads one step back to blue and hold them there")},
                                                              {"hold", tr("Hold"), tr("Hold the reads where they are")},
                                                              {"resume", tr("Go on"), tr("Let the reads move on")}};
    for (const auto& [act, text, name] : ways) {
        auto* button = new QPushButton(text);
        button->setAccessibleName(name);
        button->setStyleSheet(QStringLiteral("padding: 4px 2px"));
        button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        const QString word = QString::fromLatin1(act);
        connect(button, &QPushButton::clicked, this, [this, word] { emit actRequested(word); });
        m_ways.emplace_back(word, button);
    }
    layout->addLayout(m_grid);
    flow();
}

std::vector<QPushButton*> RampControl::buttons() const {
    std::vector<QPushButton*> all;
    for (const auto& [percent, button] : m_steps) {
        all.push_back(button);
    }
    for (const auto& [act, button] : m_ways) {
        all.push_back(button);
    }
    return all;
}

int RampControl::widest() const {
    int width = 36;
    for (const QPushButton* button : buttons()) {
        width = std::max(width, button->minimumSizeHint().width());
    }
    return width;
}

QSize RampControl::minimumSizeHint() const { return {2 * widest() + spacing::TINY, layout()->minimumSize().height()}; }

void RampControl::flow() {
    if (m_ways.empty()) {
        return; // a style reached it before its buttons did
    }
    // One row where there is room; with large text in a narrow panel several.
    const std::vector<QPushButton*> all = buttons();
    const int columns = std::clamp((width() + spacing::TINY) / (widest() + spacing::TINY), 2, static_cast<int>(all.size()));
    if (columns == m_columns) {
        return;
    }
    m_columns = columns;
    int place = 0;
    for (QPushButton* button : all) {
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
    const auto next = std::find_if(m_steps.begin(), m_steps.end(), [this](const auto& step) { return step.first > m_target.value_or(0) && step.second->isEnabled(); });
    if (isVisible() && next != m_steps.end()) {
        next->second->setFocus(Qt::ShortcutFocusReason);
    }
}

/// How long the reads stand where they stand, as far as this window saw it. A replay may jump to before that.
void RampControl::note(int target, std::int64_t nowUs) {
    if (m_target && *m_target != target) {
        m_targetSinceUs = nowUs;
    }
    if (nowUs < m_targetSinceUs) {
        m_targetSinceUs = -1;
    }
    m_target = target;
}

void RampControl::show(QPushButton* button, const QStringList& whyNot, const QString& does) {
    button->setEnabled(whyNot.isEmpty());
    button->setToolTip(tooltipText(whyNot.isEmpty() ? does : whyNot.join('\n')));
    button->setAccessibleDescription(whyNot.join('\n'));
}

void RampControl::update(const Snapshot& snapshot, const ViewTime& now, const QStringList& whyNotMore, const QStringList& whyNotLess) {
    const int target = qRound(snapshot.traffic.readsGreenTarget);
    note(target, now.steadyUs);
    const auto& share = snapshot.traffic.readsGreenPercent;
    const QString observed = share ? tr("%1 %").arg(formatNumber(std::round(*share))) : unknownMark();
    const QString head = tr("Reads on GREEN: %1 (target %2 %)").arg(observed, formatNumber(snapshot.traffic.readsGreenTarget));
    m_state->setText(m_targetSinceUs < 0 ? head : tr("%1, for %2").arg(head, formatDuration(now.steadyUs - m_targetSinceUs)));
    for (const auto& [percent, button] : m_steps) {
        const QStringList& against = percent > target ? whyNotMore : whyNotLess;
        show(button, against.isEmpty() && percent == target ? QStringList{tr("This is the target already.")} : against,
             tr("Sends %1 % of the reads to GREEN; writes stay where they are.").arg(percent));
    }
    for (const auto& [act, button] : m_ways) {
        const bool nothingBelow = act == QLatin1String("back") && target == 0;
        show(button, whyNotLess.isEmpty() && nothingBelow ? QStringList{tr("All reads are on BLUE already.")} : whyNotLess,
             act == QLatin1String("back")   ? tr("One step fewer reads on GREEN, and they stay there until you let them go on.")
             : act == QLatin1String("hold") ? tr("No more reads go to GREEN until you let them go on.")
                                            : tr("Ends a hold: the reads may be moved up again."));
    }
}

} // namespace tealdeck
