// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/inventory.h"

#include <algorithm>
#include <cmath>

namespace tealdeck {
namespace {

constexpr double NOTEWORTHY = 0.05;

bool moved(const std::optional<double>& before, const std::optional<double>& now) {
    if (before.has_value() != now.has_value()) {
        return true;
    }
    return before && std::abs(*now - *before) > NOTEWORTHY * std::max(std::abs(*before), 1.0);
}

bool moved(const std::map<std::string, double>& before, const std::map<std::string, double>& now) {
    if (before.size() != now.size()) {
        return true;
    }
    for (const auto& [name, bytes] : now) {
        const auto it = before.find(name);
        if (it == before.end() || moved(std::optional(it->second), std::optional(bytes))) {
            return true;
        }
    }
    return false;
}

Json toJson(const std::vector<InventoryItem>& items) {
    Json list = Json::array();
    for (const InventoryItem& item : items) {
        list.push_back({{"database", item.database}, {"name", item.name}, {"detail", item.detail}});
    }
    return list;
}

Json objectOf(const Json& json, const char* key) {
    Json found = member(json, key, Json::object());
    return found.is_object() ? found : Json::object();
}

std::vector<InventoryItem> itemsFromJson(const Json& json, const char* key) {
    std::vector<InventoryItem> items;
    const Json list = member(json, key, Json::array());
    for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
        const Json& item = list[i];
        items.push_back(
            {member<std::string>(item, "database", ""), member<std::string>(item, "name", ""), member<std::string>(item, "detail", "")});
    }
    return items;
}

Json toJson(const PatroniAnswer& p) {
    return {{"state", p.state}, {"role", p.role},     {"timeline", orNull(p.timeline)},
            {"zone", p.zone},   {"paused", p.paused}, {"problem", p.problem}};
}

PatroniAnswer patroniFromJson(const Json& j) {
    return {member<std::string>(j, "state", ""), member<std::string>(j, "role", ""), optionalNumber(j, "timeline"),
            member<std::string>(j, "zone", ""),  member<bool>(j, "paused", false),   member<std::string>(j, "problem", "")};
}

std::map<std::string, std::string> textsFromJson(const Json& json, const char* key) {
    std::map<std::string, std::string> texts;
    const Json found = objectOf(json, key);
    for (const auto& [name, value] : found.items()) {
        if (value.is_string()) {
            texts[name] = value.get<std::string>();
        }
    }
    return texts;
}

} // namespace

bool hasChanged(const Inventory& before, const Inventory& now) {
    return before.settings != now.settings || before.extensions != now.extensions || before.replicationSlots != now.replicationSlots ||
           before.publications != now.publications || before.subscriptions != now.subscriptions || before.roles != now.roles ||
           before.patroni != now.patroni || before.unknown != now.unknown || moved(before.databaseBytes, now.databaseBytes) ||
           moved(before.diskFreeBytes, now.diskFreeBytes) || moved(before.diskBytes, now.diskBytes);
}

Json toJson(const Inventory& i) {
    return {{"side", i.side},
            {"node", i.node},
            {"settings", i.settings},
            {"extensions", toJson(i.extensions)},
            {"slots", toJson(i.replicationSlots)},
            {"publications", toJson(i.publications)},
            {"subscriptions", toJson(i.subscriptions)},
            {"database_bytes", i.databaseBytes},
            {"roles", orNull(i.roles)},
            {"disk_free_bytes", orNull(i.diskFreeBytes)},
            {"disk_bytes", orNull(i.diskBytes)},
            {"patroni", i.patroni ? toJson(*i.patroni) : Json(nullptr)},
            {"unknown", i.unknown},
            {"sampled_us", i.sampledUs}};
}

Inventory inventoryFromJson(const Json& j) {
    Inventory i;
    i.side = member<std::string>(j, "side", "");
    i.node = member<std::string>(j, "node", "");
    i.settings = textsFromJson(j, "settings");
    i.extensions = itemsFromJson(j, "extensions");
    i.replicationSlots = itemsFromJson(j, "slots");
    i.publications = itemsFromJson(j, "publications");
    i.subscriptions = itemsFromJson(j, "subscriptions");
    const Json bytes = objectOf(j, "database_bytes");
    for (const auto& [name, value] : bytes.items()) {
        if (value.is_number()) {
            i.databaseBytes[name] = value.get<double>();
        }
    }
    i.roles = optionalNumber(j, "roles");
    i.diskFreeBytes = optionalNumber(j, "disk_free_bytes");
    i.diskBytes = optionalNumber(j, "disk_bytes");
    if (const Json patroni = member(j, "patroni", Json()); patroni.is_object()) {
        i.patroni = patroniFromJson(patroni);
    }
    i.unknown = textsFromJson(j, "unknown");
    i.sampledUs = member<std::int64_t>(j, "sampled_us", 0);
    return i;
}

} // namespace tealdeck
