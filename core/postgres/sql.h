// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tealdeck {

/// A position in the write-ahead log.
struct Lsn {
    std::uint64_t value = 0;
    friend auto operator<=>(const Lsn&, const Lsn&) = default;
};
/// From "16/B374D848"; std::nullopt when it is no LSN.
std::optional<Lsn> parseLsn(std::string_view text);
std::string toString(Lsn lsn);

/// "a""b": always quoted, doubled quotes; NUL bytes and invalid UTF-8 are refused by throwing std::invalid_argument (CVE-2025-1094).
std::string quoteIdentifier(std::string_view name);
/// 'a''b' or E'a\\b': safe with any standard_conforming_strings.
std::string quoteLiteral(std::string_view text);
/// A libpq connection string; values are quoted, empty ones left out.
std::string conninfo(const std::map<std::string, std::string>& settings);
/// The settings with which the engine itself reaches an endpoint (never a password).
std::string conninfo(const Endpoint& endpoint, const std::string& database, const std::string& applicationName, int connectTimeoutSeconds);

} // namespace tealdeck
