// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <string>

namespace tealdeck {

/// What a proxied link of the lab does with connections and bytes.
enum class FaultMode {
    Pass,    ///< everything goes through
    Delay,   ///< each byte comes later by the given time, in both directions
    Cut,     ///< existing connections are closed, new ones are refused
    Reset,   ///< existing and new connections are answered with a TCP reset
    Stall,   ///< a black hole: connections stay, new ones are taken, nothing arrives; what was sent comes through when it ends
    HalfOpen ///< what the connecting party sends arrives, the answers do not until it ends
};

struct Fault {
    FaultMode mode = FaultMode::Pass;
    Millis delay{0}; ///< of FaultMode::Delay, for one direction
};

/// "pass", "delay", "cut", "reset", "stall" or "half-open".
const char* faultModeName(FaultMode mode);
/// From the mode's name and, for delay only, its milliseconds; Invalid with the allowed names or range.
Result<Fault> parseFault(const std::string& mode, int ms);

} // namespace tealdeck
