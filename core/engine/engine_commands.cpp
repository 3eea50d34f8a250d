// SPDX-License-Identifier: GPL-3.0-or-later
// What each command does.
#include "core/engine/engine.h"
#include "core/engine/replicate_steps.h"
#include "core/engine/teardown_steps.h"
#include "core/metrics/sampler.h"
#include "core/util/files.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis ROUTER_LIMIT{3000};

/// The gates once more, at the moment of acting and on fresh answers.
Status gatesNow(const Snapshot& snapshot, CommandKind kind, std::int64_t nowUs) {
    Snapshot idle = snapshot;
    idle.busyWith.clear();
    const std::vector<std::string> reasons = whyNot(idle, kind, nowUs);
    return reasons.empty() ? Status()
                           : Status(Error{Error::Kind::Refused,
                                          fmt::format("Blocked: {}", reasons.front()),
                                          reasons.size() > 1 ? fmt::format("({} more reasons.)", reasons.size() - 1) : "",
                                          {}});
}

} // namespace

Status Engine::runCheck() {
    evaluateChecklist();
    const Snapshot s = m_hub.snapshot();
    if (s.phase == Phase::Plan || s.phase == Phase::Aborted) {
        setPhase(Phase::Preflight, "The checklist was evaluated.");
    }
    return {};
}

Status Engine::runReplicate() {
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    // A repetition after a crash finds its own tables on green: only the beginning demands an empty one.
    if (m_hub.snapshot().phase != Phase::Replicate) {
        evaluateChecklist();
        if (const Status gates = gatesNow(m_hub.snapshot(), CommandKind::Replicate, m_hub.nowUs()); !gates) {
            return gates;
        }
    }
    setPhase(Phase::Replicate, "GREEN is being filled.");
    const std::vector<Step> steps = replicateSteps(m_connector);
    // The control schema comes first: from then on the phase is on the servers too.
    Status status = runSteps({steps.front()}, m_cancel, false);
    if (status.ok()) {
        status = persistPhase(Phase::Replicate);
    }
    if (status.ok()) {
        status = runSteps({steps.begin() + 1, steps.end()}, m_cancel, false);
    }
    if (!status) {
        return status;
    }
    m_sampler->setHeartbeat(Side::Blue);
    setPhase(Phase::Validate, "GREEN has caught up and follows.");
    publishFences();
    evaluateChecklist();
    return {};
}

SwitchContext Engine::switchContext() {
    return {m_connector,
            m_poolers,
            m_balancers,
            m_routers,
            {[this](EventKind kind, Json body) { return m_hub.publish(kind, std::move(body)); }, [this] { return m_hub.nowUs(); }},
            m_cancel,
            m_options.program,
            m_epoch,
            [this] { return m_lock && m_lock->held(); },
            [this](bool quiet) {
                m_statements->keep(quiet);
                quiet ? m_sampler->pause() : m_sampler->resume();
            },
            [this](bool past) { setPhase(Phase::Cutover, past ? "Past the point of no return: completing." : "Returned.", past); }};
}

