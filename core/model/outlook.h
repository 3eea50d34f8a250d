// SPDX-License-Identifier: GPL-3.0-or-later
// What lies ahead of the operator: how long the next write pause would be, and how the way back stands. Pure functions of the snapshot, so
// that a replay says what the operator was told.
#pragma once
#include "core/model/snapshot.h"

#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// One part of the pause that is to come.
struct PausePart {
    std::string name;         ///< "drain", "fence", "receive", "open", "resume"
    std::optional<double> ms; ///< std::nullopt: unknown
    std::string from;         ///< where the number comes from, or why there is none
};

struct PauseForecast {
    std::vector<PausePart> parts;
    std::optional<double> totalMs; ///< only when every part is known
    bool overBudget = false;       ///< more than the plan allows: the engine would bring the writes back
};

/// For a cutover or a rollback that would begin now. Times of the pause itself are the longest of the deployment's last three switches
/// that went well, and before the first one commits and answers as they are measured now; the oldest open transaction and the lag are
/// always measured. What nobody measured is unknown.
PauseForecast forecastPause(const Snapshot& snapshot, CommandKind command, std::int64_t nowUs);

/// The time in which a rollback loses nothing.
struct RollbackWindow {
    enum class State { None, Open, Broken, Unknown };
    State state = State::None;           ///< None: GREEN is not production, or for good
    double remainingSeconds = 0;         ///< until the planned end; below 0: past it, which closes nothing
    std::optional<double> lagBytes;      ///< of the feed to BLUE, all databases
    std::optional<double> lagSeconds;    ///< the worst of them
    std::optional<double> retainedBytes; ///< WAL that GREEN keeps for it
    std::vector<std::string> reasons;    ///< why it is broken or unknown, and what would break it
};
const char* rollbackWindowName(RollbackWindow::State state);

RollbackWindow rollbackWindow(const Snapshot& snapshot, std::int64_t nowUs, std::int64_t wallUs);

} // namespace tealdeck
