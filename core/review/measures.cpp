// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/measures.h"

#include "core/model/snapshot_json.h"
#include "core/review/measures_state.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr std::size_t MANY = 5'000;
constexpr double CLOCK_STEP_MS = 1000;

bool startsWith(const std::string& text, const char* with) {
    return text.rfind(with, 0) == 0;
}

/// Steps whose end says something about the data: markers that came through, what was copied, where the endpoints lead.
bool isProof(const std::string& step) {
    for (const char* part : {".catch-up", ".gate", ".switch", ".confirm", ".return-proof", ".copy", "verify", "compare"}) {
        if (step.find(part) != std::string::npos) {
            return true;
        }
    }
    return false;
}

void stretch(std::map<std::string, Extreme>& into, const std::string& name, double value, const Moment& at) {
    auto [place, fresh] = into.try_emplace(name, Extreme{value, at});
    if (!fresh && value > place->second.value) {
        place->second = {value, at};
    }
}

} // namespace

const char* matterName(Matter matter) {
    switch (matter) {
    case Matter::Phase:
        return "phase";
    case Matter::Act:
        return "act";
    case Matter::Alarm:
        return "alarm";
    case Matter::Step:
        return "step";
    case Matter::Switch:
        return "switch";
    case Matter::Check:
        return "check";
    case Matter::Word:
        return "word";
    case Matter::Trouble:
        return "trouble";
    }
    return "";
}

double msBetween(std::int64_t fromUs, std::int64_t toUs) {
    return (static_cast<double>(toUs) - static_cast<double>(fromUs)) / 1000;
}

Moment momentOf(const Event& event) {
    return {event.seq, event.steadyUs, event.wallUs};
}

std::string textOf(const Json& body, const char* key, std::size_t max) {
    return plainText(member<std::string>(body, key, ""), max);
}

void MeasuresBuilder::State::say(const Event& e, Matter matter, std::string text) {
    m.timeline.add({momentOf(e), matter, plainText(e.actor, 60), std::move(text)}, 4 * MANY);
}

void MeasuresBuilder::State::trouble(const Event& e, std::string text) {
    // What nobody answers for long is one trouble after another: only the first ones wait for an answer one by one.
    if (open.size() < 200) {
        open.push_back({momentOf(e), std::move(text), "", "", std::nullopt});
    } else {
        ++m.reactions.leftOut;
    }
}

void MeasuresBuilder::State::answered(const Event& e, const std::string& act) {
    for (Reaction& reaction : open) {
        reaction.act = act;
        reaction.who = plainText(e.actor, 60);
        reaction.acted = momentOf(e);
        m.reactions.add(std::move(reaction), MANY);
    }
    open.clear();
}

void MeasuresBuilder::State::takeMetrics(const Event& e) {
    const Json values = member(e.body, "values", Json::object());
    if (!values.is_object()) {
        return;
    }
    for (const auto& [name, value] : values.items()) {
        if (!value.is_number() || m.largest.size() + m.clients.size() > 500) {
            continue;
        }
        const auto number = value.get<double>();
        if (startsWith(name, "lag_") || startsWith(name, "retained_bytes")) {
            stretch(m.largest, plainText(name, 80), number, momentOf(e));
        } else if (name.find("error") != std::string::npos || name.find("latency") != std::string::npos || startsWith(name, "probe") ||
                   (startsWith(name, "read_p") && name != "read_probe_green_percent") || startsWith(name, "client_")) {
            stretch(m.clients, plainText(name, 80), number, momentOf(e));
        }
    }
}

void MeasuresBuilder::State::takeStep(const Event& e) {
    if (member<bool>(e.body, "clear", false)) {
        running = textOf(e.body, "command", 40);
        titles.clear();
        begin(e, running);
        return;
    }
    const std::string id = textOf(e.body, "id", 120);
    if (!id.empty() && titles.size() < MANY) {
        titles[id] = textOf(e.body, "title", 200);
    }
}

/// The engine takes a command up: one that was asked for, or one that it gives itself.
void MeasuresBuilder::State::begin(const Event& e, const std::string& command) {
    const bool wasAsked = std::any_of(m.commands.items.begin(), m.commands.items.end(),
                                      [&](const CommandMeasure& c) { return c.command == command && !c.ended; });
    if (!wasAsked) {
        m.commands.add({command, "", momentOf(e), std::nullopt, false, -1, ""}, MANY);
    }
}

