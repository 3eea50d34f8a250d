// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tealdeck {

/// Samples of metrics as a recording stores them. A body {"values": {name: number or null}} becomes
///
///   full:       0x01, count, for each in the order of the names: length, name, scale, value
///   difference: 0x02, how many records back the full one is, a bit for each name that differs from it, the values that do
///
/// where a value is 0 for null, 1 and eight bytes for a number that has no exact decimals, else 2 plus the zigzag of the number in
/// units of 10^-scale (in a difference: minus the full one's). Numbers are varints. A difference refers to a full one only, so
/// that any record can be read with one other. What has another shape stays JSON, whose first byte is a brace.
///
/// Numbers keep their value exactly; one that has no fraction comes back as an integer.
class MetricsEncoder {
  public:
    /// The body as it is stored as record `seq`; JSON when it is no flat list of values.
    std::string encode(std::uint64_t seq, const Json& body);

  private:
    struct Full {
        std::uint64_t seq = 0;
        std::vector<std::string> names;
        std::vector<int> scales;
        std::vector<std::optional<std::int64_t>> values; ///< in units; nothing for null and for what has no exact decimals
    };
    using Values = std::vector<std::pair<std::string, std::optional<double>>>;
    static std::optional<Values> valuesOf(const Json& body);
    std::string encodeFull(Full& full, std::uint64_t seq, const Values& values);
    static std::optional<std::string> encodeDifference(const Full& full, std::uint64_t seq, const Values& values);
    std::vector<Full> m_fulls; ///< of the sets of names that were seen last
};

/// Turns stored samples back into bodies. Trusts nothing in the bytes.
class MetricsDecoder {
  public:
    static bool isCompact(std::string_view stored) { return !stored.empty() && (stored[0] == 1 || stored[0] == 2); }
    /// The record that a difference refers to; std::nullopt for a full one, and for bytes that refer to none before `seq`.
    static std::optional<std::uint64_t> baseOf(std::uint64_t seq, std::string_view stored);
    /// Remembers a full record, so that differences to it can be read. False when the bytes are none.
    bool learn(std::uint64_t seq, std::string_view stored);
    [[nodiscard]] bool knows(std::uint64_t seq) const { return m_fulls.count(seq) != 0; }
    /// The body; a difference's base must be known. std::nullopt when the bytes are unsound.
    std::optional<Json> decode(std::uint64_t seq, std::string_view stored);

  private:
    struct Sample {
        std::string name;
        int scale = 0;
        std::optional<std::int64_t> units;
        Json value;
    };
    using Full = std::vector<Sample>;
    static std::optional<Full> parseFull(std::string_view stored);
    static std::optional<Json> parseDifference(const Full& full, std::string_view stored);
    std::map<std::uint64_t, Full> m_fulls; ///< the newest few
};

} // namespace tealdeck
