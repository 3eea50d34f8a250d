// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/crash_point.h"

#ifdef TEALDECK_TEST_HOOKS
#include "core/util/process.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>
#endif

namespace tealdeck {

#ifdef TEALDECK_TEST_HOOKS
namespace {

constexpr Millis ACT_LIMIT{10000};

bool isHere(const char* variable, const std::string& name) {
    const char* wanted = std::getenv(variable);
    return wanted != nullptr && name == wanted;
}

/// Runs the test's program, which may cut a link or end another process, at exactly this point.
void act() {
    static std::atomic<bool> acted{false};
    const char* program = std::getenv("TEALDECK_ACT");
    if (program == nullptr || acted.exchange(true)) {
        return;
    }
    const Result<ProcessOutcome> outcome = runProcess({{program}, {}, {}, {}, 0, 0}, Deadline(ACT_LIMIT));
    if (!outcome || outcome->exitCode != 0) {
        fmt::print(stderr, "TEALDECK_ACT: {}\n", outcome.ok() ? outcome->errors : outcome.error().text());
    }
}

} // namespace

void crashPoint(const std::string& name) {
    if (isHere("TEALDECK_CRASH_AT", name)) {
        ::kill(::getpid(), SIGKILL);
    }
    if (isHere("TEALDECK_FREEZE_AT", name)) {
        ::kill(::getpid(), SIGSTOP);
    }
    if (isHere("TEALDECK_ACT_AT", name)) {
        act();
    }
}
#else
void crashPoint(const std::string&) {}
#endif

} // namespace tealdeck
