// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/topology/node_facts.h"

#include "widgets/theme/paint.h"
#include "widgets/theme/theme.h"
#include "widgets/topology/topology_view.h"

#include <QCoreApplication>

#include <algorithm>

namespace tealdeck {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("NodeFacts", text);
}

QString orUnknown(const std::string& text) {
    return text.empty() ? unknownMark() : safeText(text);
}

/// What the server has, as it said itself; told when it changes, so its age is that of the last change.
void addInventory(std::vector<Fact>& facts, const Inventory& inventory) {
    const auto items = [&](const char* key, const QString& what, const std::vector<InventoryItem>& list) {
        int number = 0;
        for (const InventoryItem& item : list) {
            const QString where = item.database.empty() ? QString() : safeText(item.database) + QStringLiteral(": ");
            facts.push_back({key + std::to_string(number++), {what, QStringLiteral("%1%2, %3").arg(where, safeText(item.name), safeText(item.detail))}, false, false});
        }
    };
    items("slot", tr("Slot"), inventory.replicationSlots);
    items("publication", tr("Publication"), inventory.publications);
    items("subscription", tr("Subscription"), inventory.subscriptions);
    items("extension", tr("Extension"), inventory.extensions);
    if (inventory.diskFreeBytes) {
        facts.push_back({"disk", {tr("Free disk"), tr("%1 of %2").arg(formatBytes(*inventory.diskFreeBytes), bytesOrUnknown(inventory.diskBytes))}, false, false});
    }
    for (const auto& [name, value] : inventory.settings) {
        facts.push_back({"setting/" + name, {tr("Setting"), QStringLiteral("%1 = %2").arg(safeText(name), safeText(value))}, false, false});
    }
    for (const auto& [what, reason] : inventory.unknown) {
        facts.push_back({"unknown/" + what, {tr("Not known"), QStringLiteral("%1: %2").arg(safeText(what), safeText(reason))}, true, false});
    }
}

} // namespace

std::vector<Fact> nodeFacts(const Snapshot& snapshot, Env env, const std::string& name, const ViewTime& now) {
    const std::vector<Node>& nodes = env == Env::Blue ? snapshot.blue : snapshot.green;
    const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; });
    if (found == nodes.end()) {
        return {};
    }
    const Node& n = *found;
    const bool stale = nodeIsStale(n, now);
    std::vector<Fact> facts;
    const auto add = [&](const char* key, const QString& what, const QString& value, bool ages = false) {
        facts.push_back({key, {what, value}, ages && stale, false});
    };
    add("server", tr("Server"), QStringLiteral("%1 %2").arg(envName(env), safeText(n.name)));
    add("role", tr("Role"), safeText(n.role));
    add("state", tr("State"), n.detail.empty() ? safeText(n.state) : QStringLiteral("%1: %2").arg(safeText(n.state), safeText(n.detail)),
        true);
    facts.back().strong = n.state == "down";
    add("asked", tr("Asked"),
        n.sampledUs > 0 ? tr("%1 ago%2").arg(formatAge(now.steadyUs - n.sampledUs), stale ? tr(": STALE") : QString()) : tr("never"), true);
    add("address", tr("Address"), QStringLiteral("%1:%2").arg(safeText(n.host)).arg(n.port));
    add("zone", tr("Zone"), orUnknown(n.zone));
    add("version", tr("Version"), orUnknown(n.version));
    add("system", tr("System identifier"), orUnknown(n.systemIdentifier));
    add("connections", tr("Client sessions"), n.connections ? formatNumber(*n.connections) : unknownMark(), true);
    if (n.role != "primary") {
        add("lag", tr("Behind its primary"), QStringLiteral("%1, %2").arg(bytesOrUnknown(n.lagBytes), secondsOrUnknown(n.lagSeconds)),
            true);
    } else {
        add("fence", tr("Fence"), safeText(env == Env::Blue ? snapshot.blueFence : snapshot.greenFence));
    }
    for (const Inventory& inventory : snapshot.inventory) {
        if (inventory.node == name && inventory.side == (env == Env::Blue ? "blue" : "green")) {
            addInventory(facts, inventory);
        }
    }
    return facts;
}

} // namespace tealdeck
