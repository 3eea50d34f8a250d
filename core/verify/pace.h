// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <poll.h>

namespace tealdeck::verify {

/// Holds several threads to one rate.
class Pace {
  public:
    explicit Pace(double rowsPerSecond) : m_rate(rowsPerSecond) {}
    void spend(std::int64_t rows, const std::function<bool()>& cancelled) {
        if (m_rate <= 0) {
            return;
        }
        std::chrono::steady_clock::time_point until;
        {
            const std::lock_guard lock(m_mutex);
            m_next =
                std::max(m_next, std::chrono::steady_clock::now()) + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                                         std::chrono::duration<double>(static_cast<double>(rows) / m_rate));
            until = m_next;
        }
        while (std::chrono::steady_clock::now() < until && !cancelled()) {
            ::poll(nullptr, 0, 20);
        }
    }

  private:
    double m_rate;
    std::mutex m_mutex;
    std::chrono::steady_clock::time_point m_next;
};

} // namespace tealdeck::verify
