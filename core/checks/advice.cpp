// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/advice.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

std::string shown(int version) {
    return fmt::format("{}.{}", version / 10000, version % 10000);
}

} // namespace

UpgradeAdvice adviseUpgrade(int from, int to) {
    const int majors = to / 10000 - from / 10000;
    if (to < from) {
        return {"backwards", "high", "none", fmt::format("{} to {} is a step back.", shown(from), shown(to)),
                majors < 0 ? "What newer versions wrote need not fit into older ones."
                           : "An older minor release brings mended defects back."};
    }
    if (to == from) {
        return {"none", "low", "none", fmt::format("Both sides run {}.", shown(from)),
                "There is nothing to upgrade; a move to other hosts is possible all the same."};
    }
    if (majors == 0) {
        return {"minor", "low", "rolling",
                fmt::format("{} to {} is a minor step: upgrade in place, one server after the other.", shown(from), shown(to)),
                "The data folder stays as it is; a second environment would cost more than it saves."};
    }
    return {"major", majors > 2 ? "high" : "medium", "blue-green",
            fmt::format("{} to {} is a major step over {} release{}: blue-green, with tests on green and a way back.", shown(from),
                        shown(to), majors, majors == 1 ? "" : "s"),
            majors > 2 ? "Each major changes plans and behaviour; more of them together make surprises likely, so test under real load."
                       : "Plans and behaviour may change; green shows it before production depends on it."};
}

} // namespace tealdeck
