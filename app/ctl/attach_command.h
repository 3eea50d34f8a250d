// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tealdeck {

/// Shows what an engine that runs does, until Ctrl-C or until the engine ends; the engine is left as it is. json: one event a line.
/// Returns the exit code: 0, 2 for a plan that cannot be read, 3 when no engine runs, 1 when the connection was lost.
int attachTo(const std::string& planFile, bool json);

} // namespace tealdeck
