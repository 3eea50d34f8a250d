// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// tealctl drift: changes of the schema that were made on one side only.
void addDriftCommand(CLI::App& app, int& exitCode);

} // namespace tealdeck
