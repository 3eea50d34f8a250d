// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"

#include <string>

namespace tealdeck {

/// The way that changes flow: forward is blue to green, reverse is green to blue.
enum class Direction { Forward, Reverse };
inline Side sourceOf(Direction direction) {
    return direction == Direction::Forward ? Side::Blue : Side::Green;
}
inline Side destinationOf(Direction direction) {
    return otherSide(sourceOf(direction));
}
inline Direction opposite(Direction direction) {
    return direction == Direction::Forward ? Direction::Reverse : Direction::Forward;
}
inline const char* directionName(Direction direction) {
    return direction == Direction::Forward ? "forward" : "reverse";
}

/// Names on the servers. All are of [a-z0-9_], as slots demand.
std::string publicationName(const Plan& plan);
/// Subscriptions belong to a database: the same name in each.
std::string subscriptionName(const Plan& plan, Direction direction);
/// Slots belong to the cluster: numbered by the database's place in the plan.
std::string slotName(const Plan& plan, Direction direction, const std::string& database);
/// The slot that tells afterwards whether a fence was tight.
std::string witnessName(const Plan& plan, const std::string& database);

} // namespace tealdeck
