// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

#include <cstdint>
#include <optional>

namespace tealdeck {

/// The two clocks at the moment that a panel shows: live it runs on between events, in replay it is the position.
struct ViewTime {
    std::int64_t steadyUs = 0;
    std::int64_t wallUs = 0;
};

/// After this long without a new sample a value is hatched and says STALE.
namespace staleness {
inline constexpr std::int64_t HEARTBEAT_US = 3'000'000;
inline constexpr std::int64_t METRIC_US = 5'000'000;
inline constexpr std::int64_t NODE_US = 15'000'000;
} // namespace staleness

QString formatBytes(double bytes);                ///< "1.4 MiB"
QString formatSeconds(double seconds);            ///< "40 ms", "1.2 s", "3:12", "1:02:03"
QString formatDuration(std::int64_t us);          ///< "0:07", "3:12", "1:02:03"
QString formatAge(std::int64_t us);               ///< "now", "4 s", "3 min", "2 h"
QString formatNumber(double value);               ///< three significant digits
QString formatUtcTime(std::int64_t wallUs);       ///< "03:12:45"
QString formatUtcMillis(std::int64_t wallUs);     ///< "03:12:45.123"
QString unknownMark();                            ///< what stands where a value is unknown: "?"
QString bytesOrUnknown(const std::optional<double>& bytes);
QString secondsOrUnknown(const std::optional<double>& seconds);
/// Steady microseconds as "00:12:33.120", and back; std::nullopt when it is none.
QString formatPosition(std::int64_t us);
std::optional<std::int64_t> parsePosition(const QString& text);

} // namespace tealdeck
