// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace tealdeck::decimal {

/// Numbers as whole multiples of 10^-scale: what is sampled has few decimals, and whole numbers have short differences.
inline constexpr int MAX_SCALE = 9;
inline constexpr std::array<double, MAX_SCALE + 1> POWERS{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/// The value times 10^scale, when turning it back gives exactly the same number.
inline std::optional<std::int64_t> whole(double value, int scale) {
    const double power = POWERS[static_cast<std::size_t>(scale)];
    const double scaled = std::nearbyint(value * power);
    const bool exact = std::abs(scaled) < 9007199254740992.0 && scaled / power == value;
    return exact ? std::optional(static_cast<std::int64_t>(scaled)) : std::nullopt;
}

inline double back(std::int64_t scaled, int scale) {
    return static_cast<double>(scaled) / POWERS[static_cast<std::size_t>(scale)];
}

/// The smallest scale from `least` on that holds the value exactly; std::nullopt when none does.
inline std::optional<int> scaleFor(double value, int least) {
    for (int scale = least; scale <= MAX_SCALE; ++scale) {
        if (whole(value, scale)) {
            return scale;
        }
    }
    return std::nullopt;
}

} // namespace tealdeck::decimal
