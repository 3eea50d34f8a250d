// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// Something that lives in a server: an extension, a slot, a publication, a subscription.
struct InventoryItem {
    std::string database; ///< empty: it belongs to the server as a whole
    std::string name;
    std::string detail; ///< "1.6"; "logical pgoutput, active, reserved"
    friend bool operator==(const InventoryItem&, const InventoryItem&) = default;
};

/// What Patroni says about a server that it manages (GET /patroni).
struct PatroniAnswer {
    std::string state; ///< "running", "stopped", …; empty: it did not answer
    std::string role;  ///< "primary", "replica", "standby_leader"
    std::optional<double> timeline;
    std::string zone;    ///< the tag "zone"
    bool paused = false; ///< maintenance mode: it will not fail over
    std::string problem; ///< why there is no answer, or where it contradicts the server itself; empty: all is well
    friend bool operator==(const PatroniAnswer&, const PatroniAnswer&) = default;
};

/// What one server has, as it says itself. Asked about once a minute and told only when it changed.
struct Inventory {
    std::string side;                            ///< "blue", "green"
    std::string node;                            ///< its name in the plan
    std::map<std::string, std::string> settings; ///< those that matter here, as SHOW writes them
    std::vector<InventoryItem> extensions;       ///< of the plan's databases
    std::vector<InventoryItem> replicationSlots; ///< not "slots", which Qt makes a keyword
    std::vector<InventoryItem> publications;
    std::vector<InventoryItem> subscriptions;
    std::map<std::string, double> databaseBytes; ///< by database
    std::optional<double> roles;                 ///< how many roles may log in
    std::optional<double> diskFreeBytes;         ///< where the data directory is; known only for servers on the engine's machine
    std::optional<double> diskBytes;             ///< size of that file system
    std::optional<PatroniAnswer> patroni;        ///< none: the plan names no Patroni for it
    std::map<std::string, std::string> unknown;  ///< what could not be asked, with the reason: {"slots": "permission denied"}
    std::int64_t sampledUs = 0;                  ///< steady time at which it was told
};

/// True when the two differ in what a reader would call a change: sizes and free space only when they moved by a twentieth.
bool hasChanged(const Inventory& before, const Inventory& now);

Json toJson(const Inventory& inventory);
/// A member that is absent or of a wrong shape reads as its default.
Inventory inventoryFromJson(const Json& json);

} // namespace tealdeck
