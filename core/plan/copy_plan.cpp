// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/copy_plan.h"

#include "core/plan/plan_extras.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr CopyStrategy STRATEGIES[] = {CopyStrategy::Auto, CopyStrategy::Snapshot, CopyStrategy::ServerToServer};

CopyStrategy readStrategy(PlanTable& table) {
    const std::string word = table.text("strategy", TextRule::Free, copyStrategyName(CopyStrategy::Auto));
    for (const CopyStrategy strategy : STRATEGIES) {
        if (word == copyStrategyName(strategy)) {
            return strategy;
        }
    }
    table.problem("strategy", fmt::format("must be auto, snapshot or server-to-server, not \"{}\"", shownText(word)),
                  "Use auto unless the data must not pass through this machine.");
    return CopyStrategy::Auto;
}

} // namespace

const char* copyStrategyName(CopyStrategy strategy) {
    switch (strategy) {
    case CopyStrategy::Snapshot:
        return "snapshot";
    case CopyStrategy::ServerToServer:
        return "server-to-server";
    case CopyStrategy::Auto:
        break;
    }
    return "auto";
}

void readCopy(PlanTable& root, Plan& plan) {
    PlanTable table = root.table("copy", false);
    CopyPlan& c = plan.copy;
    c.strategy = readStrategy(table);
    c.connections = static_cast<int>(table.whole("connections", 1, 64, c.connections));
    c.bytesPerSecond = table.number("bytes_per_second", 0, 1e15, c.bytesPerSecond);
    c.maxWalRetainedMib = table.number("max_wal_retained_mib", 0, 1e9, c.maxWalRetainedMib);
    c.maxReplicaLagMib = table.number("max_replica_lag_mib", 0, 1e9, c.maxReplicaLagMib);
    c.splitMib = table.number("split_mib", 0.1, 1e9, c.splitMib);
    c.stallSeconds = table.number("stall_seconds", 1, 86400, c.stallSeconds);
    c.rehearsal = table.truth("rehearsal", c.rehearsal);
    for (PlanTable& entry : table.tables("accepted_difference")) {
        c.accepted.push_back({entry.text("object", TextRule::Free), entry.text("why", TextRule::Free)});
        entry.refuseOtherKeys();
    }
    table.refuseOtherKeys();
}

} // namespace tealdeck
