// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/cutover/settle.h"
#include "core/plan/plan.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tealdeck {

/// The engine's side of the guardian: a small child process that holds its own sessions and takes the safe side when the engine dies or
/// freezes between arm() and disarm(). Speaks lines over the child's standard streams:
///   child → engine  "ready <blue pids> <green pids>"
///   engine → child  "armed <epoch>", "beat" every 300 ms, "opening", "done"
class Guardian {
  public:
    /// Starts `program --guardian <plan>` and waits until it holds its sessions.
    static Result<std::unique_ptr<Guardian>> start(const std::string& program, const Plan& plan, Millis limit);
    ~Guardian();
    Guardian(const Guardian&) = delete;
    Guardian& operator=(const Guardian&) = delete;

    /// Server processes of its sessions: what the fence must spare.
    [[nodiscard]] const std::vector<int>& pids(Side side) const { return side == Side::Blue ? m_bluePids : m_greenPids; }
    /// From now on a missing beat or a closed pipe makes it act, as long as no engine of a newer epoch has come.
    Status arm(std::int64_t epoch);
    /// The next thing sent to the servers opens the destination: from now on the guardian must ask it before it gives anything back.
    Status opening();
    /// The move has ended, well or not: the guardian ends without acting.
    void disarm();

  private:
    Guardian() = default;
    Status say(const std::string& line);
    int m_in = -1;  ///< the child's standard input
    int m_out = -1; ///< the child's standard output
    int m_pid = -1;
    std::vector<int> m_bluePids;
    std::vector<int> m_greenPids;
    std::mutex m_mutex;
    std::atomic<bool> m_armed{false};
    std::atomic<bool> m_stop{false};
    std::thread m_beats;
};

/// The child: returns the exit code. Reads lines from standard input until "done" or until it had to act.
int runGuardian(const Plan& plan);

/// A parent that is silent for longer than this is taken for dead and is ended for good before the guardian acts.
inline constexpr Millis GUARDIAN_LEASE{1500};

} // namespace tealdeck
