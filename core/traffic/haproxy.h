// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/traffic/haproxy_runtime.h"
#include "core/util/json.h"
#include "core/util/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// How many percent of the reads green takes, and how that is known.
struct ObservedShare {
    double percent = 0;
    bool measured = false; ///< true: counted from new sessions; false: computed from weights and states, too few sessions to count
};

/// One HAProxy backend on the way of the reads, through its runtime API. Weights act on new sessions only.
class Haproxy {
  public:
    explicit Haproxy(HaproxyPlan instance);
    [[nodiscard]] const std::string& name() const { return instance().name; }
    [[nodiscard]] const HaproxyPlan& instance() const { return m_runtime.instance(); }

    /// Conflict when the backend or a server of the plan is not there.
    Result<HaproxyStatus> status(Millis limit) { return m_runtime.status(limit); }
    /// Gives green this share of new sessions, 0–100, by absolute weights. 0: green's servers go to maintenance; 100: blue's drain. Their
    /// sessions have DRAIN_GRACE to end, on top of the limit; then they are shut down. The side that is to take more is ready before the
    /// other gives up anything; Refused when none of its servers runs.
    Status setGreenShare(double percent, Millis limit);
    /// From the sessions that were opened since earlier calls (at least MIN_COUNTED of them), else from the weights.
    Result<ObservedShare> observedGreenShare(Millis limit);

    /// States and weights of the plan's servers as they are: for restore(), as JSON so that it can be written down.
    Result<Json> save(Millis limit);
    /// Brings back exactly what save() saw.
    Status restore(const Json& saved, Millis limit);

    static constexpr std::int64_t MIN_COUNTED = 40;
    static constexpr Millis DRAIN_GRACE{10000};

  private:
    Status drainSessions(Side side);
    Status requireRunning(Side side, Millis limit);

    HaproxyRuntime m_runtime;
    struct Baseline {
        std::int64_t blue = 0;
        std::int64_t green = 0;
        double weightShare = -1;
    };
    std::optional<Baseline> m_baseline;
    std::optional<double> m_lastMeasured;
};

/// The weights, 1–256, of each server of the two sides that come nearest to the share; both sides have at least one server and
/// 0 < percent < 100.
struct ShareWeights {
    int blue = 1;
    int green = 1;
};
ShareWeights weightsFor(double percent, int blueServers, int greenServers);

} // namespace tealdeck
