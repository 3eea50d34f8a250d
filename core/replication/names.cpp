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

std::string slotName(const Plan& plan, Direction direction, const std::string& database) {
    const auto place = std::find(plan.databases.begin(), plan.databases.end(), database) - plan.databases.begin();
    return fmt::format("{}_{}", subscriptionName(plan, direction), place + 1);
}

} // namespace tealdeck
