// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <string>
#include <vector>

namespace tealdeck {

/// PgBouncer's [databases] section with the named databases pointing to another server. Every other byte stays: comments, case, order,
/// other keys, other databases, line ends. An entry without host= or port= gets one. Lines before any section header count as
/// [databases], because an %include'd file goes on in the section of the file that includes it (pgbouncer(5)).
/// Names in double quotes are read as pgbouncer(5) has them; PgBouncer 1.18 itself refuses such files although its manual allows them
/// (tried), so with it only letters, digits and _ - . * can stand in a name.
/// Error (Conflict) when a name has no entry, or an entry cannot be read.
Result<std::string> retargetDatabases(const std::string& ini, const std::vector<std::string>& names, const std::string& host, int port);

} // namespace tealdeck
