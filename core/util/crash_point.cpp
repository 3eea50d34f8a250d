// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <unistd.h>

namespace tealdeck {

void crashPoint([[maybe_unused]] const std::string& name) {
#ifdef TEALDECK_TEST_HOOKS
    const char* crash = std::getenv("TEALDECK_CRASH_AT");
    if (crash != nullptr && name == crash) {
        ::kill(::getpid(), SIGKILL);
    }
    const char* freeze = std::getenv("TEALDECK_FREEZE_AT");
    if (freeze != nullptr && name == freeze) {
        ::kill(::getpid(), SIGSTOP);
    }
#endif
}

} // namespace tealdeck
