// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// Adds `recording info|verify|events FILE`. A command that ran leaves its result in exitCode: 0 done, 1 the recording does
/// not verify, 2 wrong input.
void addRecordingCommands(CLI::App& app, int& exitCode);

} // namespace tealdeck
