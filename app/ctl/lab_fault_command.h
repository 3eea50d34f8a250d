// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <CLI/CLI.hpp>

namespace tealdeck {

/// "lab fault", and the hidden "lab proxy" that a lab starts for itself.
void addFaultCommands(CLI::App& lab, int& exitCode);

} // namespace tealdeck
