// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"

namespace tealdeck {

/// The line of the checklist about the newest comparison of the data, before a switch. Unknown until all tables were compared, when the
/// result is older than the plan allows, and when a table could not be decided.
std::vector<CheckState> comparisonChecks(const Plan& plan, const CheckContext& context, const ComparisonState& comparison,
                                         std::int64_t nowWallUs, std::int64_t nowUs);

} // namespace tealdeck
