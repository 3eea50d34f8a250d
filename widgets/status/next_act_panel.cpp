// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/next_act_panel.h"

#include "core/model/outlook.h"
#include "widgets/status/focus_keeper.h"
#include "widgets/status/ramp_control.h"
#include "widgets/status/state_line.h"
#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <QComboBox>
#include <QKeyEvent>
#include <QLabel>
#include <QProgressBar>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>

namespace tealdeck {
namespace {

QLabel* wrapped(QVBoxLayout* layout, const char* objectName) {
    QLabel* label = plainLabel({});
    label->setWordWrap(true);
    label->setObjectName(QLatin1String(objectName));
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(label);
    return label;
}

/// The feed that stands at a transaction which it cannot apply; nullptr: none does.
const ReplicationState* failedFeed(const Snapshot& s) {
    const auto found = std::find_if(s.replication.begin(), s.replication.end(), [](const ReplicationState& r) { return !r.failedLsn.empty(); });
    return found == s.replication.end() ? nullptr : &*found;
}

/// The oldest change of the schema that only BLUE has; nullptr: there is none.
const DriftState* openChange(const Snapshot& s) {
    const auto found = std::find_if(s.drift.begin(), s.drift.end(), [](const DriftState& d) { return d.state == "open"; });
    return found == s.drift.end() ? nullptr : &*found;
}

/// What an act is about, beside its consequence: the operator decides on exactly that.
QString aboutText(const Snapshot& s, CommandKind kind) {
    if (const ReplicationState* failed = kind == CommandKind::Skip ? failedFeed(s) : nullptr; failed != nullptr) {
        return QLatin1Char('\n') + NextActPanel::tr("%1, the transaction that ends at %2: %3").arg(safeText(failed->database), safeText(failed->failedLsn), safeText(failed->error));
    }
    if (const DriftState* change = kind == CommandKind::Drift ? openChange(s) : nullptr; change != nullptr) {
        return QLatin1Char('\n') + NextActPanel::tr("%1, by %2: %3").arg(safeText(change->database), safeText(change->who), safeText(change->statement));
    }
    return {};
}

/// The same as arguments of the command.
void addAbout(const Snapshot& s, CommandKind kind, Json& args) {
    if (const ReplicationState* failed = kind == CommandKind::Skip ? failedFeed(s) : nullptr; failed != nullptr) {
        args["database"] = failed->database;
        args["lsn"] = failed->failedLsn;
    }
    if (const DriftState* change = kind == CommandKind::Drift ? openChange(s) : nullptr; change != nullptr) {
        args["act"] = "apply";
        args["database"] = change->database;
        args["id"] = change->id;
    }
}

QString milliseconds(double ms) {
    return ms < 1 ? QStringLiteral("<1 ms") : QStringLiteral("%1 ms").arg(ms, 0, 'f', 0);
}

/// What the pause would be made of, as far as it is known.
QString forecastParts(const PauseForecast& forecast) {
    QStringList parts;
    for (const PausePart& part : forecast.parts) {
        const QString name = word(part.name.c_str());
        parts << QStringLiteral("%1: %2 (%3)").arg(name, part.ms ? milliseconds(*part.ms) : unknownMark(), safeText(part.from));
    }
    return parts.join('\n');
}

/// In a line: it stands between the act and its button.
QString forecastText(const PauseForecast& forecast, double budgetMs) {
    if (!forecast.totalMs) {
        const auto part = std::find_if(forecast.parts.begin(), forecast.parts.end(), [](const PausePart& one) { return !one.ms; });
        return NextActPanel::tr("Pause: unknown, %1").arg(safeText(part->from));
    }
    if (budgetMs <= 0) {
        return NextActPanel::tr("Pause: about %1").arg(milliseconds(*forecast.totalMs));
    }
    const QString text = NextActPanel::tr("Pause: about %1 of %2").arg(milliseconds(*forecast.totalMs), milliseconds(budgetMs));
    return forecast.overBudget ? QStringLiteral("△ %1. %2").arg(text, NextActPanel::tr("The engine would bring the writes back.")) : text;
}

/// Acts that have a place of their own in the window are not offered here, nor is what the engine cannot do yet.
bool hasOwnPlace(CommandKind kind) {
    return kind == CommandKind::Abort || kind == CommandKind::Override || kind == CommandKind::SignOff || kind == CommandKind::Note || kind == CommandKind::Ramp ||
           kind == CommandKind::Acknowledge || kind == CommandKind::Shelve || kind == CommandKind::Stop;
}

} // namespace

NextActPanel::NextActPanel(const Clock& clock, Controls controls, QWidget* parent) : QFrame(parent) {
    setProperty("panel", true);
    setAccessibleName(tr("Now and next"));
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(spacing::MEDIUM, spacing::SMALL, spacing::MEDIUM, spacing::MEDIUM);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    auto* page = new QWidget;
    page->setObjectName(QStringLiteral("nextActPage"));
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(spacing::TINY + 2);
    scroll->setWidget(page);
    scroll->viewport()->setAutoFillBackground(false);
    page->setAutoFillBackground(false);
    if (controls == Controls::Full) {
        m_acts = new QComboBox;
        m_acts->setAccessibleName(tr("Act to prepare"));
        m_acts->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        m_acts->setMinimumContentsLength(8);
        m_confirm = new ConfirmControl(clock, this);
    }
    makeFacts(layout);
    layout->addStretch(1);
    outer->addWidget(scroll, 1);
    if (controls == Controls::Full) {
        makeControls(clock, outer);
    }
}

void NextActPanel::makeFacts(QVBoxLayout* layout) {
    layout->addWidget(headingLabel(tr("NOW")));
    m_nowHead = wrapped(layout, "nowHead");
    m_nowHead->setStyleSheet(QStringLiteral("font-weight: 600"));
    m_nowDetail = wrapped(layout, "nowDetail");
    m_progress = new QProgressBar;
    m_progress->setTextVisible(false);
    m_progress->setFixedHeight(6);
    m_progress->setAccessibleName(tr("Progress of the step"));
    layout->addWidget(m_progress);
    layout->addSpacing(spacing::SMALL);
    layout->addWidget(headingLabel(tr("NEXT")));
    m_next = wrapped(layout, "next");
    m_next->setStyleSheet(QStringLiteral("font-weight: 600"));
    if (m_acts != nullptr) {
        layout->addWidget(m_acts);
        m_next->hide();
    }
    m_consequence = wrapped(layout, "consequence");
    m_forecast = wrapped(layout, "pauseForecast");
    if (m_confirm != nullptr) {
        // Arm sits up here with its consequence; Hold at the panel's foot: a double tap can never do both.
        layout->addWidget(m_confirm->armButton());
        layout->addWidget(m_confirm->status());
    }
    layout->addWidget(headingLabel(tr("WHY NOT")));
    m_whyNot = wrapped(layout, "whyNot");
    layout->addSpacing(spacing::SMALL);
    layout->addWidget(headingLabel(tr("WAY BACK")));
    m_rollback = wrapped(layout, "rollback");
    m_window = wrapped(layout, "rollbackWindow");
    m_windowState = wrapped(layout, "rollbackWindowState");
}

void NextActPanel::makeControls(const Clock&, QVBoxLayout* layout) {
    m_ramp = new RampControl;
    layout->addWidget(m_ramp);
    m_reply = wrapped(layout, "reply");
    m_reply->hide();
    // Hold is last: whatever appears above it, it stays under the pointer.
    layout->addWidget(m_confirm->form());
    layout->addWidget(m_confirm->typed());
    layout->addWidget(m_confirm->holdButton());
    m_confirm->setRefuge(this, this); // keys do nothing there: the finger may still be on Space
    connect(m_acts, &QComboBox::activated, this, &NextActPanel::choose);
    connect(m_confirm, &ConfirmControl::armedChanged, this, &NextActPanel::armedChanged);
    connect(m_confirm, &ConfirmControl::confirmed, this, [this](CommandKind kind, const QString& typed, const QString& reason) {
        Json args = Json::object();
        if (!typed.isEmpty()) {
            args = {{"typed", typed.toStdString()}, {"reason", reason.toStdString()}};
        }
        addAbout(m_snapshot, kind, args);
        emit commandRequested(kind, args);
    });
    connect(m_ramp, &RampControl::shareRequested, this, [this](int percent) { emit commandRequested(CommandKind::Ramp, {{"percent", percent}}); });
    connect(m_ramp, &RampControl::actRequested, this, [this](const QString& act) { emit commandRequested(CommandKind::Ramp, {{"act", act.toStdString()}}); });
}

void NextActPanel::update(const Snapshot& snapshot, const ViewTime& now) {
    const FocusKeeper keeper(this, this);
    m_snapshot = snapshot;
    m_now = now;
    const StateLine line = stateLine(snapshot, now);
    m_nowHead->setText(line.head);
    m_nowDetail->setText(line.detail);
    m_nowDetail->setVisible(!line.detail.isEmpty());
    QPalette colours = m_nowDetail->palette();
    colours.setColor(QPalette::WindowText, line.failed ? tokensFor(palette()).high : palette().color(QPalette::WindowText));
    m_nowDetail->setPalette(colours);
    m_progress->setVisible(line.progress >= 0);
    m_progress->setValue(qRound(line.progress * 100));
    updateActs(snapshot);
    updateNext(snapshot);
    updateRollback(snapshot, now);
}

void NextActPanel::updateActs(const Snapshot& snapshot) {
    std::vector<CommandKind> offered;
    const auto next = nextCommand(snapshot.phase);
    if (next && !hasOwnPlace(*next)) {
        offered.push_back(*next);
    }
    for (const PhaseRule& rule : phaseTable()) {
        if (rule.phase == snapshot.phase && !hasOwnPlace(rule.command) && (!next || rule.command != *next)) {
            offered.push_back(rule.command);
        }
    }
    if (offered == m_offered && snapshot.phase == m_offeredPhase) {
        return;
    }
    m_offered = offered;
    m_offeredPhase = snapshot.phase;
    m_shown = next.value_or(offered.empty() ? CommandKind::Check : offered.front());
    if (m_acts != nullptr) {
        const auto has = [&](CommandKind kind) { return std::find(offered.begin(), offered.end(), kind) != offered.end(); };
        if (hasOwnPlace(m_shown)) {
            // Ramp is next but has its own buttons: the act after it, which the operator may take instead.
            m_shown = has(CommandKind::Cutover) ? CommandKind::Cutover : offered.empty() ? m_shown : offered.front();
        } else if (m_shown == CommandKind::Finalize && has(CommandKind::Rollback)) {
            m_shown = CommandKind::Rollback; // what cannot be taken back is chosen on purpose
        }
        m_acts->clear();
        for (const CommandKind kind : offered) {
            m_acts->addItem(word(findRule(snapshot.phase, kind)->title));
            if (kind == m_shown) {
                m_acts->setCurrentIndex(m_acts->count() - 1);
            }
        }
        m_acts->setVisible(!offered.empty());
    }
}

void NextActPanel::choose(int index) {
    if (index >= 0 && index < static_cast<int>(m_offered.size())) {
        m_shown = m_offered[static_cast<std::size_t>(index)];
        updateNext(m_snapshot);
    }
}

void NextActPanel::setRefusal(const QString& reason) {
    m_refusal = reason;
    update(m_snapshot, m_now);
}

void NextActPanel::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && m_confirm != nullptr && m_confirm->armed()) {
        m_confirm->disarm();
        return;
    }
    QFrame::keyPressEvent(event);
}

