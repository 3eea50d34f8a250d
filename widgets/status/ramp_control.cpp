// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/ramp_control.h"

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include <algorithm>
#include <cmath>

namespace tealdeck {

RampControl::RampControl(QWidget* parent) : QWidget(parent), m_state(plainLabel({}, this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(spacing::TINY);
    layout->addWidget(m_state);
    auto* row = new QHBoxLayout;
    row->setSpacing(spacing::TINY);
    for (const int percent : {0, 10, 20, 50, 100}) {
        auto* button = new QPushButton(tr("%1 %").arg(percent));
        button->setAccessibleName(tr("Send %1 percent of the reads to green").arg(percent));
        button->setMinimumWidth(36);
        button->setStyleSheet(QStringLiteral("padding: 4px 2px"));
        button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        connect(button, &QPushButton::clicked, this, [this, percent] { emit shareRequested(percent); });
        row->addWidget(button);
        m_steps.emplace_back(percent, button);
    }
    layout->addLayout(row);
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
