// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/deployment_session.h"

#include "app/ctl/check_list.h"
#include "app/ctl/report_lines.h"
#include "app/ctl/terminal.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

int codeFor(const Error& error) {
    return error.kind == Error::Kind::Invalid ? USAGE : error.kind == Error::Kind::Refused ? BLOCKED : FAILED;
}

/// Feeds are sampled every second; the worker of a server that was away starts again within 5 s (wal_retrieve_retry_interval), and the
/// slot may stay taken for a while longer: a program waits for what a person would wait for.
constexpr Millis FEED_WAIT{30000};
constexpr Millis CHECK_WAIT{10000};

} // namespace

int complain(const Error& error, const Arguments& a, int code) {
    if (a.json) {
        fmt::print("{}\n", dumpJson({{"ok", false}, {"error", error.text()}, {"exit", code}}));
    } else {
        fmt::print(stderr, "tealctl: {}\n", error.text());
    }
    return code;
}

int withSession(const Arguments& a, const std::function<WorkEnd(EngineSession&, const Plan&)>& work) {
    const Result<Plan> plan = readPlan(a.plan);
    if (!plan) {
        return complain(plan.error(), a, USAGE);
    }
    std::error_code none;
    EngineSession::Options options{
        *plan, a.takeover, {}, a.observe, a.recording.empty() ? std::filesystem::path() : std::filesystem::absolute(a.recording, none)};
    if (!a.json) {
        options.onEvent = [](const Event& event) { printProgress(event); };
    }
    auto session = EngineSession::open(options);
    if (!session) {
        return complain(session.error(), a, codeFor(session.error()));
    }
    const std::size_t switchesBefore = (*session)->snapshot().switches.size();
    const WorkEnd end = work(**session, *plan);
    const Status& status = end.status;
    const Snapshot s = (*session)->snapshot();
    int code = DONE;
    if (!status) {
        // Writes that have moved are not back where they were, whatever fell afterwards.
        const bool moved = s.switches.size() > switchesBefore && s.switches.back().ok;
        // A copy that fell has not returned to anything: it waits to be gone on with.
        const bool back = s.phase != Phase::Cutover && s.phase != Phase::Replicate && status.error().kind == Error::Kind::Conflict;
        code = end.exitCode >= 0                             ? end.exitCode
               : status.error().kind == Error::Kind::Refused ? BLOCKED
               : status.error().kind == Error::Kind::Invalid ? USAGE
               : s.phase == Phase::Cutover || moved          ? NEEDS_PERSON
               : back                                        ? ABORTED
                                                             : FAILED;
    }
    if (a.json) {
        Json report = statusReport(s);
        report["cost"] = costJson(s, *plan);
        report["ok"] = status.ok();
        report["exit"] = code;
        report["error"] = status.ok() ? "" : status.error().text();
        fmt::print("{}\n", dumpJson(report));
    } else if (!status) {
        fmt::print(stderr, "tealctl: {}\n", status.error().text());
    } else {
        printSummary(s);
    }
    return code;
}

Status checkBlockers(EngineSession& session, CommandKind next) {
    const auto open = [&](const Snapshot& s) { return whyNot(s, next, s.steadyUs).empty(); };
    const auto checkBlocks = [&](const Snapshot& s) {
        return std::any_of(s.checks.begin(), s.checks.end(), [&](const CheckState& check) { return isBlocking(check, s.steadyUs); });
    };
    // What a check found seldom mends itself.
    session.waitFor([&](const Snapshot& s) { return open(s) || (next != CommandKind::Ramp && checkBlocks(s)); }, FEED_WAIT);
    session.waitFor(open, session.snapshot().seq > 0 && checkBlocks(session.snapshot()) ? CHECK_WAIT : Millis(0));
    const Snapshot s = session.snapshot();
    const std::vector<std::string> reasons = whyNot(s, next, s.steadyUs);
    if (reasons.empty()) {
        return {};
    }
    std::string text;
    for (const std::string& reason : reasons) {
        text += "\n  - " + reason;
    }
    return Error{Error::Kind::Refused, fmt::format("\"{}\" is blocked:{}", commandName(next), text), {}, {}};
}

Status runCheck(EngineSession& session, const Plan& plan, bool print) {
    if (const Status checked = session.run(CommandKind::Check); !checked) {
        return checked;
    }
    const Snapshot s = session.snapshot();
    if (print) {
        printChecklist(s, plan);
    }
    for (const CheckState& check : s.checks) {
        if (isBlocking(check, s.steadyUs)) {
            return Error{Error::Kind::Refused, "The checklist has blockers.", "See the lines marked above.", {}};
        }
    }
    return {};
}

CLI::App* addPlanCommand(CLI::App& app, const char* name, const char* text, const std::shared_ptr<Arguments>& a) {
    CLI::App* command = app.add_subcommand(name, text);
    command->add_option("plan", a->plan, "The plan (TOML)")->required();
    command->add_flag("--json", a->json, "Print one JSON object at the end");
    command->add_flag("--takeover", a->takeover, "End another engine that drives this deployment");
    return command;
}

} // namespace tealdeck
