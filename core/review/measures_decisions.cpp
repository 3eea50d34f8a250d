// SPDX-License-Identifier: GPL-3.0-or-later
// Decisions: who was asked what, answered what, why, and what was known at that moment.
#include "core/review/measures_state.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr std::size_t MANY = 5'000;
constexpr std::size_t FEW = 12; ///< of one kind in a decision's evidence

std::string number(const Json& value) {
    return value.is_string()         ? plainText(value.get_ref<const std::string&>(), 200)
           : value.is_number_float() ? fmt::format("{:.6g}", value.get<double>())
                                     : plainText(dumpJson(value), 200);
}

/// What a command was about, in words: the check, the item, the alarm, the share.
std::string subject(const std::string& command, const Json& args) {
    std::string text = command;
    for (const char* key : {"check", "item", "alarm", "text"}) {
        if (const std::string value = textOf(args, key, 200); !value.empty()) {
            text += " " + value;
        }
    }
    if (const Json percent = member<Json>(args, "percent", Json()); percent.is_number()) {
        text += fmt::format(" to {} %", number(percent));
    }
    if (const Json minutes = member<Json>(args, "minutes", Json()); minutes.is_number()) {
        text += fmt::format(" for {} min", number(minutes));
    }
    return text;
}

void addMetric(std::vector<std::string>& into, const Snapshot& s, const char* name, const char* words, const char* unit,
               std::int64_t nowUs) {
    const auto found = s.metrics.find(name);
    if (found == s.metrics.end()) {
        return;
    }
    const double age = msBetween(found->second.sampledUs, nowUs) / 1000;
    into.push_back(found->second.value ? fmt::format("{} {:.6g} {} ({:.1f} s old)", words, *found->second.value, unit, age)
                                       : fmt::format("{} unknown (asked {:.1f} s before)", words, age));
}

/// What the state said before the event: all that the panels showed comes from there.
std::vector<std::string> evidenceOf(const Snapshot& s, const Event& e) {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("phase {}, writes to {}, fences: blue {}, green {}", phaseName(s.phase), plainText(s.traffic.writesTo, 20),
                                plainText(s.blueFence, 20), plainText(s.greenFence, 20)));
    addMetric(lines, s, "lag_seconds.forward", "lag of GREEN", "s", e.steadyUs);
    addMetric(lines, s, "lag_seconds.reverse", "lag of BLUE", "s", e.steadyUs);
    std::size_t blocking = 0;
    std::size_t overridden = 0;
    for (const CheckState& check : s.checks) {
        if (isBlocking(check, e.steadyUs) && ++blocking <= FEW) {
            lines.push_back(fmt::format("blocking: {} {}", plainText(check.id, 80), plainText(check.actual, 160)));
        }
        if (!check.overrideBy.empty() && ++overridden <= FEW) {
            lines.push_back(fmt::format("overridden: {} by {}", plainText(check.id, 80), plainText(check.overrideBy, 60)));
        }
    }
    lines.push_back(fmt::format("checklist: {} items, {} of them blocking, {} overridden", s.checks.size(), blocking, overridden));
    const std::vector<AlarmState> standing = standingAlarms(s.alarms, e.steadyUs);
    for (std::size_t i = 0; i < std::min(standing.size(), FEW); ++i) {
        lines.push_back(fmt::format("{} alarm {}: {}{}", plainText(standing[i].priority, 20), plainText(standing[i].id, 80),
                                    plainText(standing[i].cause, 160), standing[i].acknowledgedBy.empty() ? "" : " (acknowledged)"));
    }
    if (standing.empty()) {
        lines.emplace_back("no alarm stood");
    }
    if (!s.rollbackReadiness.empty()) {
        lines.push_back("rollback: " + plainText(s.rollbackReadiness));
    }
    return lines;
}

/// Words about other things than where the data goes do not answer trouble.
bool isAnAnswerToTrouble(const std::string& command) {
    return command != "note" && command != "saw";
}

} // namespace

