// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/plan_commands.h"

#include "app/ctl/probe_command.h"
#include "app/ctl/terminal.h"
#include "core/engine/dry_run.h"
#include "core/model/phase.h"
#include "core/recipe/dry_runner.h"
#include "core/traffic/write_router.h"
#include "core/util/json.h"

#include <fmt/format.h>
#include <memory>

namespace tealdeck {
namespace {

struct PlanArguments {
    std::string plan;
    bool dot = false;
    bool mermaid = false;
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    }
    return text;
}

std::string endpoint(const Endpoint& e) {
    return fmt::format("{}:{} as {}, TLS {}{}", e.host, e.port, e.user, e.sslmode, e.zone.empty() ? "" : ", zone " + e.zone) +
           (e.patroni.empty() ? "" : ", Patroni at " + e.patroni);
}

void explainSide(const char* name, const char* role, const Environment& side) {
    fmt::print("{} is {}: its primary is {}.\n", name, role, endpoint(side.primary));
    for (const Endpoint& replica : side.replicas) {
        fmt::print("  Its replica {} is {}.\n", replica.name, endpoint(replica));
    }
}

void explainRouters(const Plan& plan) {
    for (const PgBouncerPlan& p : plan.pgbouncers) {
        fmt::print("Writes of {} go through the pooler {} at {}:{}; its file {} is rewritten for the switch and given back by an abort.\n",
                   joined(p.databases), p.name, p.host, p.port, p.databasesFile);
    }
    for (const auto& router : makeWriteRouters(plan)) {
        fmt::print("Writes find the primary by {} ({}); it is moved when the new primary has opened, and given back by an abort.\n",
                   router->what(), router->name());
    }
    for (const DnsPlan& dns : plan.routers.dns) {
        fmt::print("  {} may be remembered by clients for {} s.\n", dns.record, dns.ttlSeconds);
    }
    if (plan.pgbouncers.empty()) {
        fmt::print("No pooler is named: clients are cut off at the switch and must {}.\n",
                   plan.routers.empty() ? "find GREEN by themselves" : "connect again");
    }
    for (const HaproxyPlan& h : plan.haproxies) {
        fmt::print("Reads go through the balancer {} ({}), backend {}: {} belong to BLUE, {} to GREEN.\n", h.name, h.socket, h.backend,
                   joined(h.blueServers), joined(h.greenServers));
    }
    if (plan.haproxies.empty()) {
        fmt::print("No balancer is named: there is no ramp of the reads.\n");
        return;
    }
    std::vector<std::string> steps;
    for (const int percent : plan.ramp.steps) {
        steps.push_back(fmt::format("{} %", percent));
    }
    fmt::print("Reads move in steps of {}, each held for {}; none is taken while GREEN is more than {:g} s behind.\n", joined(steps),
               spanText(plan.ramp.hold), plan.ramp.maxLagSeconds);
}

void explainPromises(const Plan& plan) {
    fmt::print(
        "The writes may pause for {} at most, or they go back: {} for running transactions, {} to end the rest, {} for GREEN to prove "
        "that it has everything.\n",
        spanText(plan.cutover.budget), spanText(plan.cutover.drain), spanText(plan.cutover.kill), spanText(plan.cutover.receive));
    fmt::print("Sequences skip {} values, so that none is given out twice.\n", plan.cutover.sequenceGap);
    fmt::print("After the switch the way back is meant to stay open for {:g} hours; nothing closes it but finalize.\n",
               plan.rollbackWindowHours);
    const AlarmPlan& a = plan.alarms;
    fmt::print(
        "Alarms: a lag above {:g} s, a slot that keeps back more than {:g} MiB, pg_wal above {:g} MiB, a transaction older than {:g} s, "
        "transaction identifiers older than {:g} million, less than {:g} MiB free for the recording.\n",
        a.lagSeconds, a.retainedMib, a.walMib, a.transactionSeconds, a.xidAgeMillions, a.recordingFreeMib);
    for (const HookPlan& hook : plan.hooks) {
        fmt::print("The hook {} runs {} {} {}, for {} at most{}.\n", hook.name, hook.program, hook.before ? "before" : "after", hook.point,
                   spanText(hook.limit), hook.before ? "; any answer but 0 stops it" : "");
    }
}

int explain(const PlanArguments& a) {
    const Result<Plan> read = readPlan(a.plan);
    if (!read) {
        fmt::print(stderr, "tealctl: {}\n", read.error().text());
        return USAGE;
    }
    const Plan& plan = *read;
    fmt::print("{} moves the {} {} from BLUE to GREEN.\n", plan.deployment, plan.databases.size() == 1 ? "database" : "databases",
               joined(plan.databases));
    explainSide("BLUE", "today's production", plan.blue);
    explainSide("GREEN", "the new cluster, to be filled", plan.green);
    fmt::print("The servers reach each other as {}, TLS {}; tables without a key {}.\n", plan.replication.user, plan.replication.sslmode,
               plan.replication.identityFull ? "get REPLICA IDENTITY FULL until the end" : "are left as they are and block the copy");
    if (!plan.readRoles.empty()) {
        fmt::print("{} may read on both sides at all times.\n", joined(plan.readRoles));
    }
    explainRouters(plan);
    explainPromises(plan);
    fmt::print("Socket, recording and logs of the engine are in {}.\n", plan.engineFolder.string());
    fmt::print("What will be done, step by step: tealctl run {} --until observe --dry-run\n", a.plan);
    return DONE;
}

Json outline(const PlannedCommand& command) {
    Json steps = Json::array();
    for (const Step& step : command.steps) {
        steps.push_back({{"id", step.id},
                         {"title", step.title},
                         {"waits_for", step.waitsFor},
                         {"limit_ms", step.limit.count()},
                         {"on_timeout", step.onTimeout}});
    }
    return {{"command", commandName(command.command)}, {"title", command.title}, {"steps", steps}};
}

} // namespace

