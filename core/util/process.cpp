// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/process.h"

#include "core/util/files.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tealdeck {
namespace {

constexpr std::size_t KEEP_OUTPUT = std::size_t{1} << 20;

struct Pipe {
    int read = -1;
    int write = -1;
    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) == 0) {
            read = ends[0];
            write = ends[1];
        }
    }
    ~Pipe() {
        closeRead();
        closeWrite();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void closeRead() {
        if (read >= 0) {
            ::close(read);
        }
        read = -1;
    }
    void closeWrite() {
        if (write >= 0) {
            ::close(write);
        }
        write = -1;
    }
};

/// Everything the child needs, made before fork: no allocation happens between fork and exec.
struct Prepared {
    std::vector<char*> argv;
    std::vector<std::string> environmentStrings;
    std::vector<char*> environment;

    explicit Prepared(const ProcessSpec& spec) {
        for (const std::string& argument : spec.argv) {
            argv.push_back(const_cast<char*>(argument.c_str()));
        }
        argv.push_back(nullptr);
        for (char** entry = environ; !spec.bareEnvironment && *entry != nullptr; ++entry) {
            const std::string text(*entry);
            if (spec.environment.count(text.substr(0, text.find('='))) == 0) {
                environmentStrings.push_back(text);
            }
        }
        for (const auto& [key, value] : spec.environment) {
            environmentStrings.push_back(key + "=" + value);
        }
        for (const std::string& entry : environmentStrings) {
            environment.push_back(const_cast<char*>(entry.c_str()));
        }
        environment.push_back(nullptr);
    }
};

[[noreturn]] void becomeChild(const ProcessSpec& spec, const Prepared& prepared, int in, int out, int err, int report) {
    ::setsid();
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    bool fine = true;
    if (spec.uid != 0 && ::geteuid() == 0) {
        fine = ::setgroups(0, nullptr) == 0 && ::setgid(spec.gid) == 0 && ::setuid(spec.uid) == 0;
    }
    if (fine && !spec.folder.empty()) {
        fine = ::chdir(spec.folder.c_str()) == 0;
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (fine) {
        ::execvpe(prepared.argv[0], prepared.argv.data(), prepared.environment.data());
    }
    const int reason = errno;
    [[maybe_unused]] const ssize_t ignored = ::write(report, &reason, sizeof reason);
    ::_exit(127);
}

Result<pid_t> spawn(const ProcessSpec& spec, int in, int out, int err) {
    if (spec.argv.empty()) {
        return Error{Error::Kind::Internal, "No program to run.", {}, {}};
    }
    const Prepared prepared(spec);
    Pipe report;
    const pid_t pid = ::fork();
    if (pid < 0) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot start {}: {}.", spec.argv[0], systemReason(errno)), {}, {}};
    }
    if (pid == 0) {
        becomeChild(spec, prepared, in, out, err, report.write);
    }
    report.closeWrite();
    int reason = 0;
    ssize_t n = 0;
    do {
        n = ::read(report.read, &reason, sizeof reason);
    } while (n < 0 && errno == EINTR);
    if (n == static_cast<ssize_t>(sizeof reason)) {
        ::waitpid(pid, nullptr, 0);
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot start {}: {}.", spec.argv[0], systemReason(reason)),
                     "Is the program installed?",
                     {}};
    }
    return pid;
}

void keepTail(std::string& text, const char* bytes, std::size_t count) {
    text.append(bytes, count);
    if (text.size() > 2 * KEEP_OUTPUT) {
        text.erase(0, text.size() - KEEP_OUTPUT);
    }
}

/// True while the stream is open.
bool drain(int fd, std::string& into) {
    char buffer[16384];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
        keepTail(into, buffer, static_cast<std::size_t>(n));
    }
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

int waitAfterEnd(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void endGroup(pid_t pid) {
    ::kill(-pid, SIGTERM);
    const Deadline grace(Millis(500));
    while (!grace.passed()) {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid) {
            break;
        }
        ::poll(nullptr, 0, 10);
    }
    ::kill(-pid, SIGKILL);
}

/// A child's streams, as this side holds them.
struct Streams {
    Pipe in;
    Pipe out;
    Pipe err;
    std::string_view input; ///< what is still to be written
    bool outOpen = true;
    bool errOpen = true;

    void hold() {
        in.closeRead();
        out.closeWrite();
        err.closeWrite();
        ::fcntl(in.write, F_SETFL, O_NONBLOCK);
        ::signal(SIGPIPE, SIG_IGN);
    }
    /// Moves what is ready within the time.
    void move(int waitMs, ProcessOutcome& outcome) {
        if (input.empty()) {
            in.closeWrite();
        }
        pollfd fds[3] = {{outOpen ? out.read : -1, POLLIN, 0}, {errOpen ? err.read : -1, POLLIN, 0}, {in.write, POLLOUT, 0}};
        if (::poll(fds, 3, waitMs) <= 0) {
            return;
        }
        if (fds[0].revents != 0) {
            outOpen = drain(out.read, outcome.output);
        }
        if (fds[1].revents != 0) {
            errOpen = drain(err.read, outcome.errors);
        }
        if (in.write >= 0 && fds[2].revents != 0 && !input.empty()) {
            const ssize_t n = ::write(in.write, input.data(), input.size());
            if (n > 0) {
                input.remove_prefix(static_cast<std::size_t>(n));
            } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
                input = {};
            }
        }
    }
};

} // namespace

Result<ProcessOutcome> runProcess(const ProcessSpec& spec, Deadline deadline, const std::function<bool()>& cancelled) {
    Streams streams;
    streams.input = spec.input;
    Result<pid_t> started = spawn(spec, streams.in.read, streams.out.write, streams.err.write);
    if (!started) {
        return started.error();
    }
    const pid_t pid = *started;
    streams.hold();
    ProcessOutcome outcome;
    while (streams.outOpen || streams.errOpen) {
        const bool stop = cancelled && cancelled();
        if (deadline.passed() || stop) {
            endGroup(pid);
            waitAfterEnd(pid);
            return Error{stop ? Error::Kind::Refused : Error::Kind::Timeout,
                         stop ? fmt::format("{} was cancelled.", spec.argv[0])
                              : fmt::format("{} took longer than {} ms.", spec.argv[0], deadline.limit().count()),
                         {},
                         {}};
        }
        streams.move(static_cast<int>(std::min<std::int64_t>(deadline.left().count() + 1, 50)), outcome);
    }
    outcome.exitCode = waitAfterEnd(pid);
    return outcome;
}

Result<pid_t> startDetached(const ProcessSpec& spec, const std::string& logFile) {
    const int log = ::open(logFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot open the log {}: {}.", logFile, systemReason(errno)), {}, {}};
    }
    if (spec.uid != 0 && ::geteuid() == 0 && ::fchown(log, spec.uid, spec.gid) != 0) {
        const int reason = errno;
        ::close(log);
        return Error{
            Error::Kind::Unavailable, fmt::format("Cannot give the log {} to its user: {}.", logFile, systemReason(reason)), {}, {}};
    }
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    Result<pid_t> pid = spawn(spec, nothing, log, log);
    ::close(nothing);
    ::close(log);
    return pid;
}

} // namespace tealdeck