std::vector<std::string> shownGates(const Json& body) {
    std::vector<std::string> lines;
    const Json gates = member<Json>(body, "gates", Json());
    for (const Json& gate : gates.is_array() ? gates : Json::array()) {
        if (lines.size() >= 50) {
            break;
        }
        if (gate.is_string()) {
            lines.push_back("shown: " + plainText(gate.get_ref<const std::string&>()));
            continue;
        }
        const std::string age =
            member<Json>(gate, "age_s", Json()).is_number() ? fmt::format(" ({:.1f} s old)", member<double>(gate, "age_s", 0)) : "";
        lines.push_back(fmt::format("shown: {} {}{}", textOf(gate, "text", 200), number(member<Json>(gate, "value", Json(""))), age));
    }
    return lines;
}

void MeasuresBuilder::State::takePrompt(const Event& e) {
    Decision decision;
    decision.asked = momentOf(e);
    decision.prompted = true;
    decision.who = plainText(e.actor, 60);
    decision.what = textOf(e.body, "command", 60);
    decision.prompt = textOf(e.body, "text", 2000);
    decision.evidence = shownGates(e.body);
    asked = std::move(decision);
    say(e, Matter::Act, describe(e));
}

void MeasuresBuilder::State::takeOperator(const Event& e) {
    const std::string command = textOf(e.body, "command", 60);
    if (command == "saw") {
        return;
    }
    const Json args = member<Json>(e.body, "args", Json::object());
    Decision decision;
    decision.asked = momentOf(e);
    if (asked && asked->who == plainText(e.actor, 60) && (asked->what.empty() || asked->what == command)) {
        decision = std::move(*asked);
        asked.reset();
    }
    decision.answered = momentOf(e);
    decision.who = plainText(e.actor, 60);
    decision.what = subject(command, args);
    decision.reason = textOf(args, "reason", 1000);
    decision.accepted = member<bool>(e.body, "accepted", false);
    decision.reply = textOf(e.body, "reply", 1000);
    for (std::string& line : evidenceOf(snapshot, e)) {
        decision.evidence.push_back(std::move(line));
    }
    say(e, Matter::Act,
        fmt::format("{}{}{}", decision.what, decision.accepted ? "" : ", refused: " + decision.reply,
                    decision.reason.empty() ? "" : ", because " + decision.reason));
    const bool stopsSwitch = command == "abort" && (snapshot.busyWith == "cutover" || snapshot.busyWith == "rollback");
    if (decision.accepted && isAnAnswerToTrouble(command)) {
        if (command == "abort" || command == "rollback") {
            const std::optional<Moment> since = open.empty() ? std::nullopt : std::optional(open.front().trouble);
            if (m.returns.size() < MANY) {
                m.returns.push_back({command, decision.who, stopsSwitch ? snapshot.busyWith : "", momentOf(e), since, std::nullopt, false});
            }
        }
        answered(e, decision.what);
    }
    const auto kind = commandFromName(command);
    if (decision.accepted && kind && !isWordOnly(*kind) && !stopsSwitch) {
        m.commands.add({command, decision.who, momentOf(e), std::nullopt, false, -1, ""}, MANY);
    }
    m.decisions.add(std::move(decision), MANY);
}

void MeasuresBuilder::State::takeDecision(const Event& e) {
    switch (e.kind) {
    case EventKind::Operator:
        return takeOperator(e);
    case EventKind::Prompt:
        return takePrompt(e);
    case EventKind::SignOff:
        return say(e, Matter::Act, describe(e)); // the operator's command beside it is the decision
    case EventKind::Answer: {
        // An answer without a command: the question was taken back, or left.
        say(e, Matter::Act, describe(e));
        if (asked && member<bool>(e.body, "withdrawn", false)) {
            asked->answered = momentOf(e);
            asked->reply = textOf(e.body, "text", 400);
            m.decisions.add(std::move(*asked), MANY);
            asked.reset();
        }
        return;
    }
    default:
        return;
    }
}

} // namespace tealdeck::review
