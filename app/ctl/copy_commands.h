// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// tealctl copy show, pause, resume, cancel: the initial copy of an engine that runs.
void addCopyCommands(CLI::App& app, int& exitCode);

} // namespace tealdeck