Status Engine::runSwitch(Direction direction) {
    const Phase before = m_hub.snapshot().phase;
    const CommandKind kind = direction == Direction::Forward ? CommandKind::Cutover : CommandKind::Rollback;
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    evaluateChecklist();
    if (const Status gates = gatesNow(m_hub.snapshot(), kind, m_hub.nowUs()); !gates) {
        return gates;
    }
    for (const auto& pooler : m_poolers) {
        if (const Status kept = pooler->saveOriginal(savedRouterFile(m_options.plan, pooler->name())); !kept) {
            return kept;
        }
    }
    if (const Status kept = keepRouterStates(m_options.plan, m_routers); !kept) {
        return kept;
    }
    for (const auto& balancer : m_balancers) {
        const std::filesystem::path saved = savedRouterFile(m_options.plan, balancer->name());
        if (std::error_code none; !std::filesystem::exists(saved, none)) {
            if (const Result<Json> now = balancer->save(ROUTER_LIMIT); now.ok()) {
                if (const Status kept = writeFileAtomically(saved, dumpJson(*now)); !kept) {
                    return kept;
                }
            }
        }
    }
    m_switching = true;
    setPhase(Phase::Cutover, direction == Direction::Forward ? "Moving the writes to GREEN." : "Moving the writes back to BLUE.");
    Status status = persistPhase(Phase::Cutover);
    Switchover switchover(switchContext(), direction);
    if (status.ok()) {
        status = runSteps(switchover.stepsToSwitch(), m_cancel, true);
    }
    m_switching = false;
    const bool past = switchover.past();
    SwitchReport report = switchover.report();
    report.endedWallUs = Clock::system().wallUs();
    if (!past) {
        report.detail = report.detail.empty() && !status ? status.error().text() : report.detail;
        static_cast<void>(m_hub.publish(EventKind::Switch, toJson(report)));
        if (!switchover.settled()) {
            setPhase(Phase::Cutover, "Not settled: the engine goes on trying to bring the writes to the safe side.");
            return status;
        }
        setPhase(before, "The switch did not happen; writes stayed where they were.");
        static_cast<void>(persistPhase(before));
        publishFences();
        publishTraffic();
        evaluateChecklist();
        return status;
    }
    static_cast<void>(m_hub.publish(EventKind::Switch, toJson(report)));
    publishFences();
    publishTraffic();
    // From here on only forward: nobody cancels this.
    status = runSteps(switchover.stepsAfterSwitch(), m_never, false);
    const Side production = destinationOf(direction);
    m_sampler->setHeartbeat(production);
    m_sampler->setReadsTarget(production == Side::Green ? 100 : 0);
    setPhase(production == Side::Green ? Phase::Observe : Phase::RolledBack,
             production == Side::Green ? "GREEN is production; BLUE follows." : "BLUE is production again; GREEN follows.");
    static_cast<void>(persistPhase(m_hub.snapshot().phase));
    evaluateChecklist();
    return status;
}

Status Engine::runAbort() {
    const Snapshot s = m_hub.snapshot();
    if (s.phase == Phase::Observe) {
        return runSwitch(Direction::Reverse);
    }
    if (s.phase == Phase::Cutover) {
        return recover();
    }
    if (s.phase == Phase::Plan || s.phase == Phase::Preflight) {
        setPhase(Phase::Aborted, "Aborted before anything was changed.");
        return {};
    }
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    m_sampler->setHeartbeat(std::nullopt);
    // Every part is tried, whatever became of the others.
    Status status;
    for (const Step& step : abortSteps({m_connector, m_poolers, m_balancers, m_routers})) {
        const Status one = runSteps({step}, m_never, false);
        status = one.ok() ? status : one;
    }
    m_sampler->setReadsTarget(0);
    publishTraffic();
    publishFences();
    setPhase(Phase::Aborted,
             status.ok() ? "Everything was removed; BLUE is as it was." : "Aborted; something was left over: " + status.error().text());
    return status;
}

Status Engine::runFinalize() {
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    if (const Status kept = persistPhase(Phase::Finalized); !kept) {
        return kept;
    }
    m_sampler->setHeartbeat(std::nullopt);
    const Status status = runSteps(finalizeSteps({m_connector, m_poolers, m_balancers, m_routers}), m_never, false);
    if (!status) {
        static_cast<void>(persistPhase(Phase::Observe));
        return status;
    }
    m_hub.note("BLUE stays fenced and is not deleted. When it is no longer needed: stop its servers and keep the last backup. To open it "
               "for other use, run on each of its "
               "databases: select tealdeck.open_logins(); drop schema tealdeck, tealdeck_sync cascade;");
    setPhase(Phase::Finalized, "GREEN is production for good.");
    publishFences();
    return {};
}

Status Engine::runOverride(const Command& command) {
    const Snapshot s = m_hub.snapshot();
    if (const Status may = mayBeSaid(command, s); !may) {
        return may;
    }
    const std::string id = member<std::string>(command.args, "check", "");
    CheckState check = *std::find_if(s.checks.begin(), s.checks.end(), [&](const CheckState& other) { return other.id == id; });
    check.overrideBy = command.actor;
    check.overrideReason = member<std::string>(command.args, "reason", "");
    return m_hub.publish(EventKind::Check, toJson(check), command.actor);
}

} // namespace tealdeck
