// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cutover/guardian.h"

#include "core/control/control_store.h"
#include "core/util/files.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr Millis BEAT{300};

/// Reads up to a newline; empty at the end of the stream or the deadline.
std::string readLine(int fd, const Deadline& deadline) {
    std::string line;
    char c = 0;
    while (!deadline.passed()) {
        pollfd p{fd, POLLIN, 0};
        if (::poll(&p, 1, static_cast<int>(deadline.left().count()) + 1) <= 0) {
            continue;
        }
        const ssize_t n = ::read(fd, &c, 1);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            break;
        }
        if (n == 1 && c == '\n') {
            return line;
        }
        if (n == 1) {
            line += c;
        }
    }
    return {};
}

std::vector<int> parsePids(const std::string& text) {
    std::vector<int> pids;
    std::istringstream parts(text);
    for (std::string one; std::getline(parts, one, ',');) {
        pids.push_back(std::atoi(one.c_str()));
    }
    return pids;
}

} // namespace

Result<std::unique_ptr<Guardian>> Guardian::start(const std::string& program, const Plan& plan, Millis limit) {
    int down[2];
    int up[2];
    if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0) {
        return Error{Error::Kind::Unavailable, "No pipe for the guardian: " + systemReason(errno), {}, {}};
    }
    const std::string file = plan.file.string();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setsid(); // what ends the engine's group does not end the guardian
        ::dup2(down[0], 0);
        ::dup2(up[1], 1);
        ::execlp(program.c_str(), program.c_str(), "--guardian", file.c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ::close(down[0]);
    ::close(up[1]);
    auto guardian = std::unique_ptr<Guardian>(new Guardian);
    guardian->m_in = down[1];
    guardian->m_out = up[0];
    guardian->m_pid = pid;
    if (pid < 0) {
        return Error{Error::Kind::Unavailable, "Cannot start the guardian: " + systemReason(errno), {}, {}};
    }
    std::istringstream words(readLine(up[0], Deadline(limit)));
    std::string word;
    std::string blue;
    std::string green;
    words >> word >> blue >> green;
    if (word != "ready") {
        return Error{Error::Kind::Unavailable,
                     fmt::format("The guardian did not get ready within {} ms.", limit.count()),
                     "See its lines in the engine's log; nothing was paused.",
                     {}};
    }
    guardian->m_bluePids = parsePids(blue);
    guardian->m_greenPids = parsePids(green);
    guardian->m_beats = std::thread([g = guardian.get()] {
        while (!g->m_stop) {
            if (g->m_armed) {
                static_cast<void>(g->say("beat\n"));
            }
            ::poll(nullptr, 0, static_cast<int>(BEAT.count()) / 3);
        }
    });
    return guardian;
}

Guardian::~Guardian() {
    disarm();
    m_stop = true;
    if (m_beats.joinable()) {
        m_beats.join();
    }
    if (m_in >= 0) {
        ::close(m_in);
    }
    if (m_out >= 0) {
        ::close(m_out);
    }
    if (m_pid > 0) {
        const Deadline grace(Millis(2000));
        while (::waitpid(m_pid, nullptr, WNOHANG) == 0) {
            if (grace.passed()) {
                ::kill(m_pid, SIGKILL);
                ::waitpid(m_pid, nullptr, 0);
                break;
            }
            ::poll(nullptr, 0, 5);
        }
    }
}

