// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/postgres/sql.h"

#include <charconv>
#include <fmt/format.h>
#include <stdexcept>

namespace tealdeck {
namespace {

/// Length of the valid UTF-8 sequence at the start, 0 when there is none (overlong forms and surrogates are invalid).
std::size_t sequenceLength(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                               : first >= 0xE0 && first < 0xF0 ? 3
                               : first >= 0xF0 && first < 0xF5 ? 4
                                                               : 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) {
            return 0;
        }
    }
    const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
                     (first == 0xF4 && byte(1) > 0x8F);
    return bad ? 0 : length;
}

void refuseInvalid(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequenceLength(text.substr(i));
        if (length == 0 || text[i] == '\0') {
            throw std::invalid_argument("text for SQL holds a NUL byte or is not UTF-8");
        }
        i += length;
    }
}

std::string doubled(std::string_view text, char mark) {
    std::string result;
    result.reserve(text.size() + 2);
    for (const char c : text) {
        result += c;
        if (c == mark) {
            result += c;
        }
    }
    return result;
}

} // namespace

std::optional<Lsn> parseLsn(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    std::uint32_t high = 0;
    std::uint32_t low = 0;
    const auto parse = [](std::string_view part, std::uint32_t& into) {
        const auto [end, failure] = std::from_chars(part.data(), part.data() + part.size(), into, 16);
        return failure == std::errc() && end == part.data() + part.size() && !part.empty();
    };
    if (!parse(text.substr(0, slash), high) || !parse(text.substr(slash + 1), low)) {
        return std::nullopt;
    }
    return Lsn{(static_cast<std::uint64_t>(high) << 32) | low};
}

std::string toString(Lsn lsn) {
    return fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFFU);
}

std::string quoteIdentifier(std::string_view name) {
    refuseInvalid(name);
    return '"' + doubled(name, '"') + '"';
}

std::string quoteLiteral(std::string_view text) {
    refuseInvalid(text);
    const std::string quotes = doubled(text, '\'');
    if (text.find('\\') == std::string_view::npos) {
        return '\'' + quotes + '\'';
    }
    return " E'" + doubled(quotes, '\\') + '\'';
}

std::string conninfo(const std::map<std::string, std::string>& settings) {
    std::string text;
    for (const auto& [key, value] : settings) {
        if (value.empty()) {
            continue;
        }
        std::string quoted;
        for (const char c : value) {
            if (c == '\'' || c == '\\') {
                quoted += '\\';
            }
            quoted += c;
        }
        text += (text.empty() ? "" : " ") + key + "='" + quoted + "'";
    }
    return text;
}

std::string conninfo(const Endpoint& endpoint, const std::string& database, const std::string& applicationName, int connectTimeoutSeconds) {
    return conninfo({{"host", endpoint.host},
                     {"port", std::to_string(endpoint.port)},
                     {"user", endpoint.user},
                     {"dbname", database.empty() ? endpoint.database : database},
                     {"passfile", endpoint.passfile},
                     {"sslmode", endpoint.sslmode},
                     {"sslrootcert", endpoint.sslrootcert},
                     {"application_name", applicationName},
                     {"fallback_application_name", "tealdeck"},
                     {"client_encoding", "UTF8"},
                     {"connect_timeout", std::to_string(connectTimeoutSeconds)},
                     {"keepalives_idle", "10"},
                     {"keepalives_interval", "5"},
                     {"keepalives_count", "3"},
                     {"tcp_user_timeout", "30000"}});
}

} // namespace tealdeck