void MeasuresBuilder::State::end(const Event& e, const std::string& command) {
    const bool ok = member<bool>(e.body, "ok", false);
    const std::string detail = textOf(e.body, "detail");
    for (auto it = m.commands.items.rbegin(); it != m.commands.items.rend(); ++it) {
        if (it->command == command && !it->ended) {
            it->ended = momentOf(e);
            it->ok = ok;
            it->ms = member<double>(e.body, "ms", -1);
            it->detail = detail;
            break;
        }
    }
    bool stopped = false;
    for (ReturnMeasure& back : m.returns) {
        // An abort in the middle of a switch has no end of its own: it ends when the switch does, which then did not happen.
        if (!back.ended && (back.command == command || back.stops == command)) {
            back.ended = momentOf(e);
            stopped = back.stops == command;
            back.ok = back.stops == command ? !ok : ok;
        }
    }
    say(e, ok || stopped ? Matter::Step : Matter::Trouble,
        fmt::format("{} {}{}", command, ok ? "ended well" : "failed", detail.empty() ? "" : ": " + detail));
    if (!ok && !stopped) { // what an operator stopped is no trouble of its own
        trouble(e, command + " failed: " + detail);
    }
}

void MeasuresBuilder::State::takeIntent(const Event& e) {
    const std::string id = textOf(e.body, "step", 120);
    if (id.empty()) {
        return;
    }
    if (openSteps.size() < MANY) {
        openSteps[id] = {running, id, textOf(e.body, "detail", 200), momentOf(e), -1, "unfinished", ""};
    }
}

void MeasuresBuilder::State::takeOutcome(const Event& e) {
    const std::string id = textOf(e.body, "step", 120);
    if (id.empty()) {
        return;
    }
    if (member<bool>(e.body, "command", false)) {
        end(e, id);
        return;
    }
    const bool ok = member<bool>(e.body, "ok", false);
    const bool undo = id.size() > 5 && id.compare(id.size() - 5, 5, ".undo") == 0;
    const auto intent = openSteps.find(id);
    StepMeasure step = intent != openSteps.end() ? intent->second : StepMeasure{running, id, titles[id], momentOf(e), -1, "", ""};
    if (intent != openSteps.end()) {
        step.ms = msBetween(step.begun.steadyUs, e.steadyUs);
        openSteps.erase(intent);
    }
    step.ms = member<double>(e.body, "ms", step.ms);
    step.outcome = !ok ? "failed" : undo ? "undone" : "done";
    step.detail = textOf(e.body, "detail");
    if (isProof(id)) {
        m.proofs.add({momentOf(e), ok,
                      fmt::format("{} ({}) {}{}", id, step.title.empty() ? "step" : step.title, ok ? "ended well" : "failed",
                                  step.detail.empty() ? "" : ": " + step.detail)},
                     MANY);
    }
    say(e, ok ? Matter::Step : Matter::Trouble, fmt::format("{} {}{}", id, step.outcome, step.detail.empty() ? "" : ": " + step.detail));
    if (!ok) {
        trouble(e, id + " failed: " + step.detail);
    }
    m.steps.add(std::move(step), MANY);
}

void MeasuresBuilder::State::takeAlarm(const Event& e) {
    const AlarmState alarm = alarmFromJson(e.body);
    const std::string id = plainText(alarm.id, 120);
    const auto standing = spans.find(id);
    const bool fresh = alarm.active && standing == spans.end();
    if (fresh && spans.size() < MANY) {
        AlarmSpan span{id, plainText(alarm.priority, 20), plainText(alarm.cause), momentOf(e), std::nullopt, std::nullopt, ""};
        say(e, Matter::Alarm, fmt::format("{} alarm {}: {}", span.priority, id, span.cause));
        if (span.priority != "low") {
            trouble(e, fmt::format("alarm {}: {}", id, span.cause));
        }
        spans.emplace(id, std::move(span));
    }
    const auto now = spans.find(id);
    if (now == spans.end()) {
        return;
    }
    if (!alarm.acknowledgedBy.empty() && !now->second.acknowledged) {
        now->second.acknowledged = momentOf(e);
        now->second.acknowledgedBy = plainText(alarm.acknowledgedBy, 60);
    }
    if (!alarm.active) {
        now->second.over = momentOf(e);
        say(e, Matter::Alarm, fmt::format("alarm {} is over", id));
        close(std::move(now->second), e.steadyUs);
        spans.erase(now);
    }
}

