// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

/// The parts of a snapshot from JSON, for the fold and the seam. A member that is absent or of a wrong shape reads as its default:
/// nothing here fails.
namespace tealdeck {

SessionInfo sessionFromJson(const Json& json);
Node nodeFromJson(const Json& json);
CheckState checkFromJson(const Json& json);
StepState stepFromJson(const Json& json);
ReplicationState replicationFromJson(const Json& json);
TrafficState trafficFromJson(const Json& json);
AlarmState alarmFromJson(const Json& json);
SwitchReport switchFromJson(const Json& json);

template <class T>
std::vector<T> listFromJson(const Json& json, const char* key, T (*one)(const Json&)) {
    std::vector<T> list;
    const Json found = member(json, key, Json::array());
    if (found.is_array()) {
        for (const Json& item : found) {
            list.push_back(one(item));
        }
    }
    return list;
}

} // namespace tealdeck
