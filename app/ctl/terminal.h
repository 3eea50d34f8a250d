// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <string_view>

namespace tealdeck {

enum class Ink { Good, Bad, Warn, Quiet };

/// The text in the ink when standard output is a terminal and NO_COLOR is not set (https://no-color.org); else as it is.
/// Words and marks carry the meaning, colour only helps.
std::string inked(std::string_view text, Ink ink);

/// The exit codes of every command.
enum Exit { DONE = 0, FAILED = 1, USAGE = 2, BLOCKED = 3, ABORTED = 4, NEEDS_PERSON = 5 };

} // namespace tealdeck
