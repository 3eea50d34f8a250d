// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/alarms/alarm_book.h"
#include "core/api/session_source.h"
#include "core/checks/check.h"
#include "core/control/control_store.h"
#include "core/cutover/settle.h"
#include "core/cutover/switchover.h"
#include "core/engine/hooks.h"
#include "core/engine/hub.h"
#include "core/engine/ramp_watch.h"
#include "core/engine/statement_log.h"
#include "core/model/command.h"
#include "core/recipe/runner.h"
#include "core/replication/copy_control.h"
#include "core/traffic/haproxy.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tealdeck {

class Sampler;
class ForeignWrites;

/// One deployment's engine: takes commands, drives the runbook on a thread of its own, keeps the checklist fresh, records everything.
class Engine {
  public:
    struct Options {
        Plan plan;
        std::string program;                  ///< the engine's own program, run again as guardian
        std::string holder;                   ///< who drives, for the deployment's row
        bool takeover = false;                ///< end another engine's sessions instead of giving way to it
        std::filesystem::path recording = {}; ///< where a new recording is written; empty: in the plan's folder, under a name of its own
    };
    /// Reads the situation from the servers, finishes or takes back what another life left half done, and is ready for commands.
    static Result<std::unique_ptr<Engine>> start(Options options);
    ~Engine();

    [[nodiscard]] EventHub& hub() { return m_hub; }
    /// Never blocks: the decision needs only memory, the work happens later.
    CommandReply submit(const Command& command);
    /// Lets a running command end (cancelled where that is possible) and stops all threads.
    void stop();
    /// True when nothing is left to do: finalized or aborted.
    [[nodiscard]] bool finished() const;

  private:
    Engine(Options options, const Connector& connector, std::unique_ptr<RecordingWriter> recording, std::string recordingId);

    // engine_recover.cpp: the beginning of a life
    Status attach();
    Status recover();
    Status takeUp();
    void takeUpLate();
    Status claim(const Result<SideSessions>& blue, const Result<SideSessions>& green);
    Status finishFinalize();
    double readsShareNow();
    Phase phaseFor(Side production, const Situation& situation) const;

    // engine.cpp: intake and the driver thread
    void drive();
    void keepChecklist();
    void execute(const Command& command);
    Status needLock();

    // engine_commands.cpp
    Status runCheck();
    Status runReplicate();
    Status runRamp(const Command& command);          // engine_ramp.cpp
    Status mayRampUp(const Snapshot& s, double now); // engine_ramp.cpp
    Status notHeld(double now);                      // engine_ramp.cpp
    Status moveReads(double percent, const std::string& actor);
    void holdReads(const std::string& reason);
    void watchReads();
    Status runAbort();
    Status runFinalize();
    Status runVerify(const Command& command); // engine_verify.cpp
    void publishComparison(const ComparisonState& state);
    CheckState foreignWritesLine(const Snapshot& s);
    void stopWatching();

    // engine_drift.cpp
    Status runDrift(const Command& command);
    Status guardAgainstDrift();
    void lookForDrift();
    Status runSkip(const Command& command); // engine_skip.cpp
    Status runOverride(const Command& command);
    Status runSignOff(const Command& command);                         // engine_checklist.cpp
    Status mayBeSaid(const Command& command, const Snapshot& s) const; // engine_checklist.cpp: sign-offs and overrides

    // engine_switch.cpp
    [[nodiscard]] Status gatesNow(CommandKind kind) const;
    SwitchContext switchContext();
    Status saveRouters();
    Status runSwitch(Direction direction);
    Status switchFrom(Phase before, Direction direction);

    // engine_tail.cpp: after a switch the feeds are turned round, however long a server stays away
    Status completeSwitch(Switchover& switchover, Direction direction);
    Status finishTail(Side production, bool again);
    void oweTail(Side production, const Error& reason);
    void takeUpTail();
    void settlePhase(Side production, const std::string& missing);

    // engine_state.cpp: what the engine knows and tells
    void evaluateChecklist();
    void evaluateChecklistUnlessJustDone();
    void setPhase(Phase phase, const std::string& reason, bool past = false);
    Status persistPhase(Phase phase);
    void publishFences();
    void publishTraffic();
    [[nodiscard]] Direction activeDirection() const;

    // engine_steps.cpp: running steps, and what stands round them
    Status runSteps(const std::vector<Step>& steps, const std::atomic<bool>& cancel, bool undo);
    RunRecord record();
    StepSurroundings surroundings();
    Status runCommand(const Command& command);
    Status runHooked(const Command& command);
    Status takeHolds(const Command& command);
    void learnTimes();

    // engine_alarms.cpp
    void lookAtAlarms();
    Status runWord(const Command& command);
    Status shelve(const Command& command);

    Options m_options;
    std::string m_recordingId;
    EventHub m_hub;
    std::shared_ptr<StatementLog> m_statements;        ///< of what is done
    std::shared_ptr<StatementLog> m_sampledStatements; ///< of what is only looked at, again and again
    Connector m_connector;
    Connector m_samplerConnector;
    std::unique_ptr<DriverLock> m_lock;
    std::int64_t m_epoch = 0;
    bool m_claimed = false;   ///< the servers know the epoch
    bool m_recovered = false; ///< what another life left is in order; used by the driver's thread
    std::string m_takeUpError;
    /// A switch has moved the clients and its feeds are not turned yet.
    struct OwedTail {
        Side production = Side::Green;
        std::int64_t notBeforeUs = 0; ///< when it is tried again
        std::string error;            ///< of the last try
    };
    std::optional<OwedTail> m_owedTail; ///< used by the driver's thread
    std::vector<std::unique_ptr<PgBouncer>> m_poolers;
    std::vector<std::unique_ptr<Haproxy>> m_balancers;
    WriteRouters m_routers;
    RampWatch m_rampWatch; ///< used on the sampler's thread
    std::unique_ptr<Sampler> m_sampler;

    std::mutex m_mutex; ///< guards the queue and what goes with it
    std::condition_variable m_wake;
    std::deque<Command> m_queue;
    bool m_stopping = false;
    bool m_abortAfter = false; ///< Abort was asked while a command ran
    bool m_checkNow = false;
    std::string m_readsHeld;                ///< why the reads' share may not rise; empty: it may
    bool m_goOn = false;                    ///< Continue was said
    std::set<std::string> m_holds;          ///< steps before which the run that goes on now is to hold
    std::map<std::string, double> m_expect; ///< milliseconds by step, from earlier recordings
    std::atomic<bool> m_cancel{false};
    const std::atomic<bool> m_never{false}; ///< for steps that nothing cancels
    std::atomic<bool> m_switching{false};
    const std::shared_ptr<CopyControl> m_copyControl = std::make_shared<CopyControl>();
    std::mutex m_checkMutex;      ///< one evaluation at a time; guards the next two
    std::int64_t m_checkedUs = 0; ///< when the last one ended
    std::pair<CheckMoment, Direction> m_checkedFor{CheckMoment::BeforeReplication, Direction::Forward};
    std::mutex m_watchMutex; ///< guards the next
    std::unique_ptr<ForeignWrites> m_watch;
    std::mutex m_alarmMutex; ///< guards the book; taken before the hub's own
    AlarmBook m_alarms;
    std::thread m_driver;
    std::thread m_checker;
};

/// The engine's socket: in its folder, or in the run-time folder when that path is too long for a Unix socket (107 bytes).
std::filesystem::path engineSocket(const Plan& plan);

} // namespace tealdeck
