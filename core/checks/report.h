// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

#include <string>
#include <vector>

namespace tealdeck {

/// What is not in order, for a terminal: blocking items first, then warnings, then the rest, each with its fix below it. Items that are
/// unknown for one and the same reason, such as a server that can't be reached, are one line. Passing items are left out.
std::vector<std::string> reportLines(const std::vector<CheckState>& checks, std::int64_t nowUs);

} // namespace tealdeck
