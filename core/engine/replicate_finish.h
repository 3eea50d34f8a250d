// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/cutover/sessions.h"
#include "core/recipe/step.h"

namespace tealdeck {

/// Statistics of the database of the session; where that takes long, coarse ones soon and exact ones after.
Status analyzeInStages(Connection& session, StepContext& context);
/// Compares the structure of each database on both sides; an error names what differs and is not accepted in the plan.
Status compareSchemas(SideSessions& blue, SideSessions& green, const Plan& plan, StepContext& context);

} // namespace tealdeck
