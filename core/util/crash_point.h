// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tealdeck {

/// A place where a test may end or freeze this process: TEALDECK_CRASH_AT or TEALDECK_FREEZE_AT names it. Does nothing in builds without
/// TEALDECK_TEST_HOOKS, such as the release preset.
void crashPoint(const std::string& name);

} // namespace tealdeck
