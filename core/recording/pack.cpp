// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/pack.h"

#include "core/recording/bytes.h"
#include "core/recording/decimal.h"
#include "core/util/text.h"

#include <array>
#include <map>

namespace tealdeck {
namespace {

enum Tag : unsigned char {
    NONE = 0x00,
    NO = 0x01,
    YES = 0x02,
    NATURAL = 0x03,
    INTEGER = 0x04,
    REAL = 0x05,
    DECIMAL = 0x06,
    TEXT = 0x07,
    LIST = 0x08,
    OBJECT = 0x09,
    SMALL = 0x20,
    SHORT_TEXT = 0x40,
    WORD = 0x80
};
constexpr int MAX_DEPTH = 64;

/// Part of the format of version 2: never change or reorder, only add at the end (at most 128).
constexpr std::array<std::string_view, 124> WORDS{"sampled_us",
                                                  "detail",
                                                  "state",
                                                  "id",
                                                  "wall_us",
                                                  "seq",
                                                  "lag_seconds",
                                                  "lag_bytes",
                                                  "direction",
                                                  "zone",
                                                  "writes_to",
                                                  "why",
                                                  "waiting_for",
                                                  "version",
                                                  "value",
                                                  "valid_for_us",
                                                  "traffic",
                                                  "title",
                                                  "tables_total",
                                                  "tables_ready",
                                                  "t_us",
                                                  "system_identifier",
                                                  "switches",
                                                  "steps",
                                                  "steady_us",
                                                  "started_wall_us",
                                                  "started_us",
                                                  "source",
                                                  "since_us",
                                                  "severity",
                                                  "session",
                                                  "rollback_until_wall_us",
                                                  "rollback_readiness",
                                                  "role",
                                                  "retained_bytes",
                                                  "result",
                                                  "response",
                                                  "replication",
                                                  "recording_id",
                                                  "reads_green_target",
                                                  "reads_green_percent",
                                                  "question",
                                                  "progress",
                                                  "priority",
                                                  "port",
                                                  "poolers",
                                                  "phase_since_us",
                                                  "phase_reason",
                                                  "phase",
                                                  "pause_ms",
                                                  "past_point_of_no_return",
                                                  "parts_ms",
                                                  "override_reason",
                                                  "override_by",
                                                  "on_timeout",
                                                  "ok",
                                                  "name",
                                                  "mode",
                                                  "metrics",
                                                  "limit_ms",
                                                  "host",
                                                  "green_fence",
                                                  "green",
                                                  "gate_seq",
                                                  "fix",
                                                  "family",
                                                  "expected",
                                                  "evaluated_us",
                                                  "error",
                                                  "epoch",
                                                  "ended_us",
                                                  "deployment",
                                                  "database",
                                                  "databases",
                                                  "connections",
                                                  "checks",
                                                  "cause",
                                                  "bytes_total",
                                                  "bytes_copied",
                                                  "busy_with",
                                                  "blue_fence",
                                                  "blue",
                                                  "alarms",
                                                  "actual",
                                                  "active",
                                                  "acknowledged_by",
                                                  "clear",
                                                  "command",
                                                  "head",
                                                  "idle",
                                                  "ms",
                                                  "nodes",
                                                  "reason",
                                                  "rows",
                                                  "server",
                                                  "side",
                                                  "sqlstate",
                                                  "step",
                                                  "text",
                                                  "unknown",
                                                  "values",
                                                  "",
                                                  "v",
                                                  "o",
                                                  "a",
                                                  "r",
                                                  "forward",
                                                  "reverse",
                                                  "pass",
                                                  "fail",
                                                  "warning",
                                                  "info",
                                                  "blocking",
                                                  "streaming",
                                                  "running",
                                                  "done",
                                                  "pending",
                                                  "primary",
                                                  "replica",
                                                  "up",
                                                  "down",
                                                  "open",
                                                  "fenced",
                                                  "00000"};
static_assert(WORDS.size() <= 128);

const std::map<std::string_view, unsigned char>& wordNumbers() {
    static const std::map<std::string_view, unsigned char> numbers = [] {
        std::map<std::string_view, unsigned char> all;
        for (std::size_t i = 0; i < WORDS.size(); ++i) {
            all.emplace(WORDS[i], static_cast<unsigned char>(i));
        }
        return all;
    }();
    return numbers;
}

void put(std::string& out, unsigned char tag) {
    out += static_cast<char>(tag);
}

void putText(std::string& out, const std::string& text) {
    if (const auto word = wordNumbers().find(text); word != wordNumbers().end()) {
        put(out, static_cast<unsigned char>(WORD | word->second));
    } else if (text.size() < 64) {
        put(out, static_cast<unsigned char>(SHORT_TEXT | text.size()));
        out += text;
    } else {
        put(out, TEXT);
        putVarint(out, text.size());
        out += text;
    }
}

void putNumber(std::string& out, const Json& json) {
    if (json.is_number_float()) {
        const auto value = json.get<double>();
        if (!std::isfinite(value)) {
            return put(out, NONE);
        }
        const auto scale = !(value == 0 && std::signbit(value)) ? decimal::scaleFor(value, 0) : std::nullopt;
        put(out, scale ? DECIMAL : REAL);
        if (scale) {
            put(out, static_cast<unsigned char>(*scale));
            putVarint(out, zigzag(*decimal::whole(value, *scale)));
        } else {
            putDouble(out, value);
        }
        return;
    }
    if (!json.is_number_unsigned() && json.get<std::int64_t>() < 0) {
        put(out, INTEGER);
        putVarint(out, zigzag(json.get<std::int64_t>()));
        return;
    }
    const auto value = json.get<std::uint64_t>();
    if (value < 32) {
        put(out, static_cast<unsigned char>(SMALL | value));
    } else {
        put(out, NATURAL);
        putVarint(out, value);
    }
}

void putJson(std::string& out, const Json& json) {
    switch (json.type()) {
    case Json::value_t::boolean:
        return put(out, json.get<bool>() ? YES : NO);
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
        return putNumber(out, json);
    case Json::value_t::string:
        return putText(out, json.get_ref<const std::string&>());
    case Json::value_t::array:
        put(out, LIST);
        putVarint(out, json.size());
        for (const Json& element : json) {
            putJson(out, element);
        }
        return;
    case Json::value_t::object:
        put(out, OBJECT);
        putVarint(out, json.size());
        for (const auto& [key, value] : json.items()) {
            putText(out, key);
            putJson(out, value);
        }
        return;
    default:
        return put(out, NONE);
    }
}

std::optional<std::string> takeText(ByteReader& in, unsigned char tag) {
    if (tag >= WORD) {
        const std::size_t number = tag & 0x7FU;
        return number < WORDS.size() ? std::optional<std::string>(WORDS[number]) : std::nullopt;
    }
    const auto length = tag >= SHORT_TEXT ? std::optional<std::uint64_t>(tag & 0x3FU) : tag == TEXT ? in.varint() : std::nullopt;
    const auto bytes = length ? in.take(*length) : std::nullopt;
    return bytes && isUtf8(*bytes) ? std::optional<std::string>(*bytes) : std::nullopt;
}

std::optional<Json> takeJson(ByteReader& in, int depth);

std::optional<Json> takeList(ByteReader& in, int depth) {
    const auto count = in.varint();
    // Each element has a byte at least: a count alone makes nobody reserve memory.
    Json list = Json::array();
    for (std::uint64_t i = 0; count && i < *count; ++i) {
        std::optional<Json> element = takeJson(in, depth + 1);
        if (!element) {
            return std::nullopt;
        }
        list.push_back(std::move(*element));
    }
    return count ? std::optional(std::move(list)) : std::nullopt;
}

std::optional<Json> takeObject(ByteReader& in, int depth) {
    const auto count = in.varint();
    Json object = Json::object();
    auto& members = object.get_ref<Json::object_t&>();
    for (std::uint64_t i = 0; count && i < *count; ++i) {
        const auto tag = in.take(1);
        std::optional<std::string> key = tag ? takeText(in, static_cast<unsigned char>((*tag)[0])) : std::nullopt;
        if (!key || (!members.empty() && *key <= members.rbegin()->first)) {
            return std::nullopt;
        }
        std::optional<Json> value = takeJson(in, depth + 1);
        if (!value) {
            return std::nullopt;
        }
        members.emplace_hint(members.end(), std::move(*key), std::move(*value));
    }
    return count ? std::optional(std::move(object)) : std::nullopt;
}

std::optional<Json> takeNumber(ByteReader& in, unsigned char tag) {
    if (tag == REAL) {
        const auto value = in.number();
        return value ? std::optional<Json>(*value) : std::nullopt;
    }
    const auto scale = tag == DECIMAL ? in.varint() : std::optional<std::uint64_t>(0);
    const auto number = scale && *scale <= decimal::MAX_SCALE ? in.varint() : std::nullopt;
    if (!number) {
        return std::nullopt;
    }
    return tag == NATURAL   ? Json(*number)
           : tag == INTEGER ? Json(unzigzag(*number))
                            : Json(decimal::back(unzigzag(*number), static_cast<int>(*scale)));
}

std::optional<Json> takeJson(ByteReader& in, int depth) {
    const auto first = depth <= MAX_DEPTH ? in.take(1) : std::nullopt;
    if (!first) {
        return std::nullopt;
    }
    const auto tag = static_cast<unsigned char>((*first)[0]);
    if (tag >= SHORT_TEXT || tag == TEXT) {
        std::optional<std::string> text = takeText(in, tag);
        return text ? std::optional<Json>(std::move(*text)) : std::nullopt;
    }
    if (tag >= SMALL) {
        return Json(static_cast<std::uint64_t>(tag & 0x1FU));
    }
    switch (tag) {
    case NONE:
        return Json();
    case NO:
    case YES:
        return Json(tag == YES);
    case LIST:
        return takeList(in, depth);
    case OBJECT:
        return takeObject(in, depth);
    default:
        return tag <= DECIMAL ? takeNumber(in, tag) : std::nullopt;
    }
}

} // namespace

std::string pack(const Json& json) {
    std::string out;
    putJson(out, json);
    return out;
}

std::optional<Json> unpack(std::string_view bytes) {
    ByteReader in(bytes);
    std::optional<Json> json = takeJson(in, 0);
    return in.done() ? std::move(json) : std::nullopt;
}

} // namespace tealdeck
