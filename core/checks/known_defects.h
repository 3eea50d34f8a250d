// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

namespace tealdeck {

/// What is known to be wrong in a release of PostgreSQL (server_version_num, such as 150012) and matters for a deployment, each with the
/// release that mends it. Empty for a release without known defects and for majors that are newer than this list.
std::vector<std::string> knownDefects(int versionNumber);

} // namespace tealdeck
