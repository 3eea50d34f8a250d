// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace tealdeck {

/// Adds `plan explain` to the command plan, and `phases`. Call after addDeploymentCommands.
void addPlanCommands(CLI::App& app, int& exitCode);

/// Prints what `run --until PHASE` would do, from the beginning, without speaking to any server, router or engine.
int tellDryRun(const std::string& planFile, const std::string& until, bool json);

} // namespace tealdeck
