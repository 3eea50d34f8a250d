// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"

namespace tealdeck::test {

/// A clock that a test moves.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] std::int64_t steadyUs() const override { return m_us; }
    [[nodiscard]] std::int64_t wallUs() const override { return 1'700'000'000'000'000 + m_us; }
    void advanceMs(std::int64_t ms) { m_us += ms * 1000; }

  private:
    std::int64_t m_us = 1'000'000;
};

} // namespace tealdeck::test
