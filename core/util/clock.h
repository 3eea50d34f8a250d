// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace tealdeck {

using Millis = std::chrono::milliseconds;

/// The two clocks of a recording. Injected so that tests decide what time it is.
class Clock {
  public:
    virtual ~Clock() = default;
    /// Microseconds of a clock that never steps back; its zero has no meaning across machines or restarts.
    [[nodiscard]] virtual std::int64_t steadyUs() const = 0;
    /// Microseconds since 1970-01-01 UTC; may step.
    [[nodiscard]] virtual std::int64_t wallUs() const = 0;

    /// The machine's own clocks.
    static const Clock& system();
};

/// A point in steady time that bounds a wait. Copies are cheap; the clock is always the machine's.
class Deadline {
  public:
    explicit Deadline(Millis fromNow) : m_at(std::chrono::steady_clock::now() + fromNow), m_limit(fromNow) {}
    [[nodiscard]] bool passed() const { return std::chrono::steady_clock::now() >= m_at; }
    /// Time left, never negative.
    [[nodiscard]] Millis left() const;
    /// The whole span that was given, for messages.
    [[nodiscard]] Millis limit() const { return m_limit; }
    [[nodiscard]] std::chrono::steady_clock::time_point at() const { return m_at; }

  private:
    std::chrono::steady_clock::time_point m_at;
    Millis m_limit;
};

/// "2026-01-31T23:59:59.123Z" from microseconds since 1970.
std::string isoUtc(std::int64_t wallUs);

} // namespace tealdeck
