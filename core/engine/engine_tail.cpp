// SPDX-License-Identifier: GPL-3.0-or-later
// The tail of a switch: the clients have moved, the feeds are turned round. It is owed until it is done: without it there is no way back.
#include "core/cutover/witness.h"
#include "core/engine/engine.h"
#include "core/metrics/sampler.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// After a step that fell although both servers are there: what is wrong then does not mend itself within a second, and each try is
/// recorded.
constexpr std::int64_t FELL_REST_US = 15'000'000;

std::string shout(Side side) {
    return side == Side::Green ? "GREEN" : "BLUE";
}

/// A witness of an attempt that was taken back keeps WAL for nothing.
Status dismissWitnesses(const Plan& plan, SideSessions& from, SideSessions& to) {
    const Status first = Witness(plan, from).dismiss(Millis(5000));
    const Status second = Witness(plan, to).dismiss(Millis(5000));
    return first.ok() ? second : first;
}

} // namespace

/// missing: why the other side does not follow yet; empty when it does.
void Engine::settlePhase(Side production, const std::string& missing) {
    const bool forward = production == Side::Green;
    const std::string other = shout(forward ? Side::Blue : Side::Green);
    setPhase(forward ? Phase::Observe : Phase::RolledBack,
             fmt::format("{} is production{}; {}", shout(production), forward ? "" : " again",
                         missing.empty() ? other + " follows." : fmt::format("{} does not follow yet: {}", other, missing)));
    static_cast<void>(persistPhase(m_hub.snapshot().phase));
}

/// From here on only forward: nobody cancels this.
Status Engine::completeSwitch(Switchover& switchover, Direction direction) {
    publishFences();
    publishTraffic();
    m_owedTail.reset(); // an earlier switch's, if any: its feeds are this one's now
    const Status status = runSteps(switchover.stepsAfterSwitch(), m_never, false);
    const Side production = destinationOf(direction);
    m_sampler->setHeartbeat(production);
    m_sampler->setReadsTarget(production == Side::Green ? 100 : 0);
    if (status) {
        settlePhase(production, "");
    } else {
        oweTail(production, status.error());
    }
    evaluateChecklist();
    return status;
}

/// A switch whose clients moved but whose feeds were not turned yet. again: this life has tried it before, so it is gone through whole
/// even if what the catalogs tell looks done.
Status Engine::finishTail(Side production, bool again) {
    const Direction done = production == Side::Green ? Direction::Forward : Direction::Reverse;
    auto from = SideSessions::open(m_connector, sourceOf(done), Millis(5000));
    auto to = SideSessions::open(m_connector, destinationOf(done), Millis(5000));
    if (!from || !to) {
        return (from.ok() ? to : from).error();
    }
    bool unfinished = again;
    for (std::size_t i = 0; i < from->size(); ++i) {
        const Result<SideRow> old = control::readSide((*from)[i]);
        const Result<SideRow> now = control::readSide((*to)[i]);
        if (!old || !now) {
            return (old.ok() ? now : old).error();
        }
        if (now->generation == 0) {
            return dismissWitnesses(m_options.plan, *from, *to); // there was no switch yet
        }
        const Result<bool> oldFeed = Link(m_options.plan, done, m_options.plan.databases[i], (*from)[i], (*to)[i]).subscriptionExists();
        if (!oldFeed) {
            return oldFeed.error();
        }
        unfinished = unfinished || old->role == SideRole::Fenced || *oldFeed;
    }
    if (!unfinished) {
        return dismissWitnesses(m_options.plan, *from, *to);
    }
    m_hub.note(again ? "Both servers are there: turning the feeds round again."
                     : "Finishing a switch that another life of the engine began.");
    Switchover switchover(switchContext(), done);
    return runSteps(switchover.stepsAfterSwitch(), m_never, false);
}

/// Told when the reason is a new one; a server that stays away is asked each second, and says the same each time.
void Engine::oweTail(Side production, const Error& reason) {
    const bool away = reason.kind == Error::Kind::Unavailable;
    const bool told = m_owedTail && m_owedTail->error == reason.text();
    m_owedTail = OwedTail{production, m_hub.nowUs() + (away ? 0 : FELL_REST_US), reason.text()};
    if (!told) {
        settlePhase(production, reason.text());
    }
}

/// On the driver's thread, while nothing else runs there.
void Engine::takeUpTail() {
    const OwedTail owed = *m_owedTail;
    const Phase phase = m_hub.snapshot().phase;
    if (phase != Phase::Observe && phase != Phase::RolledBack) {
        m_owedTail.reset(); // finalized, or taken down: there is no feed left to turn
        return;
    }
    if (m_hub.nowUs() < owed.notBeforeUs) {
        return;
    }
    Status tail = takeUp(); // the lock went with the link
    if (tail) {
        tail = finishTail(owed.production, true);
    }
    if (!tail) {
        oweTail(owed.production, tail.error());
        return;
    }
    m_owedTail.reset();
    publishFences();
    settlePhase(owed.production, "");
    evaluateChecklist();
}

} // namespace tealdeck
