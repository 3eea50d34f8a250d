// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/report_lines.h"

#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>

namespace tealdeck {
namespace {

std::string plain(const std::string& text) {
    return plainText(text, 400);
}

std::string number(const std::optional<double>& value, const char* unit) {
    return value ? fmt::format("{:.4g} {}", *value, unit) : std::string("unknown");
}

void printNodes(const char* side, const std::vector<Node>& nodes) {
    for (const Node& n : nodes) {
        fmt::print("  {} {:<10} {:<8} {:<6} PostgreSQL {:<8} {}:{} {} {}\n", side, plain(n.name), n.role, plain(n.zone), plain(n.version),
                   plain(n.host), n.port, n.state, plain(n.detail));
    }
}

} // namespace

void printProgress(const Event& event) {
    const Json& b = event.body;
    switch (event.kind) {
    case EventKind::Phase:
        fmt::print("── {}: {}\n", member<std::string>(b, "phase", ""), plain(member<std::string>(b, "reason", "")));
        break;
    case EventKind::Outcome:
        if (!member<bool>(b, "command", false)) {
            fmt::print("  {} {} {}{}\n", member<bool>(b, "ok", false) ? "✓" : "✗", member<std::string>(b, "step", ""),
                       plain(member<std::string>(b, "detail", "")),
                       b.contains("ms") ? fmt::format(" ({:.0f} ms)", member<double>(b, "ms", 0)) : "");
        }
        break;
    case EventKind::Note:
        fmt::print("  · {}\n", plain(member<std::string>(b, "text", "")));
        break;
    case EventKind::Switch:
        fmt::print("  {} {}: write pause {:.1f} ms\n", member<bool>(b, "ok", false) ? "✓" : "✗", member<std::string>(b, "direction", ""),
                   member<double>(b, "pause_ms", 0));
        break;
    default:
        break;
    }
    std::fflush(stdout);
}

void printSummary(const Snapshot& s) {
    fmt::print("{}: {} — {}\n", plain(s.session.deployment), phaseName(s.phase), plain(s.phaseReason));
    fmt::print("  writes go to {}; fences: BLUE {}, GREEN {}; reads on GREEN {}\n", s.traffic.writesTo, s.blueFence, s.greenFence,
               number(s.traffic.readsGreenPercent, "%"));
    printNodes("B", s.blue);
    printNodes("G", s.green);
    for (const ReplicationState& r : s.replication) {
        if (r.state != "none" && r.state != "retired") {
            fmt::print("  {} feed of {}: {}, {} of {} tables, lag {}, {} {}\n", r.direction, plain(r.database), r.state, r.tablesReady,
                       r.tablesTotal, number(r.lagBytes, "bytes"), number(r.lagSeconds, "s"), plain(r.error));
        }
    }
    int failed = 0;
    int unknown = 0;
    for (const CheckState& check : s.checks) {
        failed += isBlocking(check, s.steadyUs) && check.result == CheckResult::Fail ? 1 : 0;
        unknown += isBlocking(check, s.steadyUs) && check.result != CheckResult::Fail ? 1 : 0;
    }
    fmt::print("  checklist: {} items, {} blocking failures, {} unknown or stale\n", s.checks.size(), failed, unknown);
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
            {"replication", all["replication"]},
            {"traffic", all["traffic"]},
            {"checks", s.checks.size()},
            {"blocking", blocking},
            {"switches", all["switches"]},
            {"steps", all["steps"]}};
}

} // namespace tealdeck
