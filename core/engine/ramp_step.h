// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/recipe/step.h"
#include "core/traffic/haproxy.h"

#include <memory>
#include <vector>

namespace tealdeck {

/// Sends the share of the reads, 0 to 100 percent, to GREEN at every balancer; what they had before is kept once. Everything is borrowed.
Step rampStep(const Plan& plan, const std::vector<std::unique_ptr<Haproxy>>& balancers, double percent);

} // namespace tealdeck
