// SPDX-License-Identifier: GPL-3.0-or-later
// Taking commands and running them one at a time.
#include "core/engine/engine.h"

#include "core/checks/runner.h"
#include "core/metrics/sampler.h"
#include "core/model/shown.h"
#include "core/util/files.h"
#include "core/verify/foreign_writes.h"

#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// The longest rest before the checklist is asked again while nothing runs. On a slow machine it is shorter, see restBetweenRounds.
constexpr Millis CHECK_PERIOD{15000};
constexpr std::chrono::seconds TAKE_UP_PERIOD{1};
/// Of what is asked each second, one in ten minutes shows that it is asked.
constexpr StatementLog::Pace SAMPLED_PACE{1, 1.0 / 600};

/// Shared with the sessions: one with a frozen server may end after the engine has.
std::shared_ptr<StatementLog> statementLog(EventHub& hub, StatementLog::Pace pace) {
    return std::make_shared<StatementLog>([&hub](Json body) { static_cast<void>(hub.publish(EventKind::Statement, std::move(body))); },
                                          [&hub] { return hub.nowUs(); }, pace);
}

bool isFinal(Phase phase) {
    return phase == Phase::Finalized || phase == Phase::Aborted;
}

/// Not more reads on GREEN than now: that must work while GREEN is not well, so the state of the feed is no gate of it.
bool sparesGreen(const Command& command, const Snapshot& s) {
    const std::string act = member<std::string>(command.args, "act", "");
    return command.kind == CommandKind::Ramp &&
           (!act.empty() || member<double>(command.args, "percent", 100) <= s.traffic.readsGreenTarget);
}

std::vector<std::string> reasonsAgainst(const Command& command, const Snapshot& s, std::int64_t nowUs) {
    std::vector<std::string> reasons = whyNot(s, command.kind, nowUs);
    if (!reasons.empty() && sparesGreen(command, s) && whyNotInPhase(s.phase, command.kind).empty()) {
        reasons = whyNot(s, CommandKind::Check, nowUs); // what is left: whether something runs
    }
    return reasons;
}

} // namespace

std::filesystem::path engineSocket(const Plan& plan) {
    std::filesystem::path socket = plan.engineFolder / "engine.sock";
    if (socket.string().size() <= 100) {
        return socket;
    }
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const std::string folder = runtime != nullptr && std::string(runtime).size() < 60 ? runtime : "/tmp";
    return fmt::format("{}/tealdeck-{}-{}.sock", folder, ::geteuid(), sha256Hex(plan.engineFolder.string()).substr(0, 16));
}

Engine::Engine(Options options, const Connector& connector, std::unique_ptr<RecordingWriter> recording, std::string recordingId)
    : m_options(std::move(options)), m_recordingId(std::move(recordingId)), m_hub(std::move(recording), Clock::system()),
      m_statements(statementLog(m_hub, {})), m_sampledStatements(statementLog(m_hub, SAMPLED_PACE)),
      m_connector(connector.observedBy([log = m_statements](const StatementReport& s) { log->take(s); })),
      m_samplerConnector(connector.observedBy([log = m_sampledStatements](const StatementReport& s) { log->take(s); })),
      m_alarms(alarmLimits(m_options.plan)) {
    for (const PgBouncerPlan& pooler : m_options.plan.pgbouncers) {
        m_poolers.push_back(std::make_unique<PgBouncer>(pooler, m_options.plan));
    }
    for (const HaproxyPlan& balancer : m_options.plan.haproxies) {
        m_balancers.push_back(std::make_unique<Haproxy>(balancer));
    }
    m_routers = makeWriteRouters(m_options.plan);
}

Engine::~Engine() {
    stop();
    m_statements->close();
    m_sampledStatements->close();
}

void Engine::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_cancel = true;
    m_wake.notify_all();
    for (std::thread* thread : {&m_driver, &m_checker}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
    if (m_sampler) {
        m_sampler->stop();
    }
}

bool Engine::finished() const {
    const Snapshot s = m_hub.snapshot();
    return isFinal(s.phase) && s.busyWith.empty();
}

