// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>

namespace tealdeck {

/// What stands between the operator, the budgets and the threads that copy: pause, hold, pace and end. Safe from any thread.
class CopyControl {
  public:
    /// A new run: nothing of an earlier one holds. bytesPerSecond 0: no limit.
    void begin(double bytesPerSecond);
    void pause(const std::string& who);
    /// Ends a pause, and a hold: the operator takes the responsibility for going on.
    void resume();
    /// The copy stands still for a reason that is no person's wish, such as a budget that is exceeded.
    void hold(const std::string& why);
    void release();
    /// The copy ends where it is.
    void stop();
    [[nodiscard]] bool stopped() const;
    /// True once after each resume(): the budgets that held may be measured anew from here.
    [[nodiscard]] bool takeResumed();
    /// "copying", "paused" or "held", and why.
    [[nodiscard]] std::pair<std::string, std::string> state() const;
    /// Waits while the copy is paused or held, and as long as the pace demands after so many bytes. False: it was stopped.
    bool pass(std::size_t bytes);

  private:
    using Time = std::chrono::steady_clock::time_point;
    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::string m_pausedBy;
    std::string m_held;
    bool m_stopped = false;
    bool m_resumed = false;
    double m_bytesPerSecond = 0;
    Time m_next; ///< when the bytes that passed so far are within the pace
};

} // namespace tealdeck