int tellDryRun(const std::string& planFile, const std::string& until, bool json) {
    const Result<Plan> plan = readPlan(planFile);
    if (!plan) {
        fmt::print(stderr, "tealctl: {}\n", plan.error().text());
        return USAGE;
    }
    const Phase phase = phaseFromName(until == "replicate" ? "validate" : until == "cutover" ? "observe" : until).value_or(Phase::Observe);
    DryRun dry(*plan);
    if (json) {
        Json commands = Json::array();
        for (const PlannedCommand& command : dry.until(phase)) {
            commands.push_back(outline(command));
        }
        fmt::print("{}\n", dumpJson({{"deployment", plan->deployment}, {"commands", commands}}));
    } else {
        dry.tell(phase, [](const std::string& line) { fmt::print("{}\n", line); });
        fmt::print(
            "Nothing was touched: this is the runbook from its beginning. A real run asks the servers first and skips what is done.\n");
    }
    return DONE;
}

void addPlanCommands(CLI::App& app, int& exitCode) {
    const auto a = std::make_shared<PlanArguments>();
    CLI::App* explaining = app.get_subcommand("plan")->add_subcommand("explain", "Say in sentences what a plan means");
    explaining->add_option("plan", a->plan, "The plan (TOML)")->required();
    explaining->callback([a, &exitCode] { exitCode = explain(*a); });
    addProbeCommand(*app.get_subcommand("plan"), exitCode);
    CLI::App* phases = app.add_subcommand("phases", "The phases of a deployment, and which command leads from one to the next");
    CLI::Option* dot = phases->add_flag("--dot", a->dot, "As a Graphviz digraph");
    phases->add_flag("--mermaid", a->mermaid, "As a Mermaid diagram of states")->excludes(dot);
    phases->callback([a, &exitCode] {
        fmt::print("{}", a->dot ? phaseGraph() : a->mermaid ? phaseDiagram() : phaseText());
        exitCode = DONE;
    });
}

} // namespace tealdeck
