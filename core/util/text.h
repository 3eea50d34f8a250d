// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace tealdeck {

/// Text from servers, files and peers as one harmless line of valid UTF-8: control characters, line breaks, bidi controls and
/// invisible characters become visible escapes such as "\n" or "\u{202E}", bytes that are no UTF-8 become U+FFFD.
/// At most `max` characters (code points), the last one "…" when something was cut.
std::string plainText(std::string_view text, std::size_t max = 400);

/// True when the bytes are valid UTF-8 (no surrogates, no overlong forms).
bool isUtf8(std::string_view text);

} // namespace tealdeck
