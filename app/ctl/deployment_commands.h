// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds check, sign-off, override, run, ramp, status, abort, rollback, finalize, stop. Exit codes: 0 done, 1 failed, 2 wrong input, 3
/// blocked (a check, a gate or another driver), 4 aborted or returned safely, 5 needs a person.
void addDeploymentCommands(CLI::App& app, int& exitCode);

} // namespace tealdeck
