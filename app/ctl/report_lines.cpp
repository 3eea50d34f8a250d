// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/report_lines.h"

#include "app/ctl/terminal.h"
#include "core/model/outlook.h"
#include "core/util/size_text.h"
#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>

namespace tealdeck {
namespace {

std::string plain(const std::string& text) {
    return plainText(text, 400);
}

std::string percentText(const std::optional<double>& percent) {
    return percent ? fmt::format("{:.3g} %", *percent) : std::string("unknown");
}

std::string secondsText(const std::optional<double>& seconds) {
    return seconds ? fmt::format("{:.3g} s", *seconds) : std::string("unknown");
}

std::string bytesText(const std::optional<double>& bytes) {
    return bytes ? sizeText(*bytes) : std::string("unknown");
}

void printNodes(const char* side, const std::vector<Node>& nodes) {
    for (const Node& n : nodes) {
        fmt::print("  {} {:<10} {:<8} {:<6} PostgreSQL {:<8} {}:{} {} {}\n", side, plain(n.name), n.role, plain(n.zone), plain(n.version),
                   plain(n.host), n.port, n.state, plain(n.detail));
    }
}

std::optional<double> metricOf(const Snapshot& s, const char* name) {
    const auto it = s.metrics.find(name);
    return it == s.metrics.end() ? std::nullopt : it->second.value;
}

std::string mark(const Json& body) {
    return member<bool>(body, "ok", false) ? inked("✓", Ink::Good) : inked("✗", Ink::Bad);
}

std::string spanOf(double ms) {
    return ms >= 7'200'000 ? fmt::format("{:.0f} h", ms / 3'600'000)
           : ms >= 90'000  ? fmt::format("{:.0f} min", ms / 60'000)
           : ms >= 1000    ? fmt::format("{:.0f} s", ms / 1000)
                           : fmt::format("{:.0f} ms", ms);
}

/// A step that holds or that takes long enough to ask how long.
void printStep(const Json& body) {
    const std::string state = member<std::string>(body, "state", "");
    const double usual = member<double>(body, "expected_ms", -1);
    if (state == "held") {
        fmt::print("  {} holds before {}: {}; go on with \"tealctl continue\"\n", inked("‖", Ink::Warn),
                   plain(member<std::string>(body, "id", "")), plain(member<std::string>(body, "title", "")));
    } else if (state == "running" && usual >= 1000 && member<double>(body, "progress", -1) < 0 &&
               member<std::string>(body, "detail", "").empty()) {
        fmt::print("  {}\n",
                   inked(fmt::format("… {} (usually {})", plain(member<std::string>(body, "title", "")), spanOf(usual)), Ink::Quiet));
    }
}

void printCopy(const Json& body) {
    const CopyState c = copyFromJson(body);
    if (c.state.empty()) {
        return; // a batch of tables that ended
    }
    const std::string line =
        fmt::format("{} of {}: {}{}{}", c.state, plain(c.database), copyText(c), c.detail.empty() ? "" : "; ", plain(c.detail));
    fmt::print("  {} {}\n", c.state == "failed" ? inked("✗", Ink::Bad) : inked("…", Ink::Quiet), inked(line, Ink::Quiet));
}

void printAlarm(const Json& body) {
    const bool active = member<bool>(body, "active", true);
    const std::string by = member<std::string>(body, "acknowledged_by", "");
    fmt::print("  {} {}{}: {}\n", active ? inked("▲", Ink::Bad) : inked("✓", Ink::Quiet), active ? "ALARM " : "alarm over ",
               plain(member<std::string>(body, "id", "")),
               plain(member<std::string>(body, "cause", "")) + (by.empty() ? "" : " (seen by " + plain(by) + ")"));
    if (active && by.empty()) {
        fmt::print("      {}\n", plain(member<std::string>(body, "response", "")));
    }
}

/// How long the next pause would be, and how the way back stands.
void printOutlook(const Snapshot& s) {
    for (const CommandKind command : {CommandKind::Cutover, CommandKind::Rollback}) {
        if (findRule(s.phase, command) == nullptr) {
            continue;
        }
        const PauseForecast forecast = forecastPause(s, command, s.steadyUs);
        std::string parts;
        for (const PausePart& part : forecast.parts) {
            parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", part.name,
                                 part.ms ? fmt::format("{:.0f} ms", *part.ms) : "unknown (" + part.from + ")");
        }
        const std::string allowed =
            s.session.pauseBudgetMs > 0
                ? fmt::format(" ({} {:.0f} ms that the plan allows)", forecast.overBudget ? "more than the" : "of", s.session.pauseBudgetMs)
                : "";
        fmt::print("  a {} would pause writes for {}{}: {}\n", commandName(command),
                   forecast.totalMs ? fmt::format("about {:.0f} ms", *forecast.totalMs) : std::string("an unknown time"), allowed,
                   plain(parts));
    }
    const RollbackWindow window = rollbackWindow(s, s.steadyUs, s.wallUs);
    if (window.state != RollbackWindow::State::None) {
        fmt::print("  rollback window: {}, {}; the feed to BLUE is behind by {} and {}, GREEN keeps {} for it\n",
                   rollbackWindowName(window.state),
                   window.remainingSeconds > 0 ? spanOf(window.remainingSeconds * 1000) + " left" : std::string("past its planned end"),
                   bytesText(window.lagBytes), secondsText(window.lagSeconds), bytesText(window.retainedBytes));
        for (const std::string& reason : window.reasons) {
            fmt::print("      {}\n", plain(reason));
        }
    }
}

