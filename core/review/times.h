// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>

namespace tealdeck::review {

/// "23:59:59.123" and "2026-01-31 23:59:59.123" in the zone of this machine (TZ).
std::string localTime(std::int64_t wallUs);
std::string localDateTime(std::int64_t wallUs);
/// The zone's name at that time and its distance: "CET, UTC+01:00".
std::string zoneName(std::int64_t wallUs);
/// "23:59:59.123".
std::string utcTime(std::int64_t wallUs);
/// "2026-01-31 23:59:59.123 UTC".
std::string utcDateTime(std::int64_t wallUs);
/// "0:12:33.120" since the beginning of the recording.
std::string positionText(std::int64_t steadyUs);
/// "41.5 ms", "3.2 s", "2 min 5 s"; "not known" when negative.
std::string durationText(double ms);

} // namespace tealdeck::review