Status Guardian::say(const std::string& line) {
    const std::lock_guard lock(m_mutex);
    if (::write(m_in, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        return Error{Error::Kind::Unavailable, "The guardian is gone.", "Nothing is paused without it; try again.", {}};
    }
    return {};
}

Status Guardian::arm(std::int64_t epoch) {
    const Status said = say(fmt::format("armed {}\n", epoch));
    m_armed = said.ok();
    return said;
}

Status Guardian::opening() {
    return say("opening\n");
}

void Guardian::disarm() {
    m_armed = false;
    static_cast<void>(say("done\n"));
}

namespace {

/// What the parent said so far.
struct Watch {
    bool armed = false;
    std::int64_t epoch = 0;
    bool opening = false;
    bool done = false;
    bool lost = false; ///< silent for a lease, or the pipe was closed
};

void takeLines(std::string& pending, Watch& watch) {
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
        const std::string line = pending.substr(0, end);
        pending.erase(0, end + 1);
        if (line.rfind("armed ", 0) == 0) {
            watch.armed = true;
            watch.epoch = std::atoll(line.c_str() + 6);
        }
        watch.opening = watch.opening || line == "opening";
        watch.done = watch.done || line == "done";
    }
}

Watch watchParent() {
    Watch watch;
    std::string pending;
    Deadline lease(GUARDIAN_LEASE);
    while (!watch.done && !watch.lost) {
        pollfd in{0, POLLIN, 0};
        if (::poll(&in, 1, 50) > 0) {
            char buffer[256];
            const ssize_t n = ::read(0, buffer, sizeof buffer);
            if (n == 0 || (n < 0 && errno != EINTR)) {
                watch.lost = true;
            } else if (n > 0) {
                pending.append(buffer, static_cast<std::size_t>(n));
                takeLines(pending, watch);
                lease = Deadline(GUARDIAN_LEASE);
            }
        }
        watch.lost = watch.lost || (watch.armed && !watch.done && lease.passed());
    }
    return watch;
}

/// A session that broke is opened again: the server may have restarted under us.
void reopenBroken(const Connector& connector, Side which, Result<SideSessions>& side) {
    bool broken = !side.ok();
    for (std::size_t i = 0; side.ok() && i < side->size(); ++i) {
        broken = broken || (*side)[i].broken();
    }
    if (!broken) {
        return;
    }
    Result<SideSessions> again = SideSessions::open(connector, which, Millis(1000));
    if (again) {
        side = std::move(again);
    } else {
        side = again.error();
    }
}

/// Tries for a minute; the exit code.
int settleForGood(const Connector& connector, Result<SideSessions>& blue, Result<SideSessions>& green,
                  std::vector<std::unique_ptr<PgBouncer>>& poolers, const WriteRouters& routers, const Watch& watch) {
    const Deadline deadline(Millis(60000));
    while (!deadline.passed()) {
        for (Result<SideSessions>* side : {&blue, &green}) {
            reopenBroken(connector, side == &blue ? Side::Blue : Side::Green, *side);
            // What this guardian knows of its engine's move says nothing about the moves of another engine.
            const Status ours = side->ok() ? control::notReplaced((*side)->control(), connector.plan().deployment, watch.epoch) : Status();
            if (!ours && ours.error().kind == Error::Kind::Refused) {
                fmt::print(stderr, "guardian: {}\n", ours.error().text());
                for (const auto& pooler : poolers) {
                    static_cast<void>(pooler->resume(Millis(2000)));
                }
                return 0;
            }
        }
        Settler settler(connector, blue.ok() ? &*blue : nullptr, green.ok() ? &*green : nullptr, poolers, routers);
        const Result<Side> settled = settler.settle(!watch.opening, Millis(2000));
        if (settled) {
            fmt::print(stderr, "guardian: the engine was lost; {}: writes are on {}\n", verdictName(settler.lastVerdict()),
                       sideName(*settled));
            return 0;
        }
        fmt::print(stderr, "guardian: {}\n", settled.error().text());
        ::poll(nullptr, 0, 100);
    }
    return 1;
}

} // namespace

int runGuardian(const Plan& plan) {
    ::signal(SIGPIPE, SIG_IGN);
    const pid_t parent = ::getppid();
    const Connector connector(plan, "tealdeck/" + plan.deployment + "/guardian");
    Result<SideSessions> blue = SideSessions::open(connector, Side::Blue, Millis(5000));
    Result<SideSessions> green = SideSessions::open(connector, Side::Green, Millis(5000));
    std::vector<std::unique_ptr<PgBouncer>> poolers;
    for (const PgBouncerPlan& pooler : plan.pgbouncers) {
        poolers.push_back(std::make_unique<PgBouncer>(pooler, plan));
        if (const auto status = poolers.back()->status(Millis(3000)); !status) {
            fmt::print(stderr, "guardian: {}\n", status.error().text());
            return 1;
        }
    }
    const WriteRouters routers = makeWriteRouters(plan);
    if (!blue || !green) {
        fmt::print(stderr, "guardian: {}\n", (blue.ok() ? green : blue).error().text());
        return 1;
    }
    fmt::print("ready {} {}\n", fmt::join(blue->pids(), ","), fmt::join(green->pids(), ","));
    std::fflush(stdout);

    const Watch watch = watchParent();
    if (watch.done || !watch.armed) {
        return 0;
    }
    // A frozen engine that wakes up later must find itself dead, not in charge.
    if (::getppid() == parent) {
        ::kill(parent, SIGKILL);
    }
    return settleForGood(connector, blue, green, poolers, routers, watch);
}

} // namespace tealdeck