Json orNull(const std::optional<double>& value) {
    return value ? Json(*value) : Json();
}

Json outlookReport(const Snapshot& s) {
    Json report = Json::object();
    for (const CommandKind command : {CommandKind::Cutover, CommandKind::Rollback}) {
        if (findRule(s.phase, command) == nullptr) {
            continue;
        }
        const PauseForecast forecast = forecastPause(s, command, s.steadyUs);
        Json parts = Json::object();
        for (const PausePart& part : forecast.parts) {
            parts[part.name] = {{"ms", orNull(part.ms)}, {"from", part.from}};
        }
        report[std::string(commandName(command)) + "_pause"] = {{"total_ms", orNull(forecast.totalMs)},
                                                                {"budget_ms", s.session.pauseBudgetMs},
                                                                {"over_budget", forecast.overBudget},
                                                                {"parts", parts}};
    }
    const RollbackWindow window = rollbackWindow(s, s.steadyUs, s.wallUs);
    report["rollback_window"] = {{"state", rollbackWindowName(window.state)},      {"remaining_seconds", window.remainingSeconds},
                                 {"lag_bytes", orNull(window.lagBytes)},           {"lag_seconds", orNull(window.lagSeconds)},
                                 {"retained_bytes", orNull(window.retainedBytes)}, {"reasons", window.reasons}};
    return report;
}

} // namespace

void printAlarms(const Snapshot& s, bool all) {
    const std::vector<AlarmState> standing = standingAlarms(s.alarms, s.steadyUs);
    for (const AlarmState& a : standing) {
        fmt::print("  {} {} {}: {}{}\n      {}\n",
                   inked(a.priority == "high"     ? "▲"
                         : a.priority == "medium" ? "◆"
                                                  : "●",
                         Ink::Bad),
                   a.priority, plain(a.id), plain(a.cause), a.acknowledgedBy.empty() ? "" : " (seen by " + plain(a.acknowledgedBy) + ")",
                   plain(a.response));
    }
    for (const AlarmState& a : s.alarms) {
        if (all && !a.active) {
            fmt::print("  ✓ over: {}\n", plain(a.id));
        } else if (all && isShelved(a, s.steadyUs)) {
            fmt::print("  – shelved by {} for {:.0f} more minutes: {} ({})\n", plain(a.shelvedBy),
                       static_cast<double>(a.shelvedUntilUs - s.steadyUs) / 60e6, plain(a.id), plain(a.shelveReason));
        }
    }
    if (all && standing.empty()) {
        fmt::print("No alarm stands.\n");
    }
}

void printCopies(const Snapshot& s, bool running) {
    for (const CopyState& c : s.copies) {
        fmt::print("  {} copy of {}: {}, {}{}{}\n", c.strategy, plain(c.database), c.state, copyText(c), c.detail.empty() ? "" : "; ",
                   plain(c.detail));
        for (const CopyTableState& t : c.running) {
            if (running) {
                fmt::print("    {}: {:.0f} rows, {:.1f} MB{}\n", plain(t.table), t.rows, t.bytes / 1e6,
                           t.bytesTotal > 0 ? fmt::format(" of about {:.1f} MB", t.bytesTotal / 1e6) : "");
            }
        }
        for (const CopyFailure& f : c.failures) {
            fmt::print("    {} {}: {} {}\n", inked("✗", Ink::Bad), plain(f.table), plain(f.error), plain(f.remedy));
        }
    }
    if (running && s.copies.empty()) {
        fmt::print("Nothing has been copied.\n");
    }
}

