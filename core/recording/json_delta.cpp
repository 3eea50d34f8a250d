// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/json_delta.h"

#include <charconv>

namespace tealdeck {
namespace {

Json objectDelta(const Json& base, const Json& now) {
    Json changed = Json::object();
    Json removed = Json::array();
    for (const auto& [key, value] : now.items()) {
        const auto before = base.find(key);
        if (before == base.end()) {
            changed[key] = {{"v", value}};
        } else if (Json delta = jsonDelta(*before, value); !delta.is_null()) {
            changed[key] = std::move(delta);
        }
    }
    for (const auto& [key, value] : base.items()) {
        if (!now.contains(key)) {
            removed.push_back(key);
        }
    }
    Json delta = {{"o", std::move(changed)}};
    if (!removed.empty()) {
        delta["r"] = std::move(removed);
    }
    return delta;
}

bool patchObject(Json& object, const Json& delta) {
    const Json changed = member(delta, "o", Json());
    const Json removed = member(delta, "r", Json::array());
    if (!object.is_object() || !changed.is_object() || !removed.is_array()) {
        return false;
    }
    for (const Json& key : removed) {
        if (!key.is_string() || object.erase(key.get_ref<const std::string&>()) == 0) {
            return false;
        }
    }
    for (const auto& [key, part] : changed.items()) {
        const auto before = object.find(key);
        std::optional<Json> patched = jsonPatched(before == object.end() ? Json() : *before, part);
        if (!patched) {
            return false;
        }
        object[key] = std::move(*patched);
    }
    return true;
}

bool patchList(Json& list, const Json& changed) {
    if (!list.is_array() || !changed.is_object()) {
        return false;
    }
    for (const auto& [key, part] : changed.items()) {
        std::size_t index = 0;
        const auto parsed = std::from_chars(key.data(), key.data() + key.size(), index);
        if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || index >= list.size()) {
            return false;
        }
        std::optional<Json> patched = jsonPatched(list[index], part);
        if (!patched) {
            return false;
        }
        list[index] = std::move(*patched);
    }
    return true;
}

} // namespace

Json jsonDelta(const Json& base, const Json& now) {
    if (base == now && base.type() == now.type()) {
        return {};
    }
    if (base.is_object() && now.is_object()) {
        return objectDelta(base, now);
    }
    if (base.is_array() && now.is_array() && base.size() == now.size()) {
        Json changed = Json::object();
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (Json delta = jsonDelta(base[i], now[i]); !delta.is_null()) {
                changed[std::to_string(i)] = std::move(delta);
            }
        }
        return {{"a", std::move(changed)}};
    }
    return {{"v", now}};
}

std::optional<Json> jsonPatched(const Json& base, const Json& delta) {
    if (delta.is_null()) {
        return base;
    }
    if (!delta.is_object()) {
        return std::nullopt;
    }
    if (const auto whole = delta.find("v"); whole != delta.end()) {
        return *whole;
    }
    Json patched = base;
    const auto list = delta.find("a");
    const bool fits = list != delta.end() ? patchList(patched, *list) : patchObject(patched, delta);
    return fits ? std::optional(std::move(patched)) : std::nullopt;
}

} // namespace tealdeck
