// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// tealctl verify: compares the data of both sides.
void addVerifyCommand(CLI::App& app, int& exitCode);

} // namespace tealdeck
