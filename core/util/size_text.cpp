// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/size_text.h"

#include <cstddef>
#include <fmt/format.h>

namespace tealdeck {

std::string sizeText(double bytes) {
    const char* const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    for (; bytes >= 1000 && unit < 4; ++unit) {
        bytes /= 1000;
    }
    return unit == 0 ? fmt::format("{:.0f} bytes", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

} // namespace tealdeck