void NextActPanel::focusHold() {
    if (m_confirm != nullptr && m_confirm->holdButton()->isVisible() && m_confirm->holdButton()->isEnabled()) {
        m_confirm->holdButton()->setFocus(Qt::ShortcutFocusReason);
    }
}

void NextActPanel::focusRamp() {
    if (m_ramp != nullptr) {
        m_ramp->focusNextShare();
    }
}

void NextActPanel::prepare(CommandKind kind) {
    const auto found = std::find(m_offered.begin(), m_offered.end(), kind);
    if (m_confirm != nullptr && found != m_offered.end()) {
        m_acts->setCurrentIndex(static_cast<int>(found - m_offered.begin()));
        choose(m_acts->currentIndex());
        m_confirm->armButton()->setFocus(Qt::ShortcutFocusReason);
    }
}

QStringList NextActPanel::reasonsAgainst(CommandKind kind) const {
    QStringList list;
    if (!m_refusal.isEmpty()) {
        list << m_refusal;
    }
    for (const std::string& reason : whyNot(m_snapshot, kind, m_now.steadyUs)) {
        list << safeText(reason);
    }
    if (kind == CommandKind::Drift && openChange(m_snapshot) == nullptr) {
        list << tr("No recorded change of the schema is open.");
    }
    return list;
}

