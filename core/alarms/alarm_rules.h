// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/plan/plan.h"
#include "core/util/clock.h"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What the rules need of a plan.
struct AlarmLimits {
    AlarmPlan plan;
    double rampLagSeconds = 1; ///< the bound while reads are on GREEN
    bool poolers = false;      ///< writes go through poolers, so that where they lead can be known
};
AlarmLimits alarmLimits(const Plan& plan);

/// What the rules remember between two looks; kept by the AlarmBook.
struct AlarmMemory {
    std::map<std::string, std::deque<std::pair<std::int64_t, double>>> lags; ///< by direction: steady time and bytes of the last minute
    std::map<std::string, double> schemaChanges;                             ///< by side: the counter when last seen
    std::int64_t steadyUs = 0;                                               ///< of the last look; 0: none yet
    std::int64_t wallUs = 0;
};

/// One look of the rules.
struct AlarmView {
    const Snapshot& snapshot;
    const AlarmLimits& limits;
    const AlarmMemory& memory;
    std::int64_t nowUs;  ///< steady time of the session
    std::int64_t wallUs; ///< since 1970

    /// The metric's value; std::nullopt when it is unknown or older than the age.
    [[nodiscard]] std::optional<double> metric(const std::string& name, Millis maxAge) const;
};

/// Not knowing neither raises an alarm nor ends one.
enum class Sign { Clear, Raised, Unknown };

struct AlarmFinding {
    std::string object; ///< what it is about: "forward/shop", "blue"; empty: the deployment
    Sign sign = Sign::Unknown;
    std::string cause;
};

/// One kind of alarm, as data.
struct AlarmRule {
    const char* id;
    const char* priority; ///< high: act now; medium: act soon; low: know it
    const char* response; ///< what is required of the operator
    Millis onDelay;       ///< the condition must hold this long before the alarm is raised
    Millis offDelay;      ///< and be gone this long before it is over
    bool latched;         ///< a moment that has passed: stays until it is acknowledged
    std::vector<AlarmFinding> (*look)(const AlarmView&);
};

/// All rules. Their order is the order in which alarms of one moment are told.
const std::vector<AlarmRule>& alarmRules();

} // namespace tealdeck
