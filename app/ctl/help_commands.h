// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds `completion` and `man`, and an example to each command's help. Call last: all three are made from the commands that there are.
void addHelpCommands(CLI::App& app, int& exitCode);

} // namespace tealdeck