/// Steps that run now, and how long they usually take.
void printRunning(const Snapshot& s) {
    for (const StepState& step : s.steps) {
        if (step.state != "running" && step.state != "held") {
            continue;
        }
        const double spent = static_cast<double>(s.steadyUs - step.startedUs) / 1000.0;
        const double share = step.progress > 0 ? step.progress : step.expectedMs > 0 ? std::min(1.0, spent / step.expectedMs) : -1;
        fmt::print("  {}: {}, {} so far{}{}\n", step.state == "held" ? "holds before" : "runs", plain(step.title), spanOf(spent),
                   share > 0 && share < 1 ? fmt::format(", about {} to go", spanOf(spent / share - spent)) : "",
                   step.waitingFor.empty() ? "" : "; waits for " + plain(step.waitingFor));
    }
}

void printProgress(const Event& event) {
    const Json& b = event.body;
    switch (event.kind) {
    case EventKind::Phase:
        fmt::print("── {}: {}\n", member<std::string>(b, "phase", ""), plain(member<std::string>(b, "reason", "")));
        break;
    case EventKind::Outcome:
        if (!member<bool>(b, "command", false)) {
            fmt::print("  {} {} {}{}\n", mark(b), plain(member<std::string>(b, "step", "")), plain(member<std::string>(b, "detail", "")),
                       b.contains("ms") ? fmt::format(" ({:.0f} ms)", member<double>(b, "ms", 0)) : "");
        }
        break;
    case EventKind::Step:
        printStep(b);
        break;
    case EventKind::Copy:
        printCopy(b);
        break;
    case EventKind::Alarm:
        printAlarm(b);
        break;
    case EventKind::Note:
        fmt::print("  · {}\n", plain(member<std::string>(b, "text", "")));
        break;
    case EventKind::Switch:
        fmt::print("  {} {}: write pause {:.1f} ms\n", mark(b), member<std::string>(b, "direction", ""), member<double>(b, "pause_ms", 0));
        break;
    default:
        break;
    }
    std::fflush(stdout);
}

void printSummary(const Snapshot& s) {
    fmt::print("{}: {} — {}\n", plain(s.session.deployment), phaseName(s.phase), plain(s.phaseReason));
    fmt::print("  writes go to {}; fences: BLUE {}, GREEN {}; reads on GREEN {}\n", s.traffic.writesTo, s.blueFence, s.greenFence,
               percentText(s.traffic.readsGreenPercent));
    printNodes("B", s.blue);
    printNodes("G", s.green);
    for (const ReplicationState& r : s.replication) {
        if (r.state != "none" && r.state != "retired") {
            fmt::print("  {} feed of {}: {}, {} of {} tables, lag {}, {} {}\n", r.direction, plain(r.database), r.state, r.tablesReady,
                       r.tablesTotal, bytesText(r.lagBytes), secondsText(r.lagSeconds), plain(r.error));
        }
    }
    if (s.phase == Phase::Replicate) {
        printCopies(s, false);
    }
    printRunning(s);
    printOutlook(s);
    printAlarms(s, false);
    int failed = 0;
    int unknown = 0;
    for (const CheckState& check : s.checks) {
        failed += isBlocking(check, s.steadyUs) && check.result == CheckResult::Fail ? 1 : 0;
        unknown += isBlocking(check, s.steadyUs) && check.result != CheckResult::Fail ? 1 : 0;
    }
    fmt::print("  checklist: {} items, {} blocking failures, {} unknown or stale\n", s.checks.size(), failed, unknown);
    if (const std::optional<double> cost = metricOf(s, "sampler_cpu_percent")) {
        fmt::print("  sampling costs {:.2g} % of a processor core here\n", *cost);
    }
    std::fflush(stdout);
}

Json statusReport(const Snapshot& s) {
    const Json all = toJson(s);
    Json blocking = Json::array();
    for (const CheckState& check : s.checks) {
        if (isBlocking(check, s.steadyUs)) {
            blocking.push_back(toJson(check));
        }
    }
    return {{"deployment", s.session.deployment},
            {"epoch", s.session.epoch},
            {"phase", phaseName(s.phase)},
            {"phase_reason", s.phaseReason},
            {"busy_with", s.busyWith},
            {"writes_to", s.traffic.writesTo},
            {"fences", {{"blue", s.blueFence}, {"green", s.greenFence}}},
            {"blue", all["blue"]},
            {"green", all["green"]},
            {"inventory", all["inventory"]},
            {"sampling", {{"cpu_percent", orNull(metricOf(s, "sampler_cpu_percent"))}, {"ms", orNull(metricOf(s, "sampler_ms"))}}},
            {"replication", all["replication"]},
            {"copies", all["copies"]},
            {"traffic", all["traffic"]},
            {"metrics", all["metrics"]},
            {"checks", s.checks.size()},
            {"blocking", blocking},
            {"alarms", all["alarms"]},
            {"switches", all["switches"]},
            {"steps", all["steps"]},
            {"outlook", outlookReport(s)}};
}

} // namespace tealdeck
