// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"
#include "core/discovery/disk.h"

#include <map>
#include <string>
#include <vector>

namespace tealdeck {

using ServerValues = std::map<std::string, std::string>; ///< setting → value, as pg_settings has it

/// Limits that a standby must not have lower than its primary: one that is raised there stops replay, and a restart fails.
/// Source: PostgreSQL manual, Hot Standby: Administrator's Overview. Each finding as "max_connections = 50, its primary has 100".
std::vector<std::string> standbyLimitsBelow(const ServerValues& primary, const ServerValues& standby);

/// Whether a disk takes the data and the indexes and WAL that come with it.
CheckAnswer roomOnDisk(double dataBytes, const DiskSpace& disk);

} // namespace tealdeck
