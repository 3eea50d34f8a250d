// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/deployment_commands.h"

#include "app/ctl/check_list.h"
#include "app/ctl/engine_session.h"
#include "app/ctl/plan_commands.h"
#include "app/ctl/report_lines.h"
#include "app/ctl/terminal.h"
#include "core/util/files.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <poll.h>

namespace tealdeck {
namespace {

struct Arguments {
    std::string plan;
    std::string until = "observe";
    std::string reason;
    std::string typed;
    std::string act;  ///< of a ramp without a percentage
    std::string item; ///< a check's or a manual item's name
    bool list = false;
    double percent = -1;
    bool json = false;
    bool takeover = false;
    bool watch = false;
    bool dryRun = false;
    bool observe = false; ///< whoever only looks must not take the wheel from a run on another terminal
    std::vector<std::string> hold;
};

int complain(const Error& error, const Arguments& a, int code) {
    if (a.json) {
        fmt::print("{}\n", dumpJson({{"ok", false}, {"error", error.text()}, {"exit", code}}));
    } else {
        fmt::print(stderr, "tealctl: {}\n", error.text());
    }
    return code;
}

int codeFor(const Error& error) {
    return error.kind == Error::Kind::Invalid ? USAGE : error.kind == Error::Kind::Refused ? BLOCKED : FAILED;
}

/// Opens the session and runs the work with it; prints the end.
int withSession(const Arguments& a, const std::function<Status(EngineSession&, const Plan&)>& work) {
    const Result<Plan> plan = readPlan(a.plan);
    if (!plan) {
        return complain(plan.error(), a, USAGE);
    }
    EngineSession::Options options{*plan, a.takeover, {}, a.observe};
    if (!a.json) {
        options.onEvent = [](const Event& event) { printProgress(event); };
    }
    auto session = EngineSession::open(options);
    if (!session) {
        return complain(session.error(), a, codeFor(session.error()));
    }
    const Status status = work(**session, *plan);
    const Snapshot s = (*session)->snapshot();
    int code = DONE;
    if (!status) {
        const bool back = s.phase != Phase::Cutover && status.error().kind == Error::Kind::Conflict;
        code = status.error().kind == Error::Kind::Refused   ? BLOCKED
               : status.error().kind == Error::Kind::Invalid ? USAGE
               : s.phase == Phase::Cutover                   ? NEEDS_PERSON
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

/// Feeds are sampled every second; the worker of a server that was away starts again within 5 s (wal_retrieve_retry_interval), and the
/// slot may stay taken for a while longer: a program waits for what a person would wait for.
constexpr Millis FEED_WAIT{30000};
constexpr Millis CHECK_WAIT{10000};

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

Status runRamp(EngineSession& session, const Plan& plan) {
    for (const int percent : plan.ramp.steps) {
        if (session.snapshot().traffic.readsGreenTarget >= percent) {
            continue;
        }
        // Right after the copy the first heartbeat is still on its way; the engine refuses while the lag is unknown.
        session.waitFor(
            [&](const Snapshot& s) {
                const auto lag = s.metrics.find("lag_seconds.forward");
                return whyNot(s, CommandKind::Ramp, s.steadyUs).empty() && lag != s.metrics.end() && lag->second.value &&
                       *lag->second.value <= plan.ramp.maxLagSeconds;
            },
            FEED_WAIT);
        if (const Status moved = session.run(CommandKind::Ramp, {{"percent", percent}}); !moved) {
            return moved;
        }
        // The hold ends early only when the engine is lost.
        if (session.waitFor([](const Snapshot&) { return false; }, plan.ramp.hold); session.snapshot().seq == 0) {
            return Error{Error::Kind::Unavailable, "The engine was lost.", {}, {}};
        }
    }
    return {};
}

/// How far along the road a phase is.
int milestone(Phase phase) {
    switch (phase) {
    case Phase::Preflight:
        return 1;
    case Phase::Replicate:
        return 2;
    case Phase::Validate:
        return 3;
    case Phase::Ramp:
    case Phase::RolledBack:
        return 4;
    case Phase::Cutover:
        return 5;
    case Phase::Observe:
        return 6;
    case Phase::Finalized:
        return 7;
    case Phase::Plan:
    case Phase::Aborted:
        break;
    }
    return 0;
}

Status runUntil(EngineSession& session, const Plan& plan, const Arguments& a) {
    const auto wanted = phaseFromName(a.until == "replicate" ? "validate" : a.until == "cutover" ? "observe" : a.until);
    if (!wanted || milestone(*wanted) == 0) {
        return Error{Error::Kind::Invalid,
                     fmt::format("--until: \"{}\" is no phase.", a.until),
                     "Use preflight, replicate, validate, ramp, cutover, observe or finalized.",
                     {}};
    }
    for (;;) {
        const Phase phase = session.snapshot().phase;
        const bool rampedEnough =
            *wanted != Phase::Ramp || plan.haproxies.empty() || session.snapshot().traffic.readsGreenTarget >= plan.ramp.steps.back();
        if (milestone(phase) >= milestone(*wanted) && rampedEnough) {
            return {};
        }
        Status done;
        switch (phase) {
        case Phase::Plan:
        case Phase::Aborted:
            done = runCheck(session, plan, !a.json);
            break;
        case Phase::Preflight:
        case Phase::Replicate:
            done = phase == Phase::Replicate ? Status() : runCheck(session, plan, !a.json);
            if (done.ok()) {
                done = session.run(CommandKind::Replicate, {{"hold", holdSteps(a.hold)}});
            }
            break;
        case Phase::Validate:
        case Phase::Ramp:
        case Phase::RolledBack:
            if (!plan.haproxies.empty() && session.snapshot().traffic.readsGreenTarget < plan.ramp.steps.back()) {
                done = runRamp(session, plan);
            } else if (*wanted == Phase::Ramp) {
                return {};
            } else {
                done = session.run(CommandKind::Check);
                done = done.ok() ? checkBlockers(session, CommandKind::Cutover) : done;
                done = done.ok() ? session.run(CommandKind::Cutover, {{"hold", holdSteps(a.hold)}}) : done;
            }
            break;
        case Phase::Observe:
            done = session.run(CommandKind::Finalize, {{"typed", a.typed}, {"reason", a.reason}});
            break;
        case Phase::Cutover:
        case Phase::Finalized:
            return Error{Error::Kind::Conflict, "A switch is under way.", "Wait for it to end.", {}};
        }
        if (!done) {
            return done;
        }
    }
}

int status(const Arguments& a) {
    if (!a.watch) {
        return withSession(a, [](EngineSession& session, const Plan&) {
            session.waitFor(
                [](const Snapshot& s) { return !s.blue.empty() && !s.green.empty() && !s.metrics.empty() && s.traffic.sampledUs > 0; },
                Millis(5000));
            return Status();
        });
    }
    return withSession(a, [](EngineSession& session, const Plan&) -> Status {
        while (session.waitFor([](const Snapshot&) { return false; }, Millis(0)) || session.snapshot().seq > 0) {
            printSummary(session.snapshot());
            ::poll(nullptr, 0, 1000);
        }
        return {};
    });
}

int stop(const Arguments& a) {
    const Result<Plan> plan = readPlan(a.plan);
    if (!plan) {
        return complain(plan.error(), a, USAGE);
    }
    const Result<bool> ran = stopEngine(*plan);
    if (!ran) {
        return complain(ran.error(), a, FAILED);
    }
    if (!*ran) {
        fmt::print("No engine runs for {}.\n", plan->deployment);
    }
    return DONE;
}

CLI::App* add(CLI::App& app, const char* name, const char* text, const std::shared_ptr<Arguments>& a) {
    CLI::App* command = app.add_subcommand(name, text);
    command->add_option("plan", a->plan, "The plan (TOML)")->required();
    command->add_flag("--json", a->json, "Print one JSON object at the end");
    command->add_flag("--takeover", a->takeover, "End another engine that drives this deployment");
    return command;
}

void addChecklistCommands(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& a) {
    CLI::App* check = add(app, "check", "Ask every server and router the questions of the checklist; changes nothing", a);
    check->get_option("plan")->required(false);
    check->add_flag("--list", a->list, "Only show every question that there is; needs no plan and no server");
    check->callback([a, &exitCode] {
        if (a->list) {
            exitCode = printCatalogue(a->json);
        } else if (a->plan.empty()) {
            exitCode = complain({Error::Kind::Invalid, "There is no plan to check.", "Give the path of a plan, or --list.", {}}, *a, USAGE);
        } else {
            exitCode = withSession(*a, [a](EngineSession& session, const Plan& plan) { return runCheck(session, plan, !a->json); });
        }
    });
    CLI::App* sign = add(app, "sign-off", "Confirm an item of the operator's checklist under your name", a);
    sign->add_option("--item", a->item, "The item, such as MAN/stakeholders")->required();
    sign->add_option("--reason", a->reason, "What was done");
    sign->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.run(CommandKind::SignOff, {{"item", a->item}, {"reason", a->reason}});
        });
    });
    CLI::App* take = add(app, "override", "Take the responsibility for a check that fails", a);
    take->add_option("--check", a->item, "The line of the checklist, such as PAR03")->required();
    take->add_option("--typed", a->typed, "The deployment's name, as a confirmation")->required();
    take->add_option("--reason", a->reason, "Why")->required();
    take->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.run(CommandKind::Override, {{"check", a->item}, {"typed", a->typed}, {"reason", a->reason}});
        });
    });
}

} // namespace

