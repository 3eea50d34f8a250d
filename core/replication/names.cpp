// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {

std::string publicationName(const Plan& plan) {
    return "tealdeck_" + plan.deployment;
}

std::string subscriptionName(const Plan& plan, Direction direction) {
    return fmt::format("tealdeck_{}_{}", plan.deployment, directionName(direction));
}

namespace {

auto placeOf(const Plan& plan, const std::string& database) {
    return std::find(plan.databases.begin(), plan.databases.end(), database) - plan.databases.begin() + 1;
}

} // namespace

std::string slotName(const Plan& plan, Direction direction, const std::string& database) {
    return fmt::format("{}_{}", subscriptionName(plan, direction), placeOf(plan, database));
}

std::string witnessName(const Plan& plan, const std::string& database) {
    return fmt::format("tealdeck_{}_witness_{}", plan.deployment, placeOf(plan, database));
}

} // namespace tealdeck
