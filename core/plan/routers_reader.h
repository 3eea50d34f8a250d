// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/plan/plan_reader.h"

namespace tealdeck {

/// The tables [[haproxy]] (reads and writes), [[dns]], [[service_file]] and [[router_command]]. Needs the sides and the poolers of the
/// plan, because no two routers may have one name.
void readRouters(PlanTable& root, Plan& plan);
/// The keys of a program of the operator's: PREFIXprogram, PREFIXarguments, PREFIXenvironment, PREFIXlimit_ms.
OwnProgram readOwnProgram(PlanTable& table, const std::string& prefix, bool required);
/// Every entry must be a variable's name: values do not belong into a plan.
void refuseOtherThanVariables(PlanTable& table, const char* key, const std::vector<std::string>& names);

} // namespace tealdeck
