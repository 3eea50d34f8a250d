// SPDX-License-Identifier: GPL-3.0-or-later
// Moving the writes, in either direction.
#include "core/engine/engine.h"
#include "core/engine/teardown_steps.h"
#include "core/metrics/sampler.h"
#include "core/util/files.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis ROUTER_LIMIT{3000};
/// Ten samples a second from the gates on, however long they take, and for a while after the switch.
constexpr Millis CLOSE_BEFORE{120000};
constexpr Millis CLOSE_AFTER{10000};

} // namespace

/// The gates once more, at the moment of acting and on fresh answers.
Status Engine::gatesNow(CommandKind kind) const {
    Snapshot idle = m_hub.snapshot();
    idle.busyWith.clear();
    const std::vector<std::string> reasons = whyNot(idle, kind, m_hub.nowUs());
    return reasons.empty() ? Status()
                           : Status(Error{Error::Kind::Refused,
                                          fmt::format("Blocked: {}", reasons.front()),
                                          reasons.size() > 1 ? fmt::format("({} more reasons.)", reasons.size() - 1) : "",
                                          {}});
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

/// What abort and finalize will give back (law 12).
Status Engine::saveRouters() {
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
    return {};
}

Status Engine::runSwitch(Direction direction) {
    const Phase before = m_hub.snapshot().phase;
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    m_sampler->watchClosely(CLOSE_BEFORE);
    const Status status = switchFrom(before, direction);
    m_sampler->watchClosely(CLOSE_AFTER);
    return status;
}

Status Engine::switchFrom(Phase before, Direction direction) {
    const CommandKind kind = direction == Direction::Forward ? CommandKind::Cutover : CommandKind::Rollback;
    evaluateChecklistUnlessJustDone();
    if (const Status gates = gatesNow(kind); !gates) {
        return gates;
    }
    stopWatching(); // a switch needs its slots, and ends what is local on that side
    if (const Status saved = saveRouters(); !saved) {
        return saved;
    }
    m_switching = true;
    setPhase(Phase::Cutover, direction == Direction::Forward ? "Moving the writes to GREEN." : "Moving the writes back to BLUE.");
    Status status = persistPhase(Phase::Cutover);
    Switchover switchover(switchContext(), direction);
    if (status.ok()) {
        status = runSteps(switchover.stepsToSwitch(), m_cancel, true);
    }
    m_switching = false;
    SwitchReport report = switchover.report();
    report.endedWallUs = Clock::system().wallUs();
    if (switchover.past()) {
        static_cast<void>(m_hub.publish(EventKind::Switch, toJson(report)));
        return completeSwitch(switchover, direction);
    }
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

} // namespace tealdeck
