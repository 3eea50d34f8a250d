// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/ramp_watch.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

/// A value that is older was measured before whatever is wrong now.
constexpr std::int64_t FRESH_US = 10'000'000;
/// Below this difference a ratio of two small times is noise.
constexpr double LEAST_DIFFERENCE_MS = 5;
constexpr int FAILURES_IN_A_ROW = 6;

std::optional<double> fresh(const Snapshot& s, const std::string& name, std::int64_t nowUs) {
    const auto it = s.metrics.find(name);
    return it == s.metrics.end() || nowUs - it->second.sampledUs > FRESH_US ? std::nullopt : it->second.value;
}

} // namespace

double stepBelow(const RampPlan& plan, double percent) {
    double below = 0;
    for (const int step : plan.steps) {
        below = step < percent ? std::max(below, static_cast<double>(step)) : below;
    }
    return below;
}

ReadsVerdict judgeReads(const Snapshot& s, const RampPlan& plan, std::int64_t nowUs) {
    using Kind = ReadsVerdict::Kind;
    const std::optional<double> lag = fresh(s, "lag_seconds.forward", nowUs);
    if (!lag) {
        return {Kind::Stale, "How far GREEN is behind is not known."};
    }
    if (*lag > plan.maxLagSeconds) {
        return {Kind::Stale, fmt::format("GREEN is {:.1f} s behind; the plan allows {:g}.", *lag, plan.maxLagSeconds)};
    }
    const std::optional<double> errors = fresh(s, "read_errors_percent.green", nowUs);
    const double blueErrors = fresh(s, "read_errors_percent.blue", nowUs).value_or(0);
    if (errors && *errors > plan.maxErrorPercent + blueErrors) {
        return {Kind::Bad, fmt::format("{:.1f} % of GREEN's sessions fail ({:.1f} % of BLUE's); the plan allows {:g}.", *errors, blueErrors,
                                       plan.maxErrorPercent)};
    }
    if (const std::optional<double> failed = fresh(s, "read_probe_failures", nowUs); failed && *failed >= FAILURES_IN_A_ROW) {
        return {Kind::Bad, fmt::format("The last {:.0f} reads through the balancer were not answered.", *failed)};
    }
    const std::optional<double> green = fresh(s, "read_p95_ms.green", nowUs);
    const std::optional<double> blue = fresh(s, "read_p95_ms.blue", nowUs);
    if (green && blue && *green > *blue * plan.maxLatencyRatio && *green > *blue + LEAST_DIFFERENCE_MS) {
        return {Kind::Bad, fmt::format("95 % of GREEN's reads take up to {:.1f} ms, BLUE's {:.1f}; the plan allows {:g} times as much.",
                                       *green, *blue, plan.maxLatencyRatio)};
    }
    return {};
}

std::optional<RampWatch::StepBack> RampWatch::look(const Snapshot& s, const RampPlan& plan, std::int64_t nowUs) {
    const double target = s.traffic.readsGreenTarget;
    // After the cutover the reads follow the writes: the ramp's bounds are those of a follower.
    if (s.phase != Phase::Ramp || target <= 0) {
        m_breaches = 0;
        return std::nullopt;
    }
    const auto newest = s.metrics.find("sampler_ms");
    const std::int64_t sampledUs = newest == s.metrics.end() ? nowUs : newest->second.sampledUs;
    if (sampledUs == m_lastUs) {
        return std::nullopt;
    }
    m_lastUs = sampledUs;
    const ReadsVerdict verdict = judgeReads(s, plan, nowUs);
    m_breaches = verdict.kind == ReadsVerdict::Kind::Fine ? 0 : m_breaches + 1;
    if (m_breaches < IN_A_ROW) {
        return std::nullopt;
    }
    m_breaches = 0;
    const bool stale = verdict.kind == ReadsVerdict::Kind::Stale;
    return StepBack{stale ? 0 : stepBelow(plan, target), verdict.reason, !stale};
}

} // namespace tealdeck
