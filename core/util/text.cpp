// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
    bool valid = false;
};

/// The code point at the start of the text, which is not empty.
CodePoint firstCodePoint(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) {
        return {lead, 1, true};
    }
    const std::size_t length = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 0;
    if (length == 0) {
        return {};
    }
    char32_t value = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const unsigned next = i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
        if ((next & 0xC0u) != 0x80u) {
            return {0, i, false};
        }
        value = (value << 6) | (next & 0x3Fu);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (overlong || surrogate || value > 0x10FFFF) {
        return {};
    }
    return {value, length, true};
}

/// Characters that change how others are drawn, break the line, or cannot be seen.
bool isHarmful(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
           (c >= 0xE0000 && c <= 0xE007F);
}

void appendEscaped(std::string& into, char32_t c) {
    switch (c) {
    case U'\n':
        into += "\\n";
        break;
    case U'\r':
        into += "\\r";
        break;
    case U'\t':
        into += "\\t";
        break;
    default:
        into += fmt::format("\\u{{{:X}}}", static_cast<unsigned>(c));
    }
}

} // namespace

std::string plainText(std::string_view text, std::size_t max) {
    std::string line;
    line.reserve(std::min(text.size(), max));
    std::size_t length = 0;
    while (!text.empty()) {
        const CodePoint c = firstCodePoint(text);
        std::string piece;
        if (!c.valid) {
            piece = "\xEF\xBF\xBD";
        } else if (isHarmful(c.value)) {
            appendEscaped(piece, c.value);
        } else {
            piece = text.substr(0, c.bytes);
        }
        const std::size_t width = c.valid && !isHarmful(c.value) ? 1 : c.valid ? piece.size() : 1;
        const bool last = c.bytes >= text.size();
        if (length + width + (last ? 0 : 1) > max) {
            // The mark itself takes a place; a max of zero leaves nothing.
            return max == 0 ? std::string() : line + "…";
        }
        line += piece;
        length += width;
        text.remove_prefix(c.bytes);
    }
    return line;
}

bool isUtf8(std::string_view text) {
    while (!text.empty()) {
        const CodePoint c = firstCodePoint(text);
        if (!c.valid) {
            return false;
        }
        text.remove_prefix(c.bytes);
    }
    return true;
}

} // namespace tealdeck
