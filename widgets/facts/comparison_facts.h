// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/facts/fact_model.h"
#include "widgets/theme/format.h"

namespace tealdeck {

/// How far the newest comparison of both sides' data is, or what it found, in one sentence; empty: never compared.
QString comparisonSummary(const ComparisonState& comparison, const ViewTime& now);
/// Its tables, those that are not equal first, and the changes of the schema that one side lacks.
std::vector<Fact> comparisonFacts(const Snapshot& snapshot, const ViewTime& now);

} // namespace tealdeck
