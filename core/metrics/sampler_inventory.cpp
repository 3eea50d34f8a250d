// SPDX-License-Identifier: GPL-3.0-or-later
// What each server has, asked once a minute and told when it changed.
#include "core/discovery/inventory_query.h"
#include "core/metrics/sampler.h"

namespace tealdeck {
namespace {
constexpr Millis INVENTORY_LIMIT{2000};
} // namespace

void Sampler::sampleInventory() {
    for (const Side side : {Side::Blue, Side::Green}) {
        const Environment& environment = m_connector.plan().side(side);
        tellInventory(side, environment.primary, m_connector.plan().databases);
        for (const Endpoint& replica : environment.replicas) {
            // A replica has the databases of its primary, and what is in them.
            tellInventory(side, replica, {});
        }
    }
}

void Sampler::tellInventory(Side side, const Endpoint& endpoint, const std::vector<std::string>& databases) {
    if (halted()) {
        return;
    }
    // What takes long here must not make a server look silent to the fast samples, which have sessions of their own.
    InventoryQuery query([&](const std::string& database, const std::string& sql) {
        return database.empty() ? m_discovery.ask(side, endpoint, sql, INVENTORY_LIMIT) : m_sessions.query(side, database, sql);
    });
    Inventory now = query.take(side, endpoint, databases);
    if (halted()) {
        return; // half an answer would show things as gone that were not asked for
    }
    now.sampledUs = m_clock();
    const auto known = m_inventory.find({side, endpoint.name});
    if (known == m_inventory.end() || hasChanged(known->second, now)) {
        emit(EventKind::Inventory, toJson(now));
        m_inventory[{side, endpoint.name}] = std::move(now);
    }
}

} // namespace tealdeck
