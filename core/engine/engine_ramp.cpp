// SPDX-License-Identifier: GPL-3.0-or-later
// The reads' way to GREEN and back: by command, or by itself when they are not well there.
#include "core/engine/engine.h"
#include "core/engine/ramp_step.h"
#include "core/metrics/sampler.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// The actor of what the engine does by itself.
constexpr const char* ITSELF = "engine";

} // namespace

Status Engine::runRamp(const Command& command) {
    const Snapshot s = m_hub.snapshot();
    const double now = m_sampler->readsTarget(); // the snapshot hears of it with the next look at the routers
    const std::string act = member<std::string>(command.args, "act", "");
    const std::string reason = member<std::string>(command.args, "reason", "");
    if (act == "hold" || act == "resume") {
        holdReads(act == "hold" ? (reason.empty() ? "held by " + command.actor : reason) : "");
        m_hub.note(act == "hold" ? fmt::format("Reads are held at {:g} % by {}.", now, command.actor)
                                 : fmt::format("Reads may move on, says {}.", command.actor));
        return {};
    }
    const double percent = act == "back" ? stepBelow(m_options.plan.ramp, now) : member<double>(command.args, "percent", -1);
    if (percent < 0 || percent > 100) {
        return Error{Error::Kind::Invalid, fmt::format("{} is no percentage of reads.", percent), "Give 0 to 100.", {}};
    }
    if (act == "back") {
        holdReads(reason.empty() ? "stepped back by " + command.actor : reason);
    }
    if (const Status may = percent > now ? mayRampUp(s, now) : Status(); !may) {
        return may;
    }
    return moveReads(percent, command.actor);
}

Status Engine::notHeld(double now) {
    const std::lock_guard lock(m_mutex);
    return m_readsHeld.empty() ? Status()
                               : Status(Error{Error::Kind::Refused,
                                              fmt::format("The reads are held at {:g} %: {}", now, m_readsHeld),
                                              "When that is settled: tealctl ramp PLAN --resume",
                                              {}});
}

/// More reads on GREEN: nobody holds them, and they are well there as far as is known.
Status Engine::mayRampUp(const Snapshot& s, double now) {
    if (const Status free = notHeld(now); !free) {
        return free;
    }
    const ReadsVerdict verdict = judgeReads(s, m_options.plan.ramp, m_hub.nowUs());
    return verdict.kind == ReadsVerdict::Kind::Fine
               ? Status()
               : Status(Error{Error::Kind::Refused, verdict.reason + " Reads stay where they are.", "Wait until GREEN is well again.", {}});
}

Status Engine::moveReads(double percent, const std::string& actor) {
    if (m_balancers.empty()) {
        return Error{Error::Kind::Invalid,
                     "The plan names no load balancer, so there are no reads to move.",
                     "Add a [[haproxy]] section, or go on to the cutover.",
                     {}};
    }
    if (const Status locked = needLock(); !locked) {
        return locked;
    }
    const Status status = runSteps({rampStep(m_options.plan, m_balancers, percent)}, m_cancel, false);
    if (status.ok()) {
        m_sampler->setReadsTarget(percent);
        if (m_hub.snapshot().phase != Phase::Ramp) {
            setPhase(Phase::Ramp, fmt::format("Reads are being moved by {}.", actor));
        }
        publishTraffic();
    }
    return status;
}

void Engine::holdReads(const std::string& reason) {
    const std::lock_guard lock(m_mutex);
    m_readsHeld = reason;
}

/// On the sampler's thread, with each sample: what it decides runs on the driver's.
void Engine::watchReads() {
    if (m_hub.snapshot().busyWith == commandName(CommandKind::Ramp)) {
        return; // they are on their way; the watch begins anew at the end
    }
    const std::optional<RampWatch::StepBack> back = m_rampWatch.look(m_hub.snapshot(), m_options.plan.ramp, m_hub.nowUs());
    if (!back) {
        return;
    }
    m_hub.note(fmt::format("{} Reads go back to {:g} %{}.", back->reason, back->percent, back->held ? " and are held there" : ""));
    const std::lock_guard lock(m_mutex);
    if (back->held) {
        m_readsHeld = back->reason;
    }
    if (m_queue.empty() && !m_stopping) {
        Command command;
        command.kind = CommandKind::Ramp;
        command.actor = ITSELF;
        command.args = {{"percent", back->percent}, {"reason", back->reason}};
        m_queue.push_back(command);
        m_wake.notify_all();
    }
}

} // namespace tealdeck
