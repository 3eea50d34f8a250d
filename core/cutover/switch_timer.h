// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/cutover/switchover.h"

#include <chrono>

namespace tealdeck {

/// Times the parts of the pause; nothing is published before it is over.
struct Switchover::Timer {
    using Clock = std::chrono::steady_clock;
    Clock::time_point begin = Clock::now();
    Clock::time_point last = begin;

    void start() { begin = last = Clock::now(); }
    /// Milliseconds since the last call or start().
    double part() {
        const Clock::time_point now = Clock::now();
        const double ms = std::chrono::duration<double, std::milli>(now - last).count();
        last = now;
        return ms;
    }
    [[nodiscard]] double whole() const { return std::chrono::duration<double, std::milli>(Clock::now() - begin).count(); }
};

} // namespace tealdeck
