// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/hook_points.h"

#include "core/plan/routers_reader.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr double MANY_MIB = 1e9;

bool beginsWith(const std::string& text, std::string_view start) {
    return text.compare(0, start.size(), start) == 0;
}

bool isOneOf(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

} // namespace

const std::vector<std::string>& hookPoints() {
    static const std::vector<std::string> points = [] {
        std::vector<std::string> all = {"replicate", "ramp", "cutover", "rollback", "finalize", "abort"};
        for (const char* step : {"control", "identity", "roles", "databases", "rehearsal", "schema", "close", "subscribe", "copy",
                                 "indexes", "compare-schema", "statistics", "catch-up"}) {
            all.push_back(std::string("replicate.") + step);
        }
        for (const char* command : {"cutover.", "rollback."}) {
            for (const char* step : {"sessions", "reads", "sequences", "return-path", "witness", "poolers", "guardian", "gate", "switch",
                                     "confirm", "old-feed", "evidence", "return-feed", "return-proof"}) {
                all.push_back(std::string(command) + step);
            }
        }
        for (const char* step : {"reads", "poolers", "sessions", "forward", "reverse", "green", "blue"}) {
            all.push_back(std::string("abort.") + step);
        }
        for (const char* step : {"sessions", "reverse", "forward", "green", "blue"}) {
            all.push_back(std::string("finalize.") + step);
        }
        return all;
    }();
    return points;
}

const std::vector<std::string>& hookPhases() {
    static const std::vector<std::string> phases = {"preflight", "validate", "observe", "rolled-back", "finalized", "aborted"};
    return phases;
}

bool isUnstoppable(const std::string& point) {
    if (beginsWith(point, "abort") || beginsWith(point, "finalize.")) {
        return true;
    }
    return beginsWith(point, "cutover.") || beginsWith(point, "rollback.")
               ? point.find(".confirm") != std::string::npos || point.find("-feed") != std::string::npos ||
                     point.find(".evidence") != std::string::npos || point.find(".return-proof") != std::string::npos
               : false;
}

bool canHoldBefore(const std::string& step) {
    return isOneOf(hookPoints(), step) && step.find('.') != std::string::npos && !isUnstoppable(step) && !step.ends_with(".switch");
}

AlarmPlan readAlarms(PlanTable& root) {
    PlanTable table = root.table("alarms", false);
    AlarmPlan a;
    a.lagSeconds = table.number("lag_seconds", 0.1, 86400, a.lagSeconds);
    a.retainedMib = table.number("retained_mib", 1, MANY_MIB, a.retainedMib);
    a.walMib = table.number("wal_mib", 1, MANY_MIB, a.walMib);
    a.transactionSeconds = table.number("transaction_seconds", 1, 86400 * 30, a.transactionSeconds);
    a.xidAgeMillions = table.number("xid_age_millions", 1, 2146, a.xidAgeMillions);
    a.recordingFreeMib = table.number("recording_free_mib", 1, MANY_MIB, a.recordingFreeMib);
    table.refuseOtherKeys();
    return a;
}

std::vector<HookPlan> readHooks(PlanTable& root) {
    std::vector<HookPlan> hooks;
    for (PlanTable& table : root.tables("hook")) {
        HookPlan h;
        h.name = table.text("name", TextRule::Word);
        const std::string before = table.text("before", TextRule::Free, "");
        const std::string after = table.text("after", TextRule::Free, "");
        h.before = !before.empty();
        h.point = h.before ? before : after;
        const char* key = h.before ? "before" : "after";
        h.program = table.text("program", TextRule::HookProgram);
        h.arguments = table.textsInOrder("arguments", TextRule::Free);
        h.environment = table.texts("environment", TextRule::Free, false);
        h.limit = Millis(table.whole("limit_ms", 1, 3'600'000, h.limit.count()));
        table.refuseOtherKeys();
        if (before.empty() == after.empty()) {
            table.problem(key, "must stand alone: a hook has either before or after", "Give one of them: a command or a step.");
        } else if (isOneOf(hookPhases(), h.point)) {
            if (h.before) {
                table.problem(key, fmt::format("names \"{}\", a phase that is reached and not begun", shownText(h.point)),
                              "Use after, or the command that leads there.");
            }
        } else if (!isOneOf(hookPoints(), h.point)) {
            table.problem(key, fmt::format("names \"{}\", which is no command, step or phase", shownText(h.point)),
                          "\"tealctl run PLAN --dry-run\" shows their names.");
        } else if (h.before && isUnstoppable(h.point)) {
            table.problem(key, fmt::format("would let a hook stand in the way of \"{}\", which nothing may stop", shownText(h.point)),
                          "Use after.");
        }
        refuseOtherThanVariables(table, "environment", h.environment);
        const auto same = [&](const HookPlan& other) { return other.name == h.name; };
        if (std::any_of(hooks.begin(), hooks.end(), same)) {
            table.problem("name", fmt::format("\"{}\" names two hooks", shownText(h.name)), "Give each hook its own name.");
        }
        hooks.push_back(std::move(h));
    }
    return hooks;
}

} // namespace tealdeck
