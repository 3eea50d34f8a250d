// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/engine_client.h"
#include "core/plan/plan.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace tealdeck {

/// A command-line program's session with the engine of a plan: starts the engine when it does not run, follows the state, and waits for
/// commands to end.
class EngineSession {
  public:
    struct Options {
        Plan plan;
        bool takeover = false;
        std::function<void(const Event&)> onEvent; ///< every event, on the session's thread
        bool observe = false;                      ///< leaves driving to others: only word-like commands are taken
        std::filesystem::path recording = {};      ///< where the engine is to record; empty: wherever it does
    };
    static Result<std::unique_ptr<EngineSession>> open(Options options);
    ~EngineSession();

    [[nodiscard]] Snapshot snapshot() const;
    /// Sends the command and waits until it has ended. Refused when the engine does not accept it; otherwise what became of it.
    /// What a program decides rests on its rules, not on a look, so "look again" is answered by looking again.
    Status run(CommandKind kind, const Json& args = Json::object());
    /// Says what takes effect at once and has no end to wait for: notes, alarms, Continue.
    Status say(CommandKind kind, const Json& args);
    /// Waits until the condition holds; false at the deadline or when the engine is gone.
    bool waitFor(const std::function<bool(const Snapshot&)>& condition, Millis limit);

  private:
    EngineSession() = default;
    bool waitUntilIdle(const Deadline& deadline);
    CommandReply send(CommandKind kind, const Json& args);
    void take(const std::vector<Event>& events);

    std::unique_ptr<EngineClient> m_client;
    std::function<void(const Event&)> m_onEvent;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    Snapshot m_snapshot;
    bool m_started = false;
    bool m_driver = false;
    bool m_lost = false;
    std::string m_detail;
    std::vector<Event> m_outcomes; ///< ends of commands since the last run()
};

/// Starts the engine of the plan in the background unless it answers already. Refused when it records elsewhere than is wanted.
Status ensureEngine(const Plan& plan, bool takeover, const std::filesystem::path& recording = {});
/// True when an engine listens on the plan's socket.
bool engineAnswers(const Plan& plan);
/// Steps to hold before: a command stands for its first step.
Json holdSteps(const std::vector<std::string>& given);
/// Why a run cannot hold there; empty: it can.
std::string whyNoHold(const std::string& given);
/// The name under which this person acts.
std::string userName();
/// A program of ours beside this one.
std::string siblingProgram(const char* name);

/// Asks the engine of a plan to end and waits until it has, 30 s at most; false when none ran.
Result<bool> stopEngine(const Plan& plan);

} // namespace tealdeck
