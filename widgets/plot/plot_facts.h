// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "widgets/facts/fact_model.h"
#include "widgets/theme/format.h"

namespace tealdeck {

/// The plots as a table: each curve's newest value with its age, and its extremes in the shown time.
std::vector<Fact> plotFacts(const SeriesStore& series, const ViewTime& now, std::int64_t spanUs);

} // namespace tealdeck
