// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tealdeck {

/// Numbers in as few bytes as they need: seven bits a byte, the lowest first.
inline void putVarint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        out += static_cast<char>(0x80 | (value & 0x7F));
    }
    out += static_cast<char>(value);
}

/// Small numbers of either sign as small numbers without one.
inline std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0);
}
inline std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

/// Eight bytes, the lowest first.
inline void putDouble(std::string& out, double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8) {
        out += static_cast<char>(bits & 0xFF);
    }
}

/// Takes bytes from a text that may hold anything. After the first thing that is not there, nothing more is given.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : m_left(bytes) {}

    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !m_left.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(m_left.front());
            m_left.remove_prefix(1);
            if (shift == 63 && byte > 1) {
                break;
            }
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if ((byte & 0x80) == 0) {
                return value;
            }
        }
        m_left = {};
        m_failed = true;
        return std::nullopt;
    }
    std::optional<std::string_view> take(std::uint64_t count) {
        if (count > m_left.size()) {
            m_left = {};
            m_failed = true;
            return std::nullopt;
        }
        const std::string_view taken = m_left.substr(0, count);
        m_left.remove_prefix(count);
        return taken;
    }
    /// A finite number as putDouble wrote it.
    std::optional<double> number() {
        const auto bytes = take(8);
        std::uint64_t bits = 0;
        for (std::size_t i = 8; bytes && i > 0; --i) {
            bits = (bits << 8) | static_cast<unsigned char>((*bytes)[i - 1]);
        }
        const auto value = std::bit_cast<double>(bits);
        return bytes && std::isfinite(value) ? std::optional(value) : std::nullopt;
    }
    /// Everything was there, and nothing is left over.
    [[nodiscard]] bool done() const { return !m_failed && m_left.empty(); }

  private:
    std::string_view m_left;
    bool m_failed = false;
};

} // namespace tealdeck
