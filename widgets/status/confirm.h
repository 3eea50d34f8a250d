// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"

#include <cstdint>

namespace tealdeck {

/// A hold, timed by press and release. Progress counts only while tick() is called: after a stall of the program the release that
/// waits in the queue is seen before the hold could complete.
class HoldState {
  public:
    HoldState(const Clock& clock, Millis needed) : m_clock(clock), m_neededUs(needed.count() * 1000) {}
    void press();
    void cancel() { m_pressed = false, m_heldUs = 0; }
    /// True exactly once: when the hold is complete.
    bool tick();
    [[nodiscard]] bool pressed() const { return m_pressed; }
    [[nodiscard]] double progress() const { return m_pressed ? static_cast<double>(m_heldUs) / static_cast<double>(m_neededUs) : 0; }

  private:
    static constexpr std::int64_t LONGEST_STEP_US = 100'000;
    const Clock& m_clock;
    std::int64_t m_neededUs;
    std::int64_t m_lastUs = 0;
    std::int64_t m_heldUs = 0;
    bool m_pressed = false;
};

/// Armed for 20 s, and only as long as no gate changes.
class ArmState {
  public:
    explicit ArmState(const Clock& clock) : m_clock(clock) {}
    void arm(std::uint64_t gateSeq);
    void disarm() { m_armed = false; }
    /// Armed once and not disarmed: perhaps its time is over or a gate has changed meanwhile.
    [[nodiscard]] bool standing() const { return m_armed; }
    [[nodiscard]] bool armed(std::uint64_t gateSeq) const { return m_armed && gateSeq == m_gateSeq && leftUs() > 0; }
    [[nodiscard]] std::int64_t leftUs() const;
    static constexpr std::int64_t VALID_US = 20'000'000;

  private:
    const Clock& m_clock;
    std::int64_t m_sinceUs = 0;
    std::uint64_t m_gateSeq = 0;
    bool m_armed = false;
};

} // namespace tealdeck
