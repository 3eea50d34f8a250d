// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds "plan probe": asks one server who it is, before there is a plan. Exit code 1 when it does not answer.
void addProbeCommand(CLI::App& plan, int& exitCode);

} // namespace tealdeck
