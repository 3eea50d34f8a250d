// SPDX-License-Identifier: GPL-3.0-or-later
// What each command does.
#include "core/engine/engine.h"
#include "core/engine/replicate_steps.h"
#include "core/engine/teardown_steps.h"
#include "core/metrics/sampler.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
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
        evaluateChecklistUnlessJustDone();
        if (const Status gates = gatesNow(CommandKind::Replicate); !gates) {
            return gates;
        }
    }
    setPhase(Phase::Replicate, "GREEN is being filled.");
    const std::vector<Step> steps = replicateSteps(
        m_connector, {m_copyControl, [this](Json body) { static_cast<void>(m_hub.publish(EventKind::Copy, std::move(body))); },
                      [this] { return m_hub.nowUs(); }});
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
    if (const Status guarded = guardAgainstDrift(); !guarded) {
        return guarded;
    }
    m_sampler->setHeartbeat(Side::Blue);
    setPhase(Phase::Validate, "GREEN has caught up and follows.");
    publishFences();
    evaluateChecklist();
    return {};
}

Status Engine::runAbort() {
    const Snapshot s = m_hub.snapshot();
    if (s.phase == Phase::Observe) {
        return runSwitch(Direction::Reverse);
    }
    if (s.phase == Phase::Cutover) {
        m_recovered = false;
        return takeUp();
    }
    if (s.phase == Phase::Plan || s.phase == Phase::Preflight) {
        setPhase(Phase::Aborted, "Aborted before anything was changed.");
        return {};
    }
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    stopWatching();
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
    stopWatching();
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
