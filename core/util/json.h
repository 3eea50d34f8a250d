// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tealdeck {

using Json = nlohmann::json;

/// True when arrays and objects are nested deeper than this. Copying and printing JSON recurses, so that hostile depth would end the
/// program.
inline bool isNestedDeeper(std::string_view text, int limit) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '[' || c == '{') {
            if (++depth > limit) {
                return true;
            }
        } else if (c == ']' || c == '}') {
            --depth;
        } else {
            quoted = c == '"';
        }
    }
    return false;
}

/// Parses text; std::nullopt when it is not JSON or nested deeper than 64 (never throws).
inline std::optional<Json> parseJson(const std::string& text) {
    if (isNestedDeeper(text, 64)) {
        return std::nullopt;
    }
    Json parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded()) {
        return std::nullopt;
    }
    return parsed;
}

/// One line; bytes that are not UTF-8 become U+FFFD instead of an exception.
inline std::string dumpJson(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The member if it is there and of the type, else the fallback: answers from files and peers are never trusted to have a shape.
template <class T>
T member(const Json& object, const char* key, T fallback) {
    if (!object.is_object()) {
        return fallback;
    }
    const auto it = object.find(key);
    if (it == object.end()) {
        return fallback;
    }
    if constexpr (std::is_same_v<T, bool>) {
        return it->is_boolean() ? it->template get<bool>() : fallback;
    } else if constexpr (std::is_integral_v<T>) {
        // A number that the type cannot hold is as wrong as a text.
        if (it->is_number_unsigned()) {
            return std::in_range<T>(it->template get<std::uint64_t>()) ? it->template get<T>() : fallback;
        }
        if (it->is_number_integer()) {
            return std::in_range<T>(it->template get<std::int64_t>()) ? it->template get<T>() : fallback;
        }
        const double value = it->is_number_float() ? it->template get<double>() : NAN;
        const double low = static_cast<double>(std::numeric_limits<T>::min());
        const double high = std::ldexp(1.0, std::numeric_limits<T>::digits);
        return value >= low && value < high ? static_cast<T>(value) : fallback;
    } else if constexpr (std::is_arithmetic_v<T>) {
        return it->is_number() ? it->template get<T>() : fallback;
    } else if constexpr (std::is_same_v<T, std::string>) {
        return it->is_string() ? it->template get<std::string>() : fallback;
    } else {
        return *it;
    }
}

/// A number that may be absent or null: std::nullopt means unknown, which is never zero.
inline std::optional<double> optionalNumber(const Json& object, const char* key) {
    if (!object.is_object()) {
        return std::nullopt;
    }
    const auto it = object.find(key);
    return it != object.end() && it->is_number() ? std::optional<double>(it->get<double>()) : std::nullopt;
}

/// null when there is no value.
template <class T>
Json orNull(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

} // namespace tealdeck
