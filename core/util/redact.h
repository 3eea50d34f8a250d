// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <string>
#include <string_view>

namespace tealdeck {

/// SQL without what people put into it: string literals (plain, E'', U&'', dollar-quoted) become '…', numbers become ?, comments go,
/// blanks shrink. Names, keywords and parameters ($1) stay. An unfinished literal swallows the rest. At most `max` bytes, then "…".
std::string redactSql(std::string_view sql, std::size_t max = 600);

/// Text of a program or a server without secrets: passwords in connection strings, URIs, JSON and assignments (password=…, PGPASSWORD=…,
/// token: …, postgres://user:…@host) become "[redacted]".
std::string redactText(std::string_view text);

/// The same, and each value of the variables whose name speaks of a password, secret, token or key (values under 4 bytes are left).
std::string redactText(std::string_view text, const std::map<std::string, std::string>& environment);

} // namespace tealdeck
