// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/ctl/deployment_session.h"

namespace tealdeck {

/// Adds `run`.
void addRunCommand(CLI::App& app, int& exitCode, const std::shared_ptr<Arguments>& arguments);

} // namespace tealdeck