void MeasuresBuilder::State::close(AlarmSpan span, std::int64_t endUs) {
    AlarmMeasure& of = m.alarmsByPriority[span.priority];
    ++of.count;
    of.standing += span.over ? 0 : 1;
    of.longestMs = std::max(of.longestMs, msBetween(span.raised.steadyUs, span.over ? span.over->steadyUs : endUs));
    if (span.acknowledged) {
        const double ms = msBetween(span.raised.steadyUs, span.acknowledged->steadyUs);
        ++of.acknowledged;
        of.slowestAckMs = std::max(of.slowestAckMs, ms);
        if (acks[span.priority].size() < MANY) {
            acks[span.priority].push_back(ms);
        }
    }
    m.alarms.add(std::move(span), MANY);
}

void MeasuresBuilder::State::takeCheck(const Event& e, const CheckState* before) {
    const CheckState check = checkFromJson(e.body);
    if (check.id.empty()) {
        return;
    }
    const std::string id = plainText(check.id, 120);
    if (!check.overrideBy.empty() && (before == nullptr || before->overrideBy.empty())) {
        say(e, Matter::Act,
            fmt::format("{} is overridden by {}: {}", id, plainText(check.overrideBy, 60), plainText(check.overrideReason)));
    }
    const bool bad = check.severity == Severity::Blocking && check.result != CheckResult::Pass && check.overrideBy.empty();
    const bool wasBad = before != nullptr && before->severity == Severity::Blocking && before->result != CheckResult::Pass;
    const std::string text = fmt::format("check {} is {}: {}", id, check.result == CheckResult::Fail ? "failed" : "unknown",
                                         plainText(check.actual.empty() ? check.question : check.actual, 200));
    if (bad && !wasBad) {
        say(e, Matter::Check, text);
        if (check.result == CheckResult::Fail) {
            trouble(e, text);
        }
    } else if (!bad && wasBad) {
        say(e, Matter::Check, fmt::format("check {} is {} now", id, check.overrideBy.empty() ? "passed" : "overridden"));
    }
}

void MeasuresBuilder::State::takePeople(const Event& e) {
    const std::string who = plainText(e.actor, 60);
    if (who != "engine" && who != "guardian" && who != "salvage" && known.size() < 200 && known.insert(who).second) {
        m.actors.push_back(who);
    }
}

void MeasuresBuilder::State::takeClocks(const Event& e) {
    if (m.records > 0) {
        const double drift = msBetween(m.last.wallUs, e.wallUs) - msBetween(m.last.steadyUs, e.steadyUs);
        m.clockSteps += e.kind != EventKind::Session && std::abs(drift) > CLOCK_STEP_MS ? 1 : 0;
    } else {
        m.first = momentOf(e);
    }
    m.last = momentOf(e);
    ++m.records;
}

/// A comparison of the data of both sides that has ended.
void MeasuresBuilder::State::takeComparison(const Event& e) {
    const Json comparison = member<Json>(e.body, "comparison", Json());
    const std::string state = textOf(comparison, "state", 20);
    if (state.empty() || state == "none" || state == "running") {
        return;
    }
    const auto count = [&](const char* key) { return member<std::int64_t>(comparison, key, 0); };
    const bool equal = state == "done" && count("different") == 0 && count("undecided") == 0;
    const std::string text = fmt::format("comparison of the data ({}{}): {}, {} tables, {} rows: {} equal, {} different, {} undecided{}", textOf(comparison, "mode", 20),
                                         member<bool>(comparison, "complete", false) ? ", all tables" : ", not all tables", state, count("tables"), count("rows"), count("equal"),
                                         count("different"), count("undecided"), textOf(comparison, "detail").empty() ? "" : ": " + textOf(comparison, "detail"));
    m.proofs.add({momentOf(e), equal, text}, MANY);
    say(e, equal ? Matter::Step : Matter::Trouble, text);
    if (!equal && state == "done") {
        trouble(e, text);
    }
}

