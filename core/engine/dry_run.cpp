// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/dry_run.h"

#include "core/cutover/switchover.h"
#include "core/engine/hooks.h"
#include "core/engine/ramp_step.h"
#include "core/engine/replicate_steps.h"
#include "core/engine/teardown_steps.h"
#include "core/recipe/dry_runner.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

std::vector<Step> joined(std::vector<Step> first, const std::vector<Step>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

/// How far along the road a command is; the same order as the phases that it leads to.
int place(Phase phase) {
    switch (phase) {
    case Phase::Replicate:
    case Phase::Validate:
        return 2;
    case Phase::Ramp:
        return 3;
    case Phase::Cutover:
    case Phase::Observe:
    case Phase::RolledBack:
        return 4;
    case Phase::Finalized:
        return 5;
    default:
        return 1;
    }
}

/// The phase in which a command leaves the deployment, where that has a name of its own; nullptr: none.
const char* phaseReached(CommandKind command) {
    switch (command) {
    case CommandKind::Check:
        return phaseName(Phase::Preflight);
    case CommandKind::Replicate:
        return phaseName(Phase::Validate);
    case CommandKind::Cutover:
        return phaseName(Phase::Observe);
    case CommandKind::Finalize:
        return phaseName(Phase::Finalized);
    default:
        return nullptr;
    }
}

} // namespace

/// Everything that the steps hold on to. Nothing here connects when it is made.
struct DryRun::Parts {
    explicit Parts(Plan p) : connector(std::move(p), "tealdeck/dry-run") {
        for (const PgBouncerPlan& pooler : connector.plan().pgbouncers) {
            poolers.push_back(std::make_unique<PgBouncer>(pooler, connector.plan()));
        }
        for (const HaproxyPlan& balancer : connector.plan().haproxies) {
            balancers.push_back(std::make_unique<Haproxy>(balancer));
        }
        routers = makeWriteRouters(connector.plan());
    }
    SwitchContext context() { return {connector, poolers, balancers, routers, {}, cancel, {}, 0, {}, {}, {}}; }
    [[nodiscard]] const Plan& plan() const { return connector.plan(); }

    Connector connector;
    std::vector<std::unique_ptr<PgBouncer>> poolers;
    std::vector<std::unique_ptr<Haproxy>> balancers;
    WriteRouters routers;
    std::atomic<bool> cancel{false};
    Switchover forward{context(), Direction::Forward};
    Switchover reverse{context(), Direction::Reverse};
};

DryRun::DryRun(Plan plan) : m_parts(std::make_unique<Parts>(std::move(plan))) {}
DryRun::~DryRun() = default;

std::vector<PlannedCommand> DryRun::until(Phase phase) {
    Parts& p = *m_parts;
    std::vector<PlannedCommand> commands = {{CommandKind::Check, "Ask every server and router the questions of the checklist", false, {}}};
    const int end = place(phase);
    if (end >= 2) {
        commands.push_back({CommandKind::Replicate, "Fill GREEN and keep it following", false, replicateSteps(p.connector)});
    }
    if (end >= 3 && !p.balancers.empty()) {
        PlannedCommand ramp{CommandKind::Ramp, "Move the reads", false, {}};
        for (const int percent : p.plan().ramp.steps) {
            ramp.steps.push_back(rampStep(p.plan(), p.balancers, percent));
        }
        commands.push_back(std::move(ramp));
    }
    if (end >= 4) {
        commands.push_back(
            {CommandKind::Cutover, "Move the writes to GREEN", true, joined(p.forward.stepsToSwitch(), p.forward.stepsAfterSwitch())});
    }
    if (end >= 5) {
        commands.push_back(
            {CommandKind::Finalize, "Close the way back", false, finalizeSteps({p.connector, p.poolers, p.balancers, p.routers})});
    }
    return commands;
}

std::vector<PlannedCommand> DryRun::aside() {
    Parts& p = *m_parts;
    return {{CommandKind::Rollback, "Move the writes back to BLUE", true, joined(p.reverse.stepsToSwitch(), p.reverse.stepsAfterSwitch())},
            {CommandKind::Abort, "Leave BLUE as it was found", false, abortSteps({p.connector, p.poolers, p.balancers, p.routers})}};
}

void DryRun::tell(Phase phase, const std::function<void(const std::string&)>& line) {
    const Plan& plan = m_parts->plan();
    DryRunner runner(line, [&plan](const Step& step) { return hookLines(plan, step.id); });
    for (const PlannedCommand& command : until(phase)) {
        line(fmt::format("{}: {}", commandName(command.command), command.title));
        // The step of a ramp has the command's name, and so the same hooks.
        if (command.command != CommandKind::Ramp) {
            for (const std::string& hook : hookLines(plan, commandName(command.command))) {
                line("  " + hook);
            }
        }
        static_cast<void>(runner.run(command.steps, command.undoOnFailure));
        if (const char* reached = phaseReached(command.command)) {
            for (const std::string& hook : hookLines(plan, reached)) {
                line(fmt::format("  in phase {}, {}", reached, hook));
            }
        }
        if (command.command == CommandKind::Cutover || command.command == CommandKind::Rollback) {
            for (const auto& router : m_parts->routers) {
                line(fmt::format("  after the destination has opened: {} ({}) is moved", router->name(), router->what()));
            }
        }
        if (command.command == CommandKind::Ramp) {
            line(fmt::format("  each step is held for {}; reads stay where they are above {:g} s of lag", spanText(plan.ramp.hold),
                             plan.ramp.maxLagSeconds));
        }
    }
}

} // namespace tealdeck
