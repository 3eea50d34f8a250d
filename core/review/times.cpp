// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/times.h"

#include "core/util/clock.h"

#include <cmath>
#include <ctime>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

std::tm localParts(std::int64_t wallUs) {
    const auto seconds = static_cast<std::time_t>(wallUs / 1'000'000 - (wallUs % 1'000'000 < 0 ? 1 : 0));
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
}

int millisOf(std::int64_t wallUs) {
    return static_cast<int>(((wallUs % 1'000'000) + 1'000'000) % 1'000'000 / 1000);
}

} // namespace

std::string localTime(std::int64_t wallUs) {
    const std::tm t = localParts(wallUs);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", t.tm_hour, t.tm_min, t.tm_sec, millisOf(wallUs));
}

std::string localDateTime(std::int64_t wallUs) {
    const std::tm t = localParts(wallUs);
    return fmt::format("{:04}-{:02}-{:02} {}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, localTime(wallUs));
}

std::string zoneName(std::int64_t wallUs) {
    const std::tm t = localParts(wallUs);
    const long minutes = std::abs(t.tm_gmtoff) / 60;
    return fmt::format("{}, UTC{}{:02}:{:02}", t.tm_zone != nullptr ? t.tm_zone : "local", t.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                       minutes % 60);
}

std::string utcDateTime(std::int64_t wallUs) {
    std::string text = isoUtc(wallUs);
    if (text.size() > 11 && text.back() == 'Z') {
        text.pop_back();
        if (const std::size_t t = text.find('T'); t != std::string::npos) {
            text[t] = ' ';
        }
    }
    return text + " UTC";
}

std::string utcTime(std::int64_t wallUs) {
    const std::string text = isoUtc(wallUs);
    const std::size_t t = text.find('T');
    return t == std::string::npos ? text : text.substr(t + 1, 12);
}

std::string positionText(std::int64_t steadyUs) {
    const std::int64_t ms = steadyUs / 1000;
    return fmt::format("{}{}:{:02}:{:02}.{:03}", ms < 0 ? "-" : "", std::abs(ms) / 3'600'000, std::abs(ms) / 60'000 % 60,
                       std::abs(ms) / 1000 % 60, std::abs(ms) % 1000);
}

std::string durationText(double ms) {
    if (!(ms >= 0) || ms > 1e15) {
        return "not known";
    }
    if (ms < 1000) {
        return fmt::format("{:.1f} ms", ms);
    }
    if (ms < 60'000) {
        return fmt::format("{:.2f} s", ms / 1000);
    }
    const double minutes = std::floor(ms / 60'000);
    return minutes < 120 ? fmt::format("{:.0f} min {:.0f} s", minutes, std::floor((ms - minutes * 60'000) / 1000))
                         : fmt::format("{:.1f} h", ms / 3'600'000);
}

} // namespace tealdeck::review
