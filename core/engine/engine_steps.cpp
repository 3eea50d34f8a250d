// SPDX-License-Identifier: GPL-3.0-or-later
// Running commands and steps, and what the operator put round them: hooks, holds, and the times of earlier recordings.
#include "core/engine/engine.h"
#include "core/engine/expected_times.h"
#include "core/plan/hook_points.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {

RunRecord Engine::record() {
    return {[this](EventKind kind, Json body) { return m_hub.publish(kind, std::move(body)); }, [this] { return m_hub.nowUs(); }};
}

StepSurroundings Engine::surroundings() {
    StepSurroundings around;
    around.before = [this](const Step& step, const std::function<bool()>& cancelled) {
        return step.safety ? Status() : Hooks(m_options.plan, record()).before(step.id, cancelled);
    };
    around.after = [this](const Step& step) { Hooks(m_options.plan, record()).after(step.id); };
    around.holds = [this](const Step& step) {
        const std::lock_guard lock(m_mutex);
        m_goOn = false;
        return m_holds.erase(step.id) > 0;
    };
    around.released = [this] {
        const std::lock_guard lock(m_mutex);
        return std::exchange(m_goOn, false);
    };
    around.expectedMs = [this](const std::string& step) {
        const std::lock_guard lock(m_mutex);
        const auto known = m_expect.find(step);
        return known != m_expect.end() ? known->second : -1;
    };
    return around;
}

Status Engine::runSteps(const std::vector<Step>& steps, const std::atomic<bool>& cancel, bool undo) {
    return Runner(record(), cancel, surroundings()).run(steps, undo);
}

/// Earlier recordings of the folder, this one included; on the checklist's thread, because it may take a second.
void Engine::learnTimes() {
    std::map<std::string, double> times = expectedTimes(m_options.plan.engineFolder, [this] {
        const std::lock_guard lock(m_mutex);
        return m_stopping;
    });
    const std::lock_guard lock(m_mutex);
    m_expect = std::move(times);
}

Status Engine::takeHolds(const Command& command) {
    const Json wanted = member<Json>(command.args, "hold", Json::array());
    std::set<std::string> holds;
    for (const Json& item : wanted) {
        const std::string step = item.is_string() ? item.get<std::string>() : std::string();
        if (!canHoldBefore(step)) {
            return Error{Error::Kind::Invalid,
                         fmt::format("A run cannot hold before \"{}\".", step),
                         "\"tealctl run PLAN --dry-run\" shows the steps; before a switch hold at its gate.",
                         {}};
        }
        holds.insert(step);
    }
    const std::lock_guard lock(m_mutex);
    m_holds = std::move(holds);
    return {};
}

Status Engine::runHooked(const Command& command) {
    const std::string name = commandName(command.kind);
    if (const Status holds = takeHolds(command); !holds) {
        return holds;
    }
    const Hooks hooks(m_options.plan, record());
    // The step of a ramp has the command's name: its hooks stand round the step.
    const bool own = command.kind != CommandKind::Ramp;
    if (own && command.kind != CommandKind::Abort) {
        if (const Status vetoed = hooks.before(name, [this] { return m_cancel.load(); }); !vetoed) {
            return vetoed;
        }
    }
    const Phase was = m_hub.snapshot().phase;
    const Status status = runCommand(command);
    if (own && status.ok()) {
        hooks.after(name);
    }
    // A phase that has a command's name is told by the command.
    const std::string phase = phaseName(m_hub.snapshot().phase);
    if (phase != phaseName(was) && std::find(hookPhases().begin(), hookPhases().end(), phase) != hookPhases().end()) {
        hooks.after(phase);
    }
    return status;
}

Status Engine::runCommand(const Command& command) {
    switch (command.kind) {
    case CommandKind::Check:
        return runCheck();
    case CommandKind::Replicate:
        return runReplicate();
    case CommandKind::Ramp:
        return runRamp(command);
    case CommandKind::Cutover:
        return runSwitch(Direction::Forward);
    case CommandKind::Rollback:
        return runSwitch(Direction::Reverse);
    case CommandKind::Abort:
        return runAbort();
    case CommandKind::Finalize:
        return runFinalize();
    case CommandKind::Override:
        return runOverride(command);
    case CommandKind::SignOff:
        return runSignOff(command);
    case CommandKind::Drift:
        return runDrift(command);
    case CommandKind::Skip:
        return runSkip(command);
    case CommandKind::Verify:
        return runVerify(command);
    default:
        return Error{Error::Kind::Internal, fmt::format("\"{}\" has no implementation.", commandName(command.kind)), {}, {}};
    }
}

} // namespace tealdeck
