// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/crash_point.h"

#ifdef TEALDECK_TEST_HOOKS
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#endif

namespace tealdeck {

#ifdef TEALDECK_TEST_HOOKS
namespace {

bool isNamed(const char* variable, const std::string& name) {
    const char* wanted = std::getenv(variable);
    return wanted != nullptr && name == wanted;
}

void hold() {
    static std::atomic<bool> held{false};
    const char* file = std::getenv("TEALDECK_HOLD_FILE");
    if (file == nullptr || held.exchange(true)) {
        return;
    }
    ::close(::open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    for (int i = 0; i < 1000 && ::access(file, F_OK) == 0; ++i) {
        ::poll(nullptr, 0, 10);
    }
}

} // namespace
#endif

void crashPoint([[maybe_unused]] const std::string& name) {
#ifdef TEALDECK_TEST_HOOKS
    if (isNamed("TEALDECK_CRASH_AT", name)) {
        ::kill(::getpid(), SIGKILL);
    }
    if (isNamed("TEALDECK_FREEZE_AT", name)) {
        ::kill(::getpid(), SIGSTOP);
    }
    if (isNamed("TEALDECK_HOLD_AT", name)) {
        hold();
    }
#endif
}

} // namespace tealdeck
