// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/facts/fact_model.h"
#include "widgets/theme/format.h"

namespace tealdeck {

/// What the engine says about the strategy and its cost: the checklist's family "advice", with each answer's age.
std::vector<Fact> adviceFacts(const Snapshot& snapshot, const ViewTime& now);

} // namespace tealdeck
