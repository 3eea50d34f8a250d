// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/attach_command.h"

#include "app/ctl/engine_session.h"
#include "app/ctl/report_lines.h"
#include "app/ctl/terminal.h"
#include "core/engine/engine.h"

#include <csignal>
#include <fmt/format.h>
#include <pthread.h>

namespace tealdeck {
namespace {

constexpr int GONE = SIGUSR1; ///< sent to ourselves when the engine is gone

/// Signals that end the watching; blocked before any thread begins, so that only sigwait sees them.
sigset_t endings() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, GONE}) {
        sigaddset(&set, signal);
    }
    return set;
}

SessionListener listener(bool json, std::string& lost) {
    SessionListener l;
    l.started = [json](const SessionStart& start) {
        if (json) {
            fmt::print("{}\n", dumpJson({{"snapshot", statusReport(start.snapshot)}}));
        } else {
            printSummary(start.snapshot);
        }
        std::fflush(stdout);
    };
    l.events = [json](const std::vector<Event>& events) {
        for (const Event& event : events) {
            if (json) {
                fmt::print("{}\n", dumpJson(toJson(event)));
            } else {
                printProgress(event);
            }
        }
        std::fflush(stdout);
    };
    l.stateChanged = [&lost](SourceState state, const std::string& detail) {
        if (state == SourceState::Lost || state == SourceState::Ended) {
            lost = detail;
            ::kill(::getpid(), GONE);
        }
    };
    return l;
}

} // namespace

int attachTo(const std::string& planFile, bool json) {
    const Result<Plan> plan = readPlan(planFile);
    if (!plan) {
        fmt::print(stderr, "tealctl: {}\n", plan.error().text());
        return USAGE;
    }
    if (!engineAnswers(*plan)) {
        fmt::print(stderr, "tealctl: No engine runs for {}. \"tealctl status\" starts one.\n", plan->deployment);
        return BLOCKED;
    }
    const sigset_t set = endings();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::string lost;
    EngineClient client({engineSocket(*plan).string(), {}, false, userName(), false});
    client.start(listener(json, lost));
    int signal = 0;
    ::sigwait(&set, &signal);
    client.stop();
    if (signal == GONE) {
        fmt::print(stderr, "tealctl: The engine has ended or is lost. {}\n", lost);
        return FAILED;
    }
    if (!json) {
        fmt::print("The engine goes on.\n");
    }
    return DONE;
}

} // namespace tealdeck
