// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/client_pauses.h"

#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t MOST_GROUPS = 50;

} // namespace

Json toJson(const ClientPauses& pauses) {
    Json groups = Json::array();
    for (std::size_t i = 0; i < std::min(pauses.groups.size(), MOST_GROUPS); ++i) {
        const ClientGroup& g = pauses.groups[i];
        groups.push_back({{"user", g.user},
                          {"database", g.database},
                          {"application", g.application},
                          {"address", g.address},
                          {"clients", g.clients},
                          {"longest_ms", g.longestMs}});
    }
    return {{"direction", pauses.direction}, {"pooler", pauses.pooler}, {"waiting", pauses.waiting}, {"groups", std::move(groups)}};
}

ClientPauses clientPausesFromJson(const Json& json) {
    ClientPauses pauses;
    pauses.direction = member<std::string>(json, "direction", "");
    pauses.pooler = member<std::string>(json, "pooler", "");
    pauses.waiting = member<int>(json, "waiting", 0);
    const Json groups = member<Json>(json, "groups", Json::array());
    for (const Json& one : groups.is_array() ? groups : Json::array()) {
        if (pauses.groups.size() == MOST_GROUPS) {
            break;
        }
        pauses.groups.push_back({member<std::string>(one, "user", ""), member<std::string>(one, "database", ""),
                                 member<std::string>(one, "application", ""), member<std::string>(one, "address", ""),
                                 member<int>(one, "clients", 0), member<double>(one, "longest_ms", 0)});
    }
    return pauses;
}

std::string clientPausesText(const ClientPauses& pauses) {
    const std::string pooler = plainText(pauses.pooler, 80);
    if (pauses.waiting == 0) {
        return fmt::format("no client waited at {}", pooler);
    }
    double longest = 0;
    for (const ClientGroup& group : pauses.groups) {
        longest = std::max(longest, group.longestMs);
    }
    return fmt::format("{} client{} waited at {}, the longest {:.0f} ms", pauses.waiting, pauses.waiting == 1 ? "" : "s", pooler, longest);
}

std::string clientGroupName(const ClientGroup& group) {
    std::string name;
    for (const std::string* part : {&group.user, &group.database, &group.application, &group.address}) {
        const std::string plain = plainText(*part, 60);
        name += (name.empty() || plain.empty() ? "" : " · ") + plain;
    }
    return name.empty() ? "unnamed" : name;
}

} // namespace tealdeck