void MeasuresBuilder::State::takeRest(const Event& e) {
    switch (e.kind) {
    case EventKind::Statement: {
        ++m.statements;
        const std::string code = textOf(e.body, "sqlstate", 10);
        if (!code.empty() && (m.statementErrors.size() < 100 || m.statementErrors.count(code) != 0)) {
            ++m.statementErrors[code];
        }
        return;
    }
    case EventKind::Session:
        waited.clear(); // an engine that died in a switch never told its end
        m.lives.push_back(fmt::format("{}: the engine began, epoch {}", isoUtc(e.wallUs), member<std::int64_t>(e.body, "epoch", 0)));
        m.lives.resize(std::min<std::size_t>(m.lives.size(), 100));
        return say(e, Matter::Word, describe(e));
    case EventKind::Phase:
        return say(e, Matter::Phase, describe(e));
    case EventKind::Switch: {
        const SwitchReport report = switchFromJson(e.body);
        m.switches.push_back({momentOf(e), report, std::exchange(waited, {})});
        m.switches.resize(std::min<std::size_t>(m.switches.size(), 500));
        if (report.ok) { // one that did not happen proves nothing and refutes nothing
            m.proofs.add({momentOf(e), true,
                          fmt::format("the {} was proven before the writes went on{}", plainText(report.direction, 20),
                                      report.detail.empty() ? "" : ": " + plainText(report.detail))},
                         MANY);
        }
        return say(e, report.ok ? Matter::Switch : Matter::Trouble, describe(e));
    }
    case EventKind::Clients: // told before the switch that it belongs to
        if (waited.size() < 100) {
            waited.push_back(clientPausesFromJson(e.body));
        }
        return say(e, Matter::Switch, describe(e));
    case EventKind::Verify:
        return takeComparison(e);
    case EventKind::Drift:
        return say(e, member<std::string>(e.body, "state", "") == "open" ? Matter::Trouble : Matter::Word, describe(e));
    case EventKind::Fence:
        return say(e, Matter::Phase, describe(e));
    case EventKind::Gap:
        ++m.gaps;
        return say(e, Matter::Trouble, describe(e));
    case EventKind::Recovered:
        return say(e, Matter::Trouble, describe(e));
    case EventKind::Note:
        return say(e, Matter::Word, describe(e));
    default:
        return;
    }
}

MeasuresBuilder::MeasuresBuilder() : m_state(std::make_unique<State>()) {}
MeasuresBuilder::~MeasuresBuilder() = default;

void MeasuresBuilder::apply(const Event& e) {
    State& s = *m_state;
    s.takeClocks(e);
    s.takePeople(e);
    switch (e.kind) {
    case EventKind::Metrics:
        s.takeMetrics(e);
        break;
    case EventKind::Step:
        s.takeStep(e);
        break;
    case EventKind::Intent:
        s.takeIntent(e);
        break;
    case EventKind::Outcome:
        s.takeOutcome(e);
        break;
    case EventKind::Alarm:
        s.takeAlarm(e);
        break;
    case EventKind::Check: {
        const std::string id = member<std::string>(e.body, "id", "");
        const auto& checks = s.snapshot.checks;
        const auto before = std::find_if(checks.begin(), checks.end(), [&](const CheckState& c) { return c.id == id; });
        s.takeCheck(e, before == checks.end() ? nullptr : &*before);
        break;
    }
    case EventKind::Operator:
    case EventKind::Prompt:
    case EventKind::Answer:
        s.takeSeen(e);
        [[fallthrough]];
    case EventKind::SignOff:
        s.takeDecision(e);
        break;
    case EventKind::ViewChange:
        s.takeSeen(e);
        s.say(e, Matter::Word, describe(e));
        break;
    default:
        s.takeRest(e);
    }
    tealdeck::apply(s.snapshot, e);
}

Measures MeasuresBuilder::done() {
    State& s = *m_state;
    for (auto& [id, step] : s.openSteps) {
        s.m.steps.add(std::move(step), MANY);
    }
    for (auto& [id, span] : s.spans) {
        s.close(std::move(span), s.m.last.steadyUs);
    }
    for (Reaction& reaction : s.open) {
        s.m.reactions.add(std::move(reaction), MANY);
    }
    for (auto& [priority, times] : s.acks) {
        std::sort(times.begin(), times.end());
        const std::size_t half = times.size() / 2;
        s.m.alarmsByPriority[priority].medianAckMs = times.size() % 2 == 1 ? times[half] : (times[half - 1] + times[half]) / 2;
    }
    s.openSteps.clear();
    s.spans.clear();
    s.open.clear();
    const auto bySeq = [](const auto& a, const auto& b) { return a.begun.seq < b.begun.seq; };
    std::stable_sort(s.m.steps.items.begin(), s.m.steps.items.end(), bySeq);
    std::stable_sort(s.m.alarms.items.begin(), s.m.alarms.items.end(),
                     [](const AlarmSpan& a, const AlarmSpan& b) { return a.raised.seq < b.raised.seq; });
    s.m.session = s.snapshot.session;
    s.m.endPhase = s.snapshot.phase;
    s.m.writesTo = plainText(s.snapshot.traffic.writesTo, 20);
    for (const CheckState& check : s.snapshot.checks) {
        if (!check.overrideBy.empty() && s.m.overrides.size() < MANY) {
            s.m.overrides.push_back(
                fmt::format("{} by {}: {}", plainText(check.id, 120), plainText(check.overrideBy, 60), plainText(check.overrideReason)));
        }
    }
    return s.m;
}

} // namespace tealdeck::review
