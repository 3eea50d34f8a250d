// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/confirm_control.h"

#include "widgets/status/focus_keeper.h"
#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QLabel>
#include <QVBoxLayout>

namespace tealdeck {
namespace {

constexpr Millis HOLD{1500};

QString wordFor(CommandKind kind) { return QString::fromLatin1(commandName(kind)).toUpper(); }

} // namespace

ConfirmControl::ConfirmControl(const Clock& clock, QObject* parent)
    : QObject(parent), m_clock(clock), m_armState(clock), m_arm(new QPushButton), m_hold(new HoldButton(clock, HOLD)), m_form(new QWidget),
      m_typed(new QWidget), m_status(plainLabel({})) {
    m_arm->setProperty("primary", true);
    m_arm->setMinimumSize(80, 32);
    m_status->setWordWrap(true);
    makeForm();
    makeTyped();
    connect(m_arm, &QPushButton::clicked, this, &ConfirmControl::armOrAct);
    connect(m_hold, &HoldButton::held, this, &ConfirmControl::finish);
    m_timer.setInterval(250);
    connect(&m_timer, &QTimer::timeout, this, &ConfirmControl::refresh);
    refresh();
}

void ConfirmControl::makeForm() {
    auto* layout = new QVBoxLayout(m_form);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(spacing::TINY);
    m_name = new QLineEdit;
    m_name->setAccessibleName(tr("Name of the deployment, typed to confirm"));
    m_reason = new QLineEdit;
    m_reason->setPlaceholderText(tr("Reason (kept in the recording)"));
    m_reason->setAccessibleName(tr("Reason for this act"));
    layout->addWidget(m_name);
    layout->addWidget(m_reason);
    connect(m_name, &QLineEdit::textChanged, this, &ConfirmControl::refresh);
    connect(m_reason, &QLineEdit::textChanged, this, &ConfirmControl::refresh);
}

void ConfirmControl::makeTyped() {
    auto* layout = new QVBoxLayout(m_typed);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(spacing::TINY);
    m_cannotHold = new QCheckBox(tr("Type instead of holding"));
    m_cannotHold->setAccessibleName(tr("Type a word instead of holding the button"));
    m_word = new QLineEdit;
    m_word->setVisible(false);
    m_word->setAccessibleName(tr("Word to type instead of holding"));
    layout->addWidget(m_cannotHold);
    layout->addWidget(m_word);
    connect(m_cannotHold, &QCheckBox::toggled, m_word, &QWidget::setVisible);
    connect(m_word, &QLineEdit::returnPressed, this, [this] {
        if (m_word->text().trimmed().compare(wordFor(m_act.kind), Qt::CaseInsensitive) == 0) {
            finish();
        }
    });
}

void ConfirmControl::setAct(const Act& act) {
    if (act == m_act) {
        refresh();
        return;
    }
    const bool sameTarget = act.kind == m_act.kind && act.deployment == m_act.deployment;
    m_act = act;
    if (!sameTarget) {
        m_disarmed.clear();
        disarm();
        m_name->clear();
        m_reason->clear();
    }
    m_name->setPlaceholderText(tr("Type “%1”").arg(act.deployment));
    m_word->setPlaceholderText(tr("Type %1 and press Enter").arg(wordFor(act.kind)));
    refresh();
}

void ConfirmControl::disarm() {
    m_armState.disarm();
    refresh();
}

bool ConfirmControl::armed() const { return m_act.whyNot.isEmpty() && m_armState.armed(m_act.gateSeq); }

QString ConfirmControl::missing() const {
    if (m_act.confirmation != Confirmation::ArmHoldAndType) {
        return {};
    }
    if (m_name->text() != m_act.deployment) {
        return tr("Type the deployment's name first.");
    }
    return m_reason->text().trimmed().isEmpty() ? tr("Give a reason first.") : QString();
}

void ConfirmControl::armOrAct() {
    if (!m_act.whyNot.isEmpty()) {
        return;
    }
    if (m_act.confirmation == Confirmation::Click) {
        emit confirmed(m_act.kind, {}, {});
        return;
    }
    if (armed()) {
        disarm();
        return;
    }
    m_disarmed.clear();
    m_armState.arm(m_act.gateSeq);
    refresh();
}

QString ConfirmControl::whyDisarmed() const {
    return !m_act.whyNot.isEmpty()    ? tr("Disarmed: something stands in the way now.")
           : m_armState.leftUs() == 0 ? tr("Disarmed: 20 s are over. Arm again when you are ready.")
                                      : tr("Disarmed: a gate has changed since you armed. Look again, then arm again.");
}

void ConfirmControl::finish() {
    if (!armed() || !missing().isEmpty()) {
        return;
    }
    m_armState.disarm();
    const Act act = m_act;
    const QString typed = act.confirmation == Confirmation::ArmHoldAndType ? m_name->text() : QString();
    const QString reason = act.confirmation == Confirmation::ArmHoldAndType ? m_reason->text().trimmed() : QString();
    m_name->clear();
    m_reason->clear();
    m_word->clear();
    m_cannotHold->setChecked(false);
    refresh();
    emit confirmed(act.kind, typed, reason);
}

void ConfirmControl::refresh() {
    const FocusKeeper keeper(m_area, m_refuge);
    const bool nowArmed = armed();
    if (!nowArmed && m_armState.standing()) {
        m_disarmed = whyDisarmed();
        m_armState.disarm();
    }
    const bool allowed = m_act.whyNot.isEmpty();
    const bool click = m_act.confirmation == Confirmation::Click;
    m_arm->setEnabled(allowed);
    m_arm->setText(click ? m_act.title : nowArmed ? tr("Disarm") : tr("Arm: %1").arg(m_act.title));
    m_arm->setAccessibleName(m_act.title.isEmpty() ? tr("Nothing to confirm") : m_arm->text());
    m_arm->setToolTip(tooltipText(allowed ? m_act.consequence : m_act.whyNot.join('\n')));
    m_arm->setAccessibleDescription(allowed ? m_act.consequence : tr("Not possible now: %1").arg(m_act.whyNot.join(' ')));
    m_form->setVisible(m_act.confirmation == Confirmation::ArmHoldAndType && allowed); // before arming: words take longer than an arm lasts
    m_hold->setVisible(!click);
    m_typed->setVisible(!click && nowArmed);
    const QString lacks = !nowArmed ? tr("Arm first.") : missing();
    m_hold->setEnabled(lacks.isEmpty());
    m_hold->setText(lacks.isEmpty() ? tr("HOLD 1.5 s: %1").arg(m_act.title) : tr("Hold: %1").arg(lacks));
    m_hold->setAccessibleName(tr("Hold to %1").arg(m_act.title));
    m_hold->setToolTip(tooltipText(lacks.isEmpty() ? m_act.consequence : allowed ? lacks : m_act.whyNot.join('\n')));
    showStatus();
    if (nowArmed != m_timer.isActive()) {
        nowArmed ? m_timer.start() : m_timer.stop();
    }
    if (nowArmed != m_wasArmed) {
        m_wasArmed = nowArmed;
        emit armedChanged(nowArmed);
    }
}

void ConfirmControl::showStatus() {
    const bool nowArmed = armed();
    m_status->setVisible(nowArmed || !m_disarmed.isEmpty());
    if (!nowArmed) {
        m_status->setText(m_disarmed);
    } else {
        const auto seconds = (m_armState.leftUs() + 999'999) / 1'000'000;
        m_status->setText(tr("ARMED, %1 s left. %2").arg(seconds).arg(m_act.consequence));
    }
}

} // namespace tealdeck
