// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <map>
#include <optional>
#include <string>

namespace tealdeck {

/// Values of one service in a connection service file, as libpq reads it (manual, "The Connection Service File"; fe-connect.c,
/// parseServiceFile): the first section of that name counts, and in it the first line of each key.
/// Conflict when there is no such section.
Result<std::map<std::string, std::string>> readService(const std::string& text, const std::string& service);

/// The text with these keys of the service changed: a value replaces the one that is there, or stands right under the section's header;
/// std::nullopt takes the line away. Every other byte stays. Conflict when there is no such section.
Result<std::string> changeService(const std::string& text, const std::string& service,
                                  const std::map<std::string, std::optional<std::string>>& values);

} // namespace tealdeck
