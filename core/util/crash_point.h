// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tealdeck {

/// A place where a test may interfere with this process: TEALDECK_CRASH_AT names the one where it ends, TEALDECK_FREEZE_AT the one where it
/// stops, and TEALDECK_ACT_AT the one where it runs the program in TEALDECK_ACT and goes on when that has ended (once in its life). Does
/// nothing in builds without TEALDECK_TEST_HOOKS, such as the release preset.
void crashPoint(const std::string& name);

} // namespace tealdeck