void NextActPanel::updateNext(const Snapshot& snapshot) {
    const PhaseRule* rule = findRule(snapshot.phase, m_shown);
    const QStringList why = reasonsAgainst(m_shown);
    m_next->setText(rule != nullptr ? word(rule->title) : snapshot.phase == Phase::Cutover ? (snapshot.pastPointOfNoReturn ? tr("Nothing to decide: the engine completes the move.") : tr("Nothing to decide: watch, or abort.")) : tr("Nothing to do in this phase."));
    m_consequence->setText(rule != nullptr ? word(rule->consequence) + aboutText(snapshot, m_shown) : QString());
    QStringList lines;
    for (const QString& reason : why) {
        lines << QStringLiteral("✕ ") + reason;
    }
    constexpr int SHOWN = 8;
    if (lines.size() > SHOWN) {
        const auto more = lines.size() - SHOWN;
        lines = lines.mid(0, SHOWN) << tr("… and %1 more in the checklist").arg(more);
    }
    const bool pauses = rule != nullptr && (m_shown == CommandKind::Cutover || m_shown == CommandKind::Rollback);
    m_forecast->setVisible(pauses);
    if (pauses) {
        const PauseForecast forecast = forecastPause(snapshot, m_shown, m_now.steadyUs);
        m_forecast->setText(forecastText(forecast, snapshot.session.pauseBudgetMs));
        m_forecast->setToolTip(forecastParts(forecast));
        m_forecast->setAccessibleDescription(m_forecast->toolTip());
    }
    m_whyNot->setText(rule == nullptr ? QStringLiteral("–") : lines.isEmpty() ? tr("✓ Nothing stands in the way.") : lines.join('\n'));
    if (m_confirm == nullptr) {
        return;
    }
    m_next->setVisible(rule == nullptr);
    m_confirm->armButton()->setVisible(rule != nullptr);
    m_confirm->setAct({m_shown, rule != nullptr ? rule->confirmation : Confirmation::Click, rule != nullptr ? word(rule->title) : QString(),
                       m_consequence->text(), rule != nullptr ? why : QStringList{tr("Not in this phase.")}, safeText(snapshot.session.deployment), snapshot.gateSeq});
    m_ramp->setVisible(findRule(snapshot.phase, CommandKind::Ramp) != nullptr);
    // Fewer reads on GREEN need no healthy feed: what stands in the way of asking the checklist stands in theirs, that is a running command.
    m_ramp->update(snapshot, m_now, reasonsAgainst(CommandKind::Ramp), reasonsAgainst(CommandKind::Check));
}

