// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/deployment_commands.h"

#include "app/ctl/check_list.h"
#include "app/ctl/report_lines.h"
#include "app/ctl/run_command.h"
#include "app/ctl/terminal.h"
#include "core/util/files.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <poll.h>

namespace tealdeck {
namespace {

int status(const Arguments& a) {
    if (!a.watch) {
        return withSession(a, [](EngineSession& session, const Plan& plan) {
            session.waitFor(
                [&plan](const Snapshot& s) {
                    const std::size_t servers = 2 + plan.blue.replicas.size() + plan.green.replicas.size();
                    return !s.blue.empty() && !s.green.empty() && !s.metrics.empty() && s.traffic.sampledUs > 0 &&
                           s.inventory.size() >= servers;
                },
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

void addChecklistCommands(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& a) {
    CLI::App* check = addPlanCommand(app, "check", "Ask every server and router the questions of the checklist; changes nothing", a);
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
    CLI::App* sign = addPlanCommand(app, "sign-off", "Confirm an item of the operator's checklist under your name", a);
    sign->add_option("--item", a->item, "The item, such as MAN/stakeholders")->required();
    sign->add_option("--reason", a->reason, "What was done");
    sign->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.run(CommandKind::SignOff, {{"item", a->item}, {"reason", a->reason}});
        });
    });
    CLI::App* take = addPlanCommand(app, "override", "Take the responsibility for a check that fails", a);
    take->add_option("--check", a->item, "The line of the checklist, such as PAR03")->required();
    take->add_option("--typed", a->typed, "The deployment's name, as a confirmation")->required();
    take->add_option("--reason", a->reason, "Why")->required();
    take->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.run(CommandKind::Override, {{"check", a->item}, {"typed", a->typed}, {"reason", a->reason}});
        });
    });
}

/// A position in the WAL as servers write it: 0/3A52F18.
std::string isPosition(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto isHalf = [](const std::string& half) {
        return !half.empty() && half.size() <= 8 && half.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    };
    const bool fits = slash != std::string::npos && isHalf(text.substr(0, slash)) && isHalf(text.substr(slash + 1));
    return fits ? "" : "a position looks like 0/3A52F18";
}

/// What mends a feed that stands still.
void addFeedCommands(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& a) {
    CLI::App* skip = addPlanCommand(app, "skip", "Leave out a transaction that a feed cannot apply; its changes are then missing there", a);
    skip->add_option("--database", a->database, "Its database; may be left out when the plan has one");
    skip->add_option("--lsn", a->lsn, "Where it ends, as \"tealctl status\" names it")->required()->check(isPosition);
    skip->add_option("--typed", a->typed, "The deployment's name, as a confirmation")->required();
    skip->add_option("--reason", a->reason, "Why")->required();
    skip->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan& plan) {
            const std::string database = a->database.empty() && plan.databases.size() == 1 ? plan.databases.front() : a->database;
            return session.run(CommandKind::Skip, {{"database", database}, {"lsn", a->lsn}, {"typed", a->typed}, {"reason", a->reason}});
        });
    });
}

/// What ends a deployment or takes it back.
void addEndCommands(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& a) {
    const auto why = [a] { return a->reason.empty() ? Json::object() : Json{{"reason", a->reason}}; };
    CLI::App* abort = addPlanCommand(app, "abort", "Before the cutover: remove everything; after it: roll back", a);
    abort->add_option("--reason", a->reason, "Why, for the record");
    abort->callback([a, why, &exitCode] {
        exitCode = withSession(*a, [why](EngineSession& session, const Plan&) { return session.run(CommandKind::Abort, why()); });
    });
    CLI::App* back = addPlanCommand(app, "rollback", "Move the writes back to BLUE, losing nothing", a);
    back->add_option("--reason", a->reason, "Why, for the record");
    back->callback([a, why, &exitCode] {
        exitCode = withSession(*a, [why](EngineSession& session, const Plan&) -> Status {
            if (session.snapshot().phase == Phase::RolledBack) {
                return {}; // also when the engine has just finished what another life of it began
            }
            Status done = session.run(CommandKind::Check);
            done = done.ok() ? checkBlockers(session, CommandKind::Rollback) : done;
            return done.ok() ? session.run(CommandKind::Rollback, why()) : done;
        });
    });
    CLI::App* finalize = addPlanCommand(app, "finalize", "Close the rollback window: GREEN is production for good", a);
    finalize->add_option("--typed", a->typed, "The deployment's name, as a confirmation")->required();
    finalize->add_option("--reason", a->reason, "Why")->required();
    finalize->callback([a, &exitCode] {
        exitCode = withSession(*a, [a](EngineSession& session, const Plan&) {
            return session.snapshot().phase == Phase::Finalized
                       ? Status()
                       : session.run(CommandKind::Finalize, {{"typed", a->typed}, {"reason", a->reason}});
        });
    });
}

void addPlanFileCommands(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& a) {
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

} // namespace

void addDeploymentCommands(CLI::App& app, int& exitCode) {
    const auto a = std::make_shared<Arguments>();
    addChecklistCommands(app, exitCode, a);
    addFeedCommands(app, exitCode, a);
    addRunCommand(app, exitCode, a);
    CLI::App* ramp = addPlanCommand(app, "ramp", "Send a share of the reads to GREEN", a);
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
    CLI::App* show = addPlanCommand(app, "status", "Where the deployment stands, as the servers say", a);
    show->add_flag("--watch", a->watch, "Again every second");
    show->callback([a, &exitCode] {
        a->observe = true;
        exitCode = status(*a);
    });
    addEndCommands(app, exitCode, a);
    addPlanCommand(app, "stop", "Stop the engine of a plan; the deployment stays as it is", a)->callback([a, &exitCode] {
        exitCode = stop(*a);
    });
    addPlanFileCommands(app, exitCode, a);
}

} // namespace tealdeck
