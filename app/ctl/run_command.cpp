// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/run_command.h"

#include "app/ctl/plan_commands.h"
#include "app/ctl/terminal.h"
#include "core/model/shown.h"
#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <optional>
#include <unistd.h>

namespace tealdeck {
namespace {

/// As long as a person would wait for a feed that is just coming back.
constexpr Millis FEED_WAIT{30000};

/// Right after the copy, or after an engine's restart, the first heartbeat is still on its way: the engine refuses while GREEN's lag is not
/// known, and is asked again until the limit.
Status rampTo(EngineSession& session, const Plan& plan, int percent) {
    const Deadline deadline(FEED_WAIT);
    for (;;) {
        session.waitFor(
            [&](const Snapshot& s) {
                const auto lag = s.metrics.find("lag_seconds.forward");
                return whyNot(s, CommandKind::Ramp, s.steadyUs).empty() && lag != s.metrics.end() && lag->second.value &&
                       *lag->second.value <= plan.ramp.maxLagSeconds;
            },
            deadline.left());
        const Status moved = session.run(CommandKind::Ramp, {{"percent", percent}});
        if (moved.ok() || deadline.passed() || session.snapshot().seq == 0) {
            return moved;
        }
        session.waitFor([](const Snapshot&) { return false; }, Millis(1000));
    }
}

Status runRamp(EngineSession& session, const Plan& plan) {
    for (const int percent : plan.ramp.steps) {
        if (session.snapshot().traffic.readsGreenTarget >= percent) {
            continue;
        }
        if (const Status moved = rampTo(session, plan, percent); !moved) {
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

/// What a phase is reached by; std::nullopt when there is no such phase to go to.
std::optional<Phase> goalOf(const std::string& until) {
    const auto wanted = phaseFromName(until == "replicate" ? "validate" : until == "cutover" ? "observe" : until);
    return wanted && milestone(*wanted) > 0 ? wanted : std::nullopt;
}

/// What only a person can answer, before an unattended run goes on.
std::string needsPerson(const Snapshot& s) {
    for (const CheckState& check : s.checks) {
        if (check.id.rfind("MAN/", 0) == 0 && isBlocking(check, s.steadyUs)) {
            return fmt::format("{} wants a sign-off: {}", plainText(check.id, 80), plainText(check.question, 200));
        }
    }
    for (const AlarmState& alarm : standingAlarms(s.alarms, s.steadyUs)) {
        if (alarm.priority == "high" && alarm.acknowledgedBy.empty()) {
            return fmt::format("the alarm {} stands and nobody has seen it: {}", plainText(alarm.id, 80), plainText(alarm.cause, 200));
        }
    }
    return {};
}

/// A run on a terminal asks before clients are moved; one that nobody watches does not, and looks for what a person would have seen.
class Watcher {
  public:
    explicit Watcher(const Arguments& a)
        : m_unattended(a.unattended), m_asks(!a.unattended && !a.json && ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0) {}

    WorkEnd mayGoOn(EngineSession& session, const char* act, CommandKind kind) {
        if (m_unattended) {
            const std::string person = needsPerson(session.snapshot());
            return person.empty() ? WorkEnd(Status())
                                  : WorkEnd({Error::Kind::Refused,
                                             fmt::format("The run ends before it {}, because it needs a person: {}", act, person),
                                             "Settle that and run it again; what was done stays.",
                                             {}},
                                            NEEDS_PERSON);
        }
        if (!m_asks || m_answered == act) {
            return Status();
        }
        const std::string question = fmt::format("The run now {}. Go on?", act);
        const Snapshot s = session.snapshot();
        const Json gates = gatesShown(s, s.steadyUs);
        for (const Json& gate : gates) {
            const auto age = optionalNumber(gate, "age_s");
            fmt::print("  {:<22} {}{}\n", member<std::string>(gate, "text", ""), plainText(member<std::string>(gate, "value", ""), 200),
                       age ? fmt::format(" ({:.1f} s ago)", *age) : "");
        }
        // A reviewer will see what was seen here, and what was answered; the run does not depend on it.
        static_cast<void>(
            session.say(CommandKind::Note, {{"shown", "prompt"}, {"text", question}, {"command", commandName(kind)}, {"gates", gates}}));
        fmt::print("{} [y/N] ", question);
        std::fflush(stdout);
        std::string answer;
        std::getline(std::cin, answer);
        static_cast<void>(
            session.say(CommandKind::Note, {{"shown", "answer"}, {"text", answer}, {"withdrawn", answer != "y" && answer != "yes"}}));
        if (answer != "y" && answer != "yes") {
            return {{Error::Kind::Refused, fmt::format("You ended the run before it {}; what was done stays.", act), {}, {}}, ABORTED};
        }
        m_answered = act;
        return Status();
    }

  private:
    bool m_unattended;
    bool m_asks;
    std::string m_answered; ///< asked once, not at each step of a ramp
};

WorkEnd rampAndCutOver(EngineSession& session, const Plan& plan, const Arguments& a, Watcher& watcher) {
    if (!plan.haproxies.empty() && session.snapshot().traffic.readsGreenTarget < plan.ramp.steps.back()) {
        const WorkEnd may = watcher.mayGoOn(session, "moves the reads to GREEN step by step", CommandKind::Ramp);
        return may.status.ok() ? WorkEnd(runRamp(session, plan)) : may;
    }
    Status done = session.run(CommandKind::Check);
    if (const WorkEnd may = done.ok() ? watcher.mayGoOn(session, "moves the writes to GREEN", CommandKind::Cutover) : WorkEnd(done);
        !may.status.ok()) {
        return may;
    }
    done = checkBlockers(session, CommandKind::Cutover);
    return done.ok() ? session.run(CommandKind::Cutover, {{"hold", holdSteps(a.hold)}}) : done;
}

Status fill(EngineSession& session, const Arguments& a) {
    return session.run(CommandKind::Replicate, {{"hold", holdSteps(a.hold)}});
}

/// The act that leads on from the phase.
WorkEnd advance(EngineSession& session, const Plan& plan, const Arguments& a, Watcher& watcher) {
    const Phase phase = session.snapshot().phase;
    switch (phase) {
    case Phase::Plan:
    case Phase::Aborted:
    case Phase::Preflight: {
        const Status checked = runCheck(session, plan, !a.json);
        // What a person has to do is said first: it is no blocker that a machine could mend.
        const bool goesOn = phase == Phase::Preflight;
        const bool asks = a.unattended && (goesOn || !checked.ok());
        if (const WorkEnd may = asks ? watcher.mayGoOn(session, "fills GREEN", CommandKind::Replicate) : WorkEnd(checked);
            !may.status.ok()) {
            return may;
        }
        return checked.ok() && goesOn ? fill(session, a) : checked;
    }
    case Phase::Replicate: {
        // What an engine that died had found out is too old by now.
        const Status checked = session.run(CommandKind::Check);
        return checked.ok() ? fill(session, a) : checked;
    }
    case Phase::Validate:
    case Phase::Ramp:
    case Phase::RolledBack:
        return rampAndCutOver(session, plan, a, watcher);
    case Phase::Observe:
        return session.run(CommandKind::Finalize, {{"typed", a.typed}, {"reason", a.reason}});
    case Phase::Cutover:
    case Phase::Finalized:
        break;
    }
    return Error{Error::Kind::Conflict, "A switch is under way.", "Wait for it to end.", {}};
}

WorkEnd runUntil(EngineSession& session, const Plan& plan, const Arguments& a) {
    const std::optional<Phase> wanted = goalOf(a.until);
    if (!wanted) {
        return Error{Error::Kind::Invalid,
                     fmt::format("--until: \"{}\" is no phase.", a.until),
                     "Use preflight, replicate, validate, ramp, cutover, observe or finalized.",
                     {}};
    }
    Watcher watcher(a);
    for (;;) {
        const Phase phase = session.snapshot().phase;
        const bool ramps = *wanted == Phase::Ramp && !plan.haproxies.empty();
        const bool ramped = session.snapshot().traffic.readsGreenTarget >= plan.ramp.steps.back();
        // Without a balancer there are no reads to move, and the ramp ends where it would begin.
        const Phase goal = *wanted == Phase::Ramp && plan.haproxies.empty() ? Phase::Validate : *wanted;
        if (milestone(phase) >= milestone(goal) && (!ramps || ramped)) {
            return Status();
        }
        if (WorkEnd done = advance(session, plan, a, watcher); !done.status.ok()) {
            return done;
        }
    }
}

/// What can be said before anything is begun.
std::string refusalOf(const Arguments& a) {
    if (a.until == "finalized" && !a.dryRun && (a.typed.empty() || a.reason.empty())) {
        return "--until finalized closes the way back: give the deployment's name with --typed and a --reason.";
    }
    return {};
}

} // namespace

void addRunCommand(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& a) {
    CLI::App* run = addPlanCommand(app, "run", "Run the upgrade up to a phase; on a terminal it asks before reads and writes are moved", a);
    run->add_option("--until", a->until, "Where to stop")
        ->check(CLI::IsMember({"preflight", "replicate", "validate", "ramp", "cutover", "observe", "finalized"}));
    run->add_option("--typed", a->typed, "The deployment's name, when the run is to finalize");
    run->add_option("--reason", a->reason, "Why, when the run is to finalize");
    CLI::Option* hold =
        run->add_option("--hold", a->hold, "Wait for \"tealctl continue\" before this step or command; may be given several times")
            ->allow_extra_args(false)
            ->check(whyNoHold, "");
    run->add_flag("--auto", a->unattended,
                  "Nobody watches: ask nothing, override nothing, and end with code 5 where a person is needed: an item of the "
                  "checklist without its sign-off, an alarm of high priority that nobody has seen")
        ->excludes(hold);
    run->add_option("--recording", a->recording,
                    "Where a new recording is written: a file that ends in .teal and does not exist, in a folder of your own");
    run->add_flag("--dry-run", a->dryRun, "Only tell what would be done; touches no server, router or engine");
    run->callback([a, &exitCode] {
        if (const std::string refused = refusalOf(*a); !refused.empty()) {
            exitCode = complain({Error::Kind::Invalid, refused, {}, {}}, *a, USAGE);
        } else {
            exitCode = a->dryRun ? tellDryRun(a->plan, a->until, a->json)
                                 : withSession(*a, [a](EngineSession& session, const Plan& plan) { return runUntil(session, plan, *a); });
        }
    });
}

} // namespace tealdeck
