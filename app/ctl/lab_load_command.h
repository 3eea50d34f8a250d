// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds `lab load`; see addLabCommands for exitCode.
void addLoadCommand(CLI::App& lab, int& exitCode);

} // namespace tealdeck
