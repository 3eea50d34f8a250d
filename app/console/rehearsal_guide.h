// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/facts/fact_model.h"

namespace tealdeck {

/// A walk through a whole upgrade for somebody who practises: each station, whether it is behind, and what to do at the next one.
std::vector<Fact> rehearsalFacts(const Snapshot& snapshot);

} // namespace tealdeck
