// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tealdeck {

/// A place where a test may end, freeze or hold this process: TEALDECK_CRASH_AT, TEALDECK_FREEZE_AT or TEALDECK_HOLD_AT names it. Held, it
/// makes the file that TEALDECK_HOLD_FILE names and waits until the file is gone, 10 s at most; a second time it does not stop. Does
/// nothing in builds without TEALDECK_TEST_HOOKS, such as the release preset.
void crashPoint(const std::string& name);

} // namespace tealdeck
