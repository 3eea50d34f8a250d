// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/lab_load_command.h"

namespace tealdeck {
void addLoadCommand(CLI::App&, int&) {}
} // namespace tealdeck
