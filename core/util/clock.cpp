// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/clock.h"

#include <ctime>
#include <fmt/format.h>

namespace tealdeck {
namespace {

class SystemClock final : public Clock {
  public:
    [[nodiscard]] std::int64_t steadyUs() const override { return us(std::chrono::steady_clock::now().time_since_epoch()); }
    [[nodiscard]] std::int64_t wallUs() const override { return us(std::chrono::system_clock::now().time_since_epoch()); }

  private:
    template <class Duration>
    static std::int64_t us(Duration d) {
        return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
    }
};

} // namespace

const Clock& Clock::system() {
    static const SystemClock clock;
    return clock;
}

Millis Deadline::left() const {
    const auto rest = std::chrono::duration_cast<Millis>(m_at - std::chrono::steady_clock::now());
    return rest.count() > 0 ? rest : Millis(0);
}

std::string isoUtc(std::int64_t wallUs) {
    std::int64_t seconds = wallUs / 1'000'000;
    std::int64_t micros = wallUs % 1'000'000;
    if (micros < 0) {
        micros += 1'000'000;
        --seconds;
    }
    const auto t = static_cast<std::time_t>(seconds);
    std::tm utc{};
    gmtime_r(&t, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                       utc.tm_min, utc.tm_sec, micros / 1000);
}

} // namespace tealdeck
