// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_processes.h"

#include "core/util/files.h"
#include "core/util/process.h"

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <sstream>
#include <sys/wait.h>

namespace tealdeck {
namespace {

constexpr Millis POLITE{15000};
constexpr Millis FIRM{5000};
constexpr Millis LAST{5000};

bool isServer(const LabProcess& p) {
    return p.role == "primary" || p.role == "replica";
}

/// A child of this very process stays a zombie until someone asks for its status; other processes' children answer ECHILD.
void reap(pid_t pid) {
    ::waitpid(pid, nullptr, WNOHANG);
}

struct Stat {
    bool dead = false; ///< a zombie: ended, but still listed
    std::uint64_t startTime = 0;
};

std::optional<Stat> readStat(pid_t pid) {
    const Result<std::string> text = pid > 0 ? readFile(fmt::format("/proc/{}/stat", pid), 4096) : Error{};
    // The second field is the program's name in parentheses and may hold anything, so count from the last one.
    const std::size_t end = text ? text->rfind(')') : std::string::npos;
    if (end == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream rest(text->substr(end + 1));
    std::string state;
    rest >> state;
    std::string skipped;
    for (int field = 4; field <= 21; ++field) {
        rest >> skipped;
    }
    Stat stat;
    stat.dead = state == "Z" || state == "X";
    rest >> stat.startTime;
    return stat;
}

std::vector<LabProcess> living(const std::vector<LabProcess>& processes) {
    std::vector<LabProcess> found;
    for (const LabProcess& p : processes) {
        if (isAlive(p)) {
            found.push_back(p);
        }
    }
    return found;
}

std::vector<LabProcess> waitForEnd(std::vector<LabProcess> processes, Millis limit) {
    const Deadline deadline(limit);
    while (!(processes = living(processes)).empty() && !deadline.passed()) {
        ::poll(nullptr, 0, 10);
    }
    return processes;
}

std::vector<LabProcess> endThese(std::vector<LabProcess> processes) {
    for (const LabProcess& p : processes) {
        ::kill(p.pid, isServer(p) ? SIGINT : SIGTERM);
        ::kill(p.pid, SIGCONT); // a test may have stopped it
    }
    processes = waitForEnd(std::move(processes), POLITE);
    for (const LabProcess& p : processes) {
        ::kill(p.pid, SIGQUIT);
    }
    processes = waitForEnd(std::move(processes), FIRM);
    for (const LabProcess& p : processes) {
        ::kill(p.pid, SIGKILL);
    }
    return waitForEnd(std::move(processes), LAST);
}

} // namespace

std::optional<std::uint64_t> processStartTime(pid_t pid) {
    const std::optional<Stat> stat = readStat(pid);
    return stat && !stat->dead ? std::optional<std::uint64_t>(stat->startTime) : std::nullopt;
}

bool isAlive(const LabProcess& process) {
    const std::optional<Stat> stat = readStat(process.pid);
    if (!stat || stat->startTime != process.startTime) {
        return false;
    }
    if (stat->dead) {
        reap(process.pid);
    }
    return !stat->dead;
}

Status waitUntilUnused(const std::string& data) {
    const Deadline deadline(FIRM);
    for (;;) {
        bool used = false;
        std::error_code failure;
        for (const auto& entry : std::filesystem::directory_iterator("/proc", failure)) {
            // Every process of a server has its data directory as working folder.
            std::error_code gone;
            used = used || std::filesystem::read_symlink(entry.path() / "cwd", gone) == data;
        }
        if (!used) {
            return {};
        }
        if (deadline.passed()) {
            return Error{Error::Kind::Timeout, fmt::format("Processes still work in {} after {} ms.", data, FIRM.count()), {}, {}};
        }
        ::poll(nullptr, 0, 20);
    }
}

Result<LabProcess> startLabProcess(const LabState& state, const std::vector<std::string>& argv, const LabProcess& what) {
    ProcessSpec spec;
    spec.argv = argv;
    spec.folder = "/";
    // The caller's HOME may be closed to this user, and libpq in the servers looks there for certificates.
    spec.environment = {{"LC_ALL", "C.UTF-8"}, {"HOME", state.path("server").string()}};
    // The proxy is our own program, which the servers' user may not be allowed to read.
    spec.uid = what.role == "proxy" ? 0 : state.uid;
    spec.gid = what.role == "proxy" ? 0 : state.gid;
    Result<pid_t> pid = startDetached(spec, what.log);
    if (!pid) {
        return pid.error();
    }
    LabProcess process = what;
    process.pid = *pid;
    process.startTime = processStartTime(*pid).value_or(0);
    if (process.startTime == 0) {
        reap(*pid);
        return Error{Error::Kind::Unavailable,
                     fmt::format("{} ended at once: {}", what.name, lastLogLine(what.log)),
                     fmt::format("Read its log {}.", what.log),
                     {}};
    }
    return process;
}

Status endLabProcesses(const std::vector<LabProcess>& processes) {
    std::vector<LabProcess> routers;
    std::vector<LabProcess> servers;
    for (const LabProcess& p : living(processes)) {
        (isServer(p) ? servers : routers).push_back(p);
    }
    std::vector<LabProcess> left = endThese(std::move(routers));
    const std::vector<LabProcess> leftServers = endThese(std::move(servers));
    left.insert(left.end(), leftServers.begin(), leftServers.end());
    if (left.empty()) {
        return {};
    }
    std::string names;
    for (const LabProcess& p : left) {
        names += fmt::format("{}{} (pid {})", names.empty() ? "" : ", ", p.name, p.pid);
    }
    return Error{Error::Kind::Timeout, fmt::format("Still running after SIGKILL: {}.", names), {}, {}};
}

std::string lastLogLine(const std::string& log) {
    const Result<std::string> text = readFile(log);
    if (!text || text->empty()) {
        return {};
    }
    const std::size_t end = text->find_last_not_of('\n');
    if (end == std::string::npos) {
        return {};
    }
    const std::size_t start = text->rfind('\n', end);
    return text->substr(start == std::string::npos ? 0 : start + 1, end - (start == std::string::npos ? 0 : start + 1) + 1);
}

} // namespace tealdeck
