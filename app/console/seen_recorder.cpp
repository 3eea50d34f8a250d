// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/seen_recorder.h"

#include "app/console/action_gate.h"
#include "core/model/shown.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/theme/words.h"

#include <QLabel>
#include <QTimer>

namespace tealdeck {

SeenRecorder::SeenRecorder(ActionGate& gate, EngineBridge& bridge, NextActPanel& acts, QObject* parent) : QObject(parent), m_gate(gate), m_bridge(bridge), m_acts(acts) {
    connect(&acts, &NextActPanel::armedChanged, this, &SeenRecorder::armed);
    connect(&acts, &NextActPanel::commandRequested, this, [this](CommandKind kind) { requested(kind); });
    HoldButton* hold = acts.confirm()->holdButton();
    connect(hold, &HoldButton::holdingChanged, this, [this, hold](bool on) { holding(*hold, on, false); });
    connect(&bridge, &EngineBridge::stateChanged, this, [this] {
        if (m_bridge.state() != SourceState::Live) {
            m_told.clear(); // another life of the engine is told again
        }
        tellPage();
    });
}

void SeenRecorder::watchAbort(HoldButton* abort) {
    connect(abort, &HoldButton::holdingChanged, this, [this, abort](bool on) { abortHeld(*abort, on); });
}

void SeenRecorder::showPage(const QString& page) {
    m_page = page;
    tellPage();
}

void SeenRecorder::tellPage() {
    if (m_page != m_told && m_bridge.state() == SourceState::Live) {
        m_told = m_page;
        m_gate.tell({{"shown", "view"}, {"page", m_page.toStdString()}});
    }
}

void SeenRecorder::prompt(const QString& words, CommandKind kind, std::optional<Millis> armedFor) {
    Json told{{"shown", "prompt"}, {"text", words.toStdString()}, {"command", commandName(kind)}, {"gates", gatesShown(m_bridge.snapshot(), m_bridge.now().steadyUs)}};
    if (armedFor) {
        told["armed_ms"] = armedFor->count();
    }
    m_gate.tell(std::move(told));
}

void SeenRecorder::armed(bool on) {
    if (on) {
        m_armed = true;
        m_sent = false;
        const QString words = m_acts.confirm()->armButton()->text() + QStringLiteral(" · ") + m_acts.confirm()->status()->text();
        prompt(words, m_acts.shownAct(), Millis(ArmState::VALID_US / 1000));
    } else if (m_armed) {
        // What is confirmed in full disarms before it says that it was.
        QTimer::singleShot(0, this, [this] {
            answer(m_sent ? QStringLiteral("confirmed in full: the command was sent") : QStringLiteral("disarmed: put aside, its time over, or a gate changed"), !m_sent);
            m_armed = false;
        });
    }
}

/// A command that needs no arming: its words stood on what was pressed.
void SeenRecorder::requested(CommandKind kind) {
    m_sent = true;
    const PhaseRule* rule = findRule(m_bridge.snapshot().phase, kind);
    if (!m_armed && rule != nullptr) {
        prompt(word(rule->title) + QStringLiteral(" · ") + word(rule->consequence), kind);
    }
}

void SeenRecorder::abortHeld(const HoldButton& abort, bool on) {
    if (on) {
        prompt(abort.text(), CommandKind::Abort);
    }
    holding(abort, on, true);
}

/// Of what was not armed before, letting go takes the question back.
void SeenRecorder::holding(const HoldButton& button, bool on, bool withdraws) {
    const bool complete = !on && button.reached() >= 1;
    const double needed = static_cast<double>(button.needed().count());
    const QString words = on ? QStringLiteral("began to hold “%1”") : complete ? QStringLiteral("held “%1” in full") : QStringLiteral("let go of “%1” before it was complete");
    answer(words.arg(button.text()), withdraws && !on && !complete,
           {{"state", on ? "begun" : complete ? "complete" : "released"}, {"needed_ms", needed}, {"held_ms", on ? 0 : button.reached() * needed}});
}

void SeenRecorder::answer(const QString& text, bool withdrawn, Json hold) {
    Json told{{"shown", "answer"}, {"text", text.toStdString()}, {"withdrawn", withdrawn}};
    if (!hold.is_null()) {
        told["hold"] = std::move(hold);
    }
    m_gate.tell(std::move(told));
}

} // namespace tealdeck
