// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/plan/plan.h"

namespace tealdeck {

/// Prints every check that there is; needs neither a plan nor a server. Returns the exit code.
int printCatalogue(bool json);
/// Prints what is not in order, the advice and the cost, as `tealctl check` shows them.
void printChecklist(const Snapshot& snapshot, const Plan& plan);
/// The cost for --json; null when the plan tells no prices.
Json costJson(const Snapshot& snapshot, const Plan& plan);

} // namespace tealdeck
