// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/ramp_step.h"

#include "core/engine/teardown_steps.h"
#include "core/util/files.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis ROUTER_LIMIT{3000};

Status moveReads(const Plan& plan, Haproxy& balancer, double percent) {
    const std::filesystem::path saved = savedRouterFile(plan, balancer.name());
    if (std::error_code none; !std::filesystem::exists(saved, none)) {
        const Result<Json> before = balancer.save(ROUTER_LIMIT);
        if (!before) {
            return before.error();
        }
        if (const Status kept = writeFileAtomically(saved, dumpJson(*before)); !kept) {
            return kept;
        }
    }
    return balancer.setGreenShare(percent, ROUTER_LIMIT);
}

} // namespace

Step rampStep(const Plan& plan, const std::vector<std::unique_ptr<Haproxy>>& balancers, double percent) {
    Step step;
    step.id = "ramp";
    step.title = fmt::format("Send {:.0f} % of the reads to GREEN", percent);
    step.limit = Millis(30000);
    step.waitsFor = "the load balancer";
    step.run = [&plan, &balancers, percent](StepContext&) -> Status {
        for (const auto& balancer : balancers) {
            if (const Status moved = moveReads(plan, *balancer, percent); !moved) {
                return moved;
            }
        }
        return {};
    };
    return step;
}

} // namespace tealdeck
