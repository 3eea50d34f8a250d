// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/engine/data_copy.h"
#include "core/postgres/connection.h"
#include "core/recipe/step.h"

#include <memory>
#include <vector>

namespace tealdeck {

/// The runbook from an empty green to one that follows. Each step finds out by itself whether it was done, so the whole can be run again
/// after a crash; with undo it leaves blue as it was. The sessions are opened by the first step and live as long as the steps.
std::vector<Step> replicateSteps(const Connector& connector, const CopyOutlet& outlet = {});

} // namespace tealdeck
