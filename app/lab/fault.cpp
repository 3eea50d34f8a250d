// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/fault.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr FaultMode MODES[] = {FaultMode::Pass, FaultMode::Delay, FaultMode::Cut, FaultMode::Reset, FaultMode::Stall, FaultMode::HalfOpen};
constexpr int LONGEST_DELAY_MS = 60000;

} // namespace

const char* faultModeName(FaultMode mode) {
    switch (mode) {
    case FaultMode::Pass:
        return "pass";
    case FaultMode::Delay:
        return "delay";
    case FaultMode::Cut:
        return "cut";
    case FaultMode::Reset:
        return "reset";
    case FaultMode::Stall:
        return "stall";
    case FaultMode::HalfOpen:
        break;
    }
    return "half-open";
}

Result<Fault> parseFault(const std::string& mode, int ms) {
    for (const FaultMode known : MODES) {
        if (mode != faultModeName(known)) {
            continue;
        }
        if (known == FaultMode::Delay && (ms < 1 || ms > LONGEST_DELAY_MS)) {
            return Error{Error::Kind::Invalid, fmt::format("--ms: {} is no delay.", ms), "Give 1 to 60000 milliseconds.", {}};
        }
        if (known != FaultMode::Delay && ms != 0) {
            return Error{Error::Kind::Invalid, fmt::format("--ms: {} takes no time.", mode), "Use it with delay only.", {}};
        }
        return Fault{known, Millis(ms)};
    }
    return Error{Error::Kind::Invalid,
                 fmt::format("A link knows no mode \"{}\".", mode),
                 "Allowed are pass, delay, cut, reset, stall and half-open.",
                 {}};
}

} // namespace tealdeck
