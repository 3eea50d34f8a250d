// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/compact.h"

#include "core/recording/bytes.h"
#include "core/recording/decimal.h"
#include "core/recording/schema.h"
#include "core/util/text.h"

#include <algorithm>

namespace tealdeck {
namespace {

constexpr char FULL = 1;
constexpr char DIFFERENCE = 2;
constexpr std::uint64_t UNKNOWN = 0; ///< a value's code; the others follow
constexpr std::uint64_t RAW = 1;
constexpr std::uint64_t UNITS = 2;
constexpr std::uint64_t FULL_WITHIN = 256; ///< records: farther away differences grow, and a lost full one costs more
constexpr std::size_t MAX_NAMES = 4096;
constexpr std::size_t KEPT_SETS = 4;
constexpr std::size_t KEPT_FULLS = 16;

void putRaw(std::string& out, double value) {
    putVarint(out, RAW);
    putDouble(out, value);
}

Json jsonOf(std::int64_t units, int scale) {
    return scale == 0 ? Json(units) : Json(decimal::back(units, scale));
}

} // namespace

std::optional<MetricsEncoder::Values> MetricsEncoder::valuesOf(const Json& body) {
    const auto found = body.is_object() && body.size() == 1 ? body.find("values") : body.end();
    if (found == body.end() || !found->is_object() || found->empty() || found->size() > MAX_NAMES) {
        return std::nullopt;
    }
    Values values;
    values.reserve(found->size());
    for (const auto& [name, value] : found->items()) {
        const bool exact = value.is_number_float() || (value.is_number_integer() && decimal::whole(value.get<double>(), 0));
        if ((!exact && !value.is_null()) || name.empty() || name.size() > schema::MAX_NAME || !isUtf8(name)) {
            return std::nullopt;
        }
        const double number = exact ? value.get<double>() : NAN;
        values.emplace_back(name, std::isfinite(number) ? std::optional(number) : std::nullopt);
    }
    return values;
}

std::string MetricsEncoder::encode(std::uint64_t seq, const Json& body) {
    const std::optional<Values> values = valuesOf(body);
    if (!values) {
        return dumpJson(body);
    }
    const auto sameNames = [&](const Full& full) {
        return std::equal(full.names.begin(), full.names.end(), values->begin(), values->end(),
                          [](const std::string& name, const auto& value) { return name == value.first; });
    };
    const auto known = std::find_if(m_fulls.begin(), m_fulls.end(), sameNames);
    if (known != m_fulls.end()) {
        if (const auto difference = encodeDifference(*known, seq, *values)) {
            return *difference;
        }
        return encodeFull(*known, seq, *values);
    }
    if (m_fulls.size() == KEPT_SETS) {
        m_fulls.erase(std::min_element(m_fulls.begin(), m_fulls.end(), [](const Full& a, const Full& b) { return a.seq < b.seq; }));
    }
    Full& full = m_fulls.emplace_back();
    for (const auto& value : *values) {
        full.names.push_back(value.first);
    }
    full.scales.assign(values->size(), 0);
    return encodeFull(full, seq, *values);
}

std::string MetricsEncoder::encodeFull(Full& full, std::uint64_t seq, const Values& values) {
    full.seq = seq;
    full.values.assign(values.size(), std::nullopt);
    std::string out(1, FULL);
    putVarint(out, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto& [name, value] = values[i];
        // A scale never gets smaller again: the next sample may need the decimals that this one happens to lack.
        full.scales[i] = value ? decimal::scaleFor(*value, full.scales[i]).value_or(full.scales[i]) : full.scales[i];
        full.values[i] = value ? decimal::whole(*value, full.scales[i]) : std::nullopt;
        putVarint(out, name.size());
        out += name;
        putVarint(out, static_cast<std::uint64_t>(full.scales[i]));
        if (!value) {
            putVarint(out, UNKNOWN);
        } else if (full.values[i]) {
            putVarint(out, UNITS + zigzag(*full.values[i]));
        } else {
            putRaw(out, *value);
        }
    }
    return out;
}

std::optional<std::string> MetricsEncoder::encodeDifference(const Full& full, std::uint64_t seq, const Values& values) {
    if (seq <= full.seq || seq - full.seq > FULL_WITHIN) {
        return std::nullopt;
    }
    std::string out(1, DIFFERENCE);
    putVarint(out, seq - full.seq);
    const std::size_t bits = out.size();
    out.append((values.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::optional<double>& value = values[i].second;
        const auto units = value ? decimal::whole(*value, full.scales[i]) : std::nullopt;
        if (value && !units && decimal::scaleFor(*value, full.scales[i])) {
            return std::nullopt; // a new full one with more decimals is shorter in the long run
        }
        if (units && units == full.values[i]) {
            continue;
        }
        out[bits + i / 8] = static_cast<char>(out[bits + i / 8] | (1 << (i % 8)));
        if (!value) {
            putVarint(out, UNKNOWN);
        } else if (units) {
            putVarint(out, UNITS + zigzag(*units - full.values[i].value_or(0)));
        } else {
            putRaw(out, *value);
        }
    }
    return out;
}

std::optional<std::uint64_t> MetricsDecoder::baseOf(std::uint64_t seq, std::string_view stored) {
    if (stored.empty() || stored[0] != DIFFERENCE) {
        return std::nullopt;
    }
    const auto back = ByteReader(stored.substr(1)).varint();
    return back && *back > 0 && *back < seq ? std::optional(seq - *back) : std::nullopt;
}

std::optional<MetricsDecoder::Full> MetricsDecoder::parseFull(std::string_view stored) {
    if (stored.empty() || stored[0] != FULL) {
        return std::nullopt;
    }
    ByteReader in(stored.substr(1));
    const auto count = in.varint();
    if (!count || *count > MAX_NAMES) {
        return std::nullopt;
    }
    Full full(static_cast<std::size_t>(*count));
    for (std::size_t i = 0; i < full.size(); ++i) {
        const auto length = in.varint();
        const auto name = length && *length <= schema::MAX_NAME ? in.take(*length) : std::nullopt;
        const auto scale = name ? in.varint() : std::nullopt;
        const auto code = scale && *scale <= decimal::MAX_SCALE ? in.varint() : std::nullopt;
        // In the order of the names: none twice.
        if (!code || !isUtf8(*name) || (i > 0 && *name <= full[i - 1].name)) {
            return std::nullopt;
        }
        full[i].name = *name;
        full[i].scale = static_cast<int>(*scale);
        if (*code == RAW) {
            const auto value = in.number();
            if (!value) {
                return std::nullopt;
            }
            full[i].value = *value;
        } else if (*code >= UNITS) {
            full[i].units = unzigzag(*code - UNITS);
            full[i].value = jsonOf(*full[i].units, full[i].scale);
        }
    }
    return in.done() ? std::optional(std::move(full)) : std::nullopt;
}

std::optional<Json> MetricsDecoder::parseDifference(const Full& full, std::string_view stored) {
    ByteReader in(stored.substr(1));
    const auto back = in.varint();
    const auto bits = back ? in.take((full.size() + 7) / 8) : std::nullopt;
    if (!bits) {
        return std::nullopt;
    }
    Json values = Json::object();
    auto& into = values.get_ref<Json::object_t&>();
    for (std::size_t i = 0; i < full.size(); ++i) {
        Json value;
        if (((static_cast<unsigned char>((*bits)[i / 8]) >> (i % 8)) & 1) == 0) {
            value = full[i].value;
        } else {
            const auto code = in.varint();
            const auto raw = code && *code == RAW ? in.number() : std::nullopt;
            if (!code || (*code == RAW && !raw)) {
                return std::nullopt;
            }
            if (*code == RAW) {
                value = *raw;
            } else if (*code != UNKNOWN) {
                const auto difference = static_cast<std::uint64_t>(unzigzag(*code - UNITS));
                const std::uint64_t sum = static_cast<std::uint64_t>(full[i].units.value_or(0)) + difference;
                value = jsonOf(static_cast<std::int64_t>(sum), full[i].scale);
            }
        }
        into.emplace_hint(into.end(), full[i].name, std::move(value));
    }
    return in.done() ? std::optional(Json{{"values", std::move(values)}}) : std::nullopt;
}

bool MetricsDecoder::learn(std::uint64_t seq, std::string_view stored) {
    std::optional<Full> full = parseFull(stored);
    if (!full) {
        return false;
    }
    m_fulls[seq] = std::move(*full);
    if (m_fulls.size() > KEPT_FULLS) {
        m_fulls.erase(m_fulls.begin()->first == seq ? std::next(m_fulls.begin()) : m_fulls.begin());
    }
    return true;
}

std::optional<Json> MetricsDecoder::decode(std::uint64_t seq, std::string_view stored) {
    if (!stored.empty() && stored[0] == FULL) {
        if (!knows(seq) && !learn(seq, stored)) {
            return std::nullopt;
        }
        Json values = Json::object();
        for (const Sample& sample : m_fulls[seq]) {
            values[sample.name] = sample.value;
        }
        return Json{{"values", std::move(values)}};
    }
    const auto base = baseOf(seq, stored);
    const auto full = base ? m_fulls.find(*base) : m_fulls.end();
    return full == m_fulls.end() ? std::nullopt : parseDifference(full->second, stored);
}

} // namespace tealdeck