void NextActPanel::updateRollback(const Snapshot& snapshot, const ViewTime& now) {
    m_rollback->setText(snapshot.rollbackReadiness.empty() ? tr("Abort brings everything back to BLUE.") : safeText(snapshot.rollbackReadiness));
    const bool open = snapshot.rollbackUntilWallUs > 0;
    m_window->setVisible(open);
    if (open) {
        const auto left = snapshot.rollbackUntilWallUs - now.wallUs;
        m_window->setText(left > 0 ? tr("Rollback window: %1 left, until %2 UTC").arg(formatDuration(left), formatUtcTime(snapshot.rollbackUntilWallUs))
                                   : tr("Rollback window: over for %1").arg(formatDuration(-left)));
    }
    const RollbackWindow window = rollbackWindow(snapshot, now.steadyUs, now.wallUs);
    m_windowState->setVisible(window.state != RollbackWindow::State::None);
    QStringList lines{tr("BLUE is behind by %1 and %2; GREEN keeps %3 for it.")
                          .arg(bytesOrUnknown(window.lagBytes), secondsOrUnknown(window.lagSeconds), bytesOrUnknown(window.retainedBytes))};
    for (const std::string& reason : window.reasons) {
        lines << QStringLiteral("✕ ") + safeText(reason);
    }
    m_windowState->setText(lines.join('\n'));
}

void NextActPanel::showReply(bool accepted, const QString& text) {
    if (m_confirm == nullptr) {
        return;
    }
    m_reply->setVisible(true);
    m_reply->setText(accepted ? QStringLiteral("✓ %1").arg(text) : QStringLiteral("✕ %1").arg(text));
}

} // namespace tealdeck
