// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/review/document.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

/// Plots as SVG 1.1 (Tiny's subset: no scripts, no styles, no outside), for the report on the screen and on paper.
namespace tealdeck::review {

struct Curve {
    std::string name;
    std::string colour; ///< "#rrggbb"
    std::string dash;   ///< stroke-dasharray; empty: solid. Curves differ in more than colour.
    std::vector<SeriesColumn> columns;
};
struct VerticalMark {
    std::int64_t timeUs = 0;
    std::string text;
};
/// Curves over one time axis from 0 to endUs; gaps in the data stay gaps.
Plot plotCurves(std::string caption, const std::string& unit, const std::vector<Curve>& curves, const std::vector<VerticalMark>& marks,
                std::int64_t fromUs, std::int64_t toUs);

struct Bar {
    std::string name;
    std::vector<std::pair<std::string, double>> parts; ///< each at least 0
};
/// One bar a line, its parts one behind the other.
Plot plotBars(std::string caption, const std::string& unit, const std::vector<Bar>& bars);

} // namespace tealdeck::review
