// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds `lab up|down|status|load|psql|start|fetch`. A command that ran leaves its result in exitCode: 0 done, 2 wrong input
/// with nothing changed, 1 any other failure.
void addLabCommands(CLI::App& app, int& exitCode);

} // namespace tealdeck
