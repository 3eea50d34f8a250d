// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/report.h"

namespace tealdeck::review {

/// A moment that two recordings have in common: "phase:observe" (its first beginning), "switch:cutover" (the first one done),
/// "command:replicate" (asked for first) or "step:cutover.gate". std::nullopt when the recording has none.
std::optional<Moment> findAnchor(const Measures& measures, const std::string& anchor);
/// What is taken when nobody chooses: the beginning of the time after the cutover.
inline constexpr const char* DEFAULT_ANCHOR = "phase:observe";
/// What can be aligned on in both, in the order of the first; at most some hundred.
std::vector<std::string> commonAnchors(const Measures& a, const Measures& b);
/// True for a text of one of these forms.
bool isAnchor(const std::string& anchor);

struct StepPair {
    std::string id;
    std::optional<double> ms[2]; ///< of the last one done in each; nothing: not there, or never done
};

/// Two recordings side by side, aligned on the anchor; a rehearsal against production.
struct Comparison {
    std::string anchor;
    std::optional<Moment> at[2];
    std::vector<StepPair> steps; ///< in the order of the first, then what only the second has
    std::vector<StepPair> commands;
};
Comparison compareRecordings(const ReportData& a, const ReportData& b, const std::string& anchor);

/// Durations side by side, pauses, alarms, and the lags overlaid, zero at the anchor.
Document makeComparison(const ReportData& a, const ReportData& b, const std::string& anchor);

} // namespace tealdeck::review
