// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/seen_recorder.h"

#include "app/console/action_gate.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/next_act_panel.h"

#include <QLabel>
#include <QTimer>

#include <algorithm>

namespace tealdeck {

Json gatesShown(const Snapshot& s, const ViewTime& now) {
    Json gates = Json::array();
    const auto add = [&](const char* text, const std::string& value, std::int64_t sampledUs = -1) {
        gates.push_back({{"text", text}, {"value", value}, {"age_s", sampledUs < 0 ? Json(nullptr) : Json(static_cast<double>(now.steadyUs - sampledUs) / 1e6)}});
    };
    add("phase", phaseName(s.phase));
    add("writes go to", s.traffic.writesTo, s.traffic.sampledUs);
    for (const auto& [name, text] : {std::pair{"lag_seconds.forward", "lag of GREEN, s"}, std::pair{"lag_seconds.reverse", "lag of BLUE, s"},
                                     std::pair{"heartbeat_age.blue", "heartbeat of BLUE, s"}, std::pair{"heartbeat_age.green", "heartbeat of GREEN, s"}}) {
        if (const auto found = s.metrics.find(name); found != s.metrics.end()) {
            add(text, found->second.value ? formatNumber(*found->second.value).toStdString() : "unknown", found->second.sampledUs);
        }
    }
    const auto blocking = std::count_if(s.checks.begin(), s.checks.end(), [&](const CheckState& c) { return isBlocking(c, now.steadyUs); });
    const auto oldest = std::min_element(s.checks.begin(), s.checks.end(), [](const CheckState& a, const CheckState& b) { return a.evaluatedUs < b.evaluatedUs; });
    add("checklist", std::to_string(s.checks.size()) + " items, " + std::to_string(blocking) + " blocking", oldest == s.checks.end() ? -1 : oldest->evaluatedUs);
    for (const AlarmState& alarm : standingAlarms(s.alarms, now.steadyUs)) {
        add("alarm", alarm.id + ": " + alarm.cause, alarm.sinceUs);
    }
    if (!s.rollbackReadiness.empty()) {
        add("rollback", s.rollbackReadiness);
    }
    return gates;
}

SeenRecorder::SeenRecorder(ActionGate& gate, EngineBridge& bridge, NextActPanel& acts, QObject* parent) : QObject(parent), m_gate(gate), m_bridge(bridge), m_acts(acts) {
    connect(&acts, &NextActPanel::armedChanged, this, &SeenRecorder::armed);
    HoldButton* hold = acts.confirm()->holdButton();
    connect(hold, &HoldButton::holdingChanged, this, [this, hold](bool on) { holding(*hold, on, hold->text()); });
    connect(hold, &HoldButton::held, this, [this] { m_held = true; });
}

void SeenRecorder::watchAbort(HoldButton* abort) {
    connect(abort, &HoldButton::holdingChanged, this, [this, abort](bool on) { holding(*abort, on, abort->text()); });
    connect(abort, &HoldButton::held, this, [this] { m_held = true; });
}

void SeenRecorder::showPage(const QString& page) {
    if (page != m_page) {
        m_page = page;
        m_gate.tell({{"shown", "view"}, {"page", page.toStdString()}});
    }
}

void SeenRecorder::armed(bool on) {
    if (on) {
        m_asked = true;
        const QString words = m_acts.confirm()->armButton()->text() + QStringLiteral(" · ") + m_acts.confirm()->status()->text();
        m_gate.tell({{"shown", "prompt"}, {"text", words.toStdString()}, {"command", commandName(m_acts.shownAct())}, {"gates", gatesShown(m_bridge.snapshot(), m_bridge.now())}});
    } else if (m_asked) {
        m_asked = false;
        // A hold in full disarms before it says that it was one.
        QTimer::singleShot(0, this, [this] {
            answer(m_held ? QStringLiteral("held in full: the command was sent") : QStringLiteral("disarmed: put aside, its time over, or a gate changed"), !m_held);
            m_held = false;
        });
    }
}

void SeenRecorder::holding(const HoldButton&, bool on, const QString& what) {
    answer((on ? QStringLiteral("began to hold “%1”") : m_held ? QStringLiteral("held “%1” in full") : QStringLiteral("let go of “%1” before it was complete")).arg(what), false);
}

void SeenRecorder::answer(const QString& text, bool withdrawn) { m_gate.tell({{"shown", "answer"}, {"text", text.toStdString()}, {"withdrawn", withdrawn}}); }

} // namespace tealdeck
