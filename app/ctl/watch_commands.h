// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds attach, takeover, continue and alarm: what one does beside a run, on another terminal. Exit codes as everywhere.
void addWatchCommands(CLI::App& app, int& exitCode);

} // namespace tealdeck