void addDeploymentCommands(CLI::App& app, int& exitCode) {
    const auto a = std::make_shared<Arguments>();
    addChecklistCommands(app, exitCode, a);
    CLI::App* run = add(app, "run", "Run the upgrade up to a phase", a);
    run->add_option("--until", a->until, "Where to stop")
        ->check(CLI::IsMember({"preflight", "replicate", "validate", "ramp", "cutover", "observe", "finalized"}));
    run->add_option("--typed", a->typed, "The deployment's name, when the run is to finalize");
    run->add_option("--reason", a->reason, "Why, when the run is to finalize");
    run->add_option("--hold", a->hold, "Wait for \"tealctl continue\" before this step or command; may be given several times")
        ->allow_extra_args(false)
        ->check(whyNoHold, "");
    run->add_flag("--dry-run", a->dryRun, "Only tell what would be done; touches no server, router or engine");
    run->callback([a, &exitCode] {
        exitCode = a->dryRun ? tellDryRun(a->plan, a->until, a->json)
                             : withSession(*a, [a](EngineSession& session, const Plan& plan) { return runUntil(session, plan, *a); });
    });
    CLI::App* ramp = add(app, "ramp", "Send a share of the reads to GREEN", a);
    CLI::Option_group* act = ramp->add_option_group("act", "One of these");
    act->add_option("--percent", a->percent, "0 to 100")->check(CLI::Range(0.0, 100.0));
    act->add_flag_callback(
        "--hold", [a] { a->act = "hold"; }, "The share does not rise until --resume");
    act->add_flag_callback(
        "--resume", [a] { a->act = "resume"; }, "It may rise again");
    act->add_flag_callback(
        "--back", [a] { a->act = "back"; }, "To the plan's step before, and hold it there");
    act->require_option(1);
    ramp->add_option("--reason", a->reason, "Why");
    ramp->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.run(CommandKind::Ramp,
                               a->act.empty() ? Json{{"percent", a->percent}} : Json{{"act", a->act}, {"reason", a->reason}});
        });
    });
    CLI::App* show = add(app, "status", "Where the deployment stands, as the servers say", a);
    show->add_flag("--watch", a->watch, "Again every second");
    show->callback([a, &exitCode] {
        a->observe = true;
        exitCode = status(*a);
    });
    add(app, "abort", "Before the cutover: remove everything; after it: roll back", a)->callback([a, &exitCode] {
        exitCode = withSession(*a, [](EngineSession& session, const Plan&) { return session.run(CommandKind::Abort); });
    });
    add(app, "rollback", "Move the writes back to BLUE, losing nothing", a)->callback([a, &exitCode] {
        exitCode = withSession(*a, [](EngineSession& session, const Plan&) -> Status {
            if (session.snapshot().phase == Phase::RolledBack) {
                return {}; // also when the engine has just finished what another life of it began
            }
            Status done = session.run(CommandKind::Check);
            done = done.ok() ? checkBlockers(session, CommandKind::Rollback) : done;
            return done.ok() ? session.run(CommandKind::Rollback) : done;
        });
    });
    CLI::App* finalize = add(app, "finalize", "Close the rollback window: GREEN is production for good", a);
    finalize->add_option("--typed", a->typed, "The deployment's name, as a confirmation")->required();
    finalize->add_option("--reason", a->reason, "Why")->required();
    finalize->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.snapshot().phase == Phase::Finalized
                       ? Status()
                       : session.run(CommandKind::Finalize, {{"typed", a->typed}, {"reason", a->reason}});
        });
    });
    add(app, "stop", "Stop the engine of a plan; the deployment stays as it is", a)->callback([a, &exitCode] { exitCode = stop(*a); });
    CLI::App* plan = app.add_subcommand("plan", "Work with plan files")->require_subcommand(1);
    CLI::App* validate = plan->add_subcommand("validate", "Say whether a plan is well-formed");
    validate->add_option("plan", a->plan, "The plan (TOML)")->required();
    validate->callback([a, &exitCode] {
        const Result<Plan> read = readPlan(a->plan);
        exitCode = read.ok() ? DONE : complain(read.error(), *a, USAGE);
        if (read.ok()) {
            fmt::print("{}: fine; deployment {}, {} databases\n", a->plan, read->deployment, read->databases.size());
        }
    });
}

} // namespace tealdeck