CommandReply Engine::submit(const Command& command) {
    if (const auto shown = command.kind == CommandKind::Note ? shownEvent(command.args) : std::nullopt) {
        const Status recorded = m_hub.publish(shown->first, shown->second, command.actor);
        return {recorded.ok(), recorded.ok() ? "" : recorded.error().text()};
    }
    const Snapshot s = m_hub.snapshot();
    CommandReply reply;
    std::vector<std::string> reasons = reasonsAgainst(command, s, m_hub.nowUs());
    // What the operator decided on must still be so; Abort and words are welcome at any time.
    if (reasons.empty() && command.kind != CommandKind::Abort && !isWordOnly(command.kind) && command.kind != CommandKind::Check &&
        command.kind != CommandKind::Verify && command.basedOn < s.gateSeq) {
        reasons.emplace_back("The situation has changed since you looked; look again and decide again.");
    }
    const PhaseRule* rule = findRule(s.phase, command.kind);
    if (reasons.empty() && rule != nullptr && rule->confirmation == Confirmation::ArmHoldAndType) {
        if (member<std::string>(command.args, "typed", "") != m_options.plan.deployment ||
            member<std::string>(command.args, "reason", "").empty()) {
            reasons.push_back(fmt::format("Type the deployment's name ({}) and a reason.", m_options.plan.deployment));
        }
    }
    if (const Status may = mayBeSaid(command, s); reasons.empty() && !may) {
        reasons.push_back(may.error().text());
    }
    // Refused while it is asked, not after it was accepted.
    const bool rampsUp = command.kind == CommandKind::Ramp && !sparesGreen(command, s);
    if (const Status free = rampsUp && reasons.empty() ? notHeld(s.traffic.readsGreenTarget) : Status(); !free) {
        reasons.push_back(free.error().text());
    }
    const bool atOnce = command.kind == CommandKind::Continue || command.kind == CommandKind::Acknowledge ||
                        command.kind == CommandKind::Shelve || command.kind == CommandKind::PauseCopy ||
                        command.kind == CommandKind::ResumeCopy || command.kind == CommandKind::CancelCopy ||
                        command.kind == CommandKind::Stop;
    if (const Status said = reasons.empty() && atOnce ? runWord(command) : Status(); !said) {
        reasons.push_back(said.error().text());
    }
    if (reasons.empty() && !atOnce) {
        const std::lock_guard lock(m_mutex);
        if (m_stopping) {
            reasons.emplace_back("The engine is stopping.");
        } else if (command.kind == CommandKind::Abort && !s.busyWith.empty()) {
            // A cutover that is stopped leaves everything as before it; anything else that is stopped is then taken down.
            m_abortAfter = !m_switching;
            m_cancel = true;
        } else if (!isWordOnly(command.kind) && !m_queue.empty()) {
            reasons.emplace_back("Another command is about to run.");
        } else {
            m_queue.push_back(command);
        }
    }
    reply.accepted = reasons.empty();
    for (const std::string& reason : reasons) {
        reply.reason += (reply.reason.empty() ? "" : " ") + reason;
    }
    static_cast<void>(m_hub.publish(EventKind::Operator,
                                    {{"command", commandName(command.kind)},
                                     {"args", command.args},
                                     {"accepted", reply.accepted},
                                     {"reply", reply.reason},
                                     {"based_on", command.basedOn}},
                                    command.actor));
    m_wake.notify_all();
    return reply;
}

void Engine::drive() {
    for (;;) {
        Command command;
        {
            std::unique_lock lock(m_mutex);
            const auto called = [this] { return m_stopping || m_abortAfter || !m_queue.empty(); };
            while ((!m_recovered || m_owedTail) && !m_wake.wait_for(lock, TAKE_UP_PERIOD, called)) {
                lock.unlock();
                m_recovered ? takeUpTail() : takeUpLate();
                lock.lock();
            }
            m_wake.wait(lock, called);
            if (m_stopping) {
                return;
            }
            if (m_abortAfter) {
                m_abortAfter = false;
                command.kind = CommandKind::Abort;
            } else {
                command = m_queue.front();
                m_queue.pop_front();
            }
            m_cancel = false;
        }
        execute(command);
    }
}

void Engine::execute(const Command& command) {
    if (command.kind == CommandKind::Note) {
        static_cast<void>(m_hub.publish(EventKind::Note, {{"text", member<std::string>(command.args, "text", "")}}, command.actor));
        return;
    }
    Status status;
    const auto begin = m_hub.nowUs();
    const bool quiet = command.kind == CommandKind::Override || command.kind == CommandKind::SignOff;
    if (!quiet) {
        static_cast<void>(m_hub.publish(EventKind::Step, {{"clear", true}, {"command", commandName(command.kind)}}));
    }
    status = runHooked(command);
    const double ms = static_cast<double>(m_hub.nowUs() - begin) / 1000.0;
    static_cast<void>(m_hub.publish(EventKind::Outcome, {{"step", commandName(command.kind)},
                                                         {"command", true},
                                                         {"ok", status.ok()},
                                                         {"detail", status.ok() ? "" : status.error().text()},
                                                         {"ms", ms}}));
    if (!quiet) {
        static_cast<void>(m_hub.publish(EventKind::Step, {{"idle", true}}));
    }
}

void Engine::keepChecklist() {
    learnTimes();
    for (Millis rest = CHECK_PERIOD;;) {
        {
            std::unique_lock lock(m_mutex);
            m_wake.wait_for(lock, rest, [this] { return m_stopping || m_checkNow; });
            if (m_stopping) {
                return;
            }
            m_checkNow = false;
        }
        lookAtAlarms();
        const Snapshot s = m_hub.snapshot();
        if (s.busyWith.empty() && s.phase == Phase::Cutover) {
            // A switch that could not be settled when it failed: tried again until the servers answer.
            const std::lock_guard lock(m_mutex);
            if (m_queue.empty() && !m_stopping) {
                Command again;
                again.kind = CommandKind::Abort;
                m_queue.push_back(again);
                m_wake.notify_all();
            }
        } else if (s.busyWith.empty() && s.phase != Phase::Plan && !isFinal(s.phase)) {
            const std::int64_t beganUs = m_hub.nowUs();
            evaluateChecklist();
            lookForDrift();
            rest = restBetweenRounds(m_hub.snapshot().checks, Millis((m_hub.nowUs() - beganUs) / 1000), CHECK_PERIOD);
        }
    }
}

/// Before a command acts: the engine drives, and what the operator decided on is still so.
Status Engine::needLock() {
    const Phase before = m_hub.snapshot().phase;
    const Status drives = takeUp();
    const Phase now = m_hub.snapshot().phase;
    if (drives.ok() && now != before) {
        return Error{Error::Kind::Refused,
                     fmt::format("The servers say that this is phase {}, not {}.", phaseName(now), phaseName(before)),
                     "Look again and decide again.",
                     {}};
    }
    return drives;
}

} // namespace tealdeck
