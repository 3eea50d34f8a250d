// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"

#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What the second environment costs, in the plan's currency. std::nullopt is "not known": a price or an instance is missing in the plan.
struct CostReport {
    std::string currency; ///< empty: the plan tells no prices
    std::optional<double> bluePerDay;
    std::optional<double> greenPerDay;
    std::optional<double> soFar;       ///< since the plan's [cost] since, or since the given begin
    std::optional<double> projected;   ///< over the expected days
    std::optional<double> savedPerDay; ///< what green is cheaper than blue; negative: dearer
    std::vector<std::string> breaks;   ///< in which ways the cheaper green is less than blue, one sentence each
    std::vector<std::string> missing;  ///< what the plan does not tell, one sentence each
};

/// Pure. `nowWallUs` and `beganWallUs` are microseconds since 1970; beganWallUs 0: not known.
CostReport costOf(const Plan& plan, std::int64_t nowWallUs, std::int64_t beganWallUs);
/// The report as lines for a terminal; empty when the plan tells no prices.
std::vector<std::string> costLines(const CostReport& report);

} // namespace tealdeck
