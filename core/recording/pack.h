// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <optional>
#include <string>
#include <string_view>

namespace tealdeck {

/// JSON in fewer bytes: the names and words that events are full of are one byte each, numbers are as short as they can be.
///
///   0x00 null, 0x01 false, 0x02 true, 0x03 whole number from 0 on, 0x04 the others (zigzag), 0x05 eight bytes,
///   0x06 scale and number of a decimal fraction (decimal.h), 0x07 string: length and bytes, 0x08 list: count and elements,
///   0x09 object: count and pairs in the order of their keys, 0x20–0x3F whole numbers 0 to 31, 0x40–0x7F strings of 0 to 63 bytes,
///   0x80–0xFF a word of the dictionary (pack.cpp)
///
/// Numbers and lengths are varints. Bodies that are stored so have 0x03 in front, which no JSON text begins with.
inline constexpr char PACKED = 3;
std::string pack(const Json& json);
/// std::nullopt when the bytes are unsound or nested deeper than 64. Trusts nothing in them.
std::optional<Json> unpack(std::string_view bytes);

} // namespace tealdeck
