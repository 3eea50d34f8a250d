// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/recipe/step.h"
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"
#include "core/traffic/write_router.h"

#include <memory>
#include <vector>

namespace tealdeck {

struct TeardownContext {
    const Connector& connector;
    std::vector<std::unique_ptr<PgBouncer>>& poolers;
    std::vector<std::unique_ptr<Haproxy>>& balancers;
    const WriteRouters& routers;
};

/// Where the state of a router before the deployment touched it is kept.
std::filesystem::path savedRouterFile(const Plan& plan, const std::string& router);

/// Keeps the state of each router of the writes there, once.
Status keepRouterStates(const Plan& plan, const WriteRouters& routers);

/// Abort while blue is production: reads back, feeds, slots, publications, identities, control schemas removed; blue as it was found.
/// Every step has its own limit; what can't be removed is named and the rest goes on.
std::vector<Step> abortSteps(TeardownContext context);

/// Green stays production: the feed to blue ends, green loses everything that was made for the upgrade; blue stays fenced.
std::vector<Step> finalizeSteps(TeardownContext context);

/// True when something that finalizing removes is still on a server; an error when one cannot be asked.
Result<bool> isLeftToFinalize(const Connector& connector);

} // namespace tealdeck
