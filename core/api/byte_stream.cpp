// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/byte_stream.h"

#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::size_t KEEP_ERRORS = 2000;

void closeFd(int& fd) {
    if (fd >= 0) {
        ::close(fd);
    }
    fd = -1;
}

/// in, out, err of the child and a pipe on which it reports why it could not become the program.
struct Pipes {
    int fds[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    bool open() {
        bool fine = true;
        for (auto& pair : fds) {
            fine = fine && ::pipe2(pair, O_CLOEXEC) == 0;
        }
        return fine;
    }
    ~Pipes() {
        for (auto& pair : fds) {
            closeFd(pair[0]);
            closeFd(pair[1]);
        }
    }
    int take(int pipe, int end) {
        const int fd = fds[pipe][end];
        fds[pipe][end] = -1;
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
    }
};

/// Between fork and exec: only calls that are safe in a signal handler.
[[noreturn]] void becomeProgram(const Pipes& pipes, char* const* argv) {
    ::setsid();
    ::dup2(pipes.fds[0][0], 0);
    ::dup2(pipes.fds[1][1], 1);
    ::dup2(pipes.fds[2][1], 2);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvp(argv[0], argv);
    const int reason = errno;
    [[maybe_unused]] const ssize_t ignored = ::write(pipes.fds[3][1], &reason, sizeof reason);
    ::_exit(127);
}

/// True when the child ended within the time; it stays to be reaped, so that its number is not given to another process.
bool endsWithin(pid_t child, Millis time) {
    const Deadline deadline(time);
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child) {
            return true;
        }
        if (deadline.passed()) {
            return false;
        }
        ::poll(nullptr, 0, 5);
    }
}

} // namespace

Result<std::unique_ptr<ByteStream>> ByteStream::connect(const std::string& socketPath) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socketPath.empty() || socketPath.size() >= sizeof address.sun_path) {
        return Error{
            Error::Kind::Invalid,
            fmt::format("The socket's path {} has not between 1 and {} bytes.", plainText(socketPath, 120), sizeof address.sun_path - 1),
            "Use a shorter folder.",
            {}};
    }
    std::memcpy(address.sun_path, socketPath.c_str(), socketPath.size() + 1);
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int reason = errno;
        closeFd(fd);
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot reach the engine at {}: {}.", plainText(socketPath, 120), systemReason(reason)),
                     "Is the engine running?",
                     {}};
    }
    return std::unique_ptr<ByteStream>(new ByteStream(fd, fd, -1, -1));
}

Result<std::unique_ptr<ByteStream>> ByteStream::start(const std::vector<std::string>& argv) {
    Pipes pipes;
    if (argv.empty() || argv[0].empty() || !pipes.open()) {
        return Error{Error::Kind::Unavailable, "Cannot start a program without a name or without free file descriptors.", {}, {}};
    }
    std::vector<char*> arguments;
    for (const std::string& argument : argv) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        becomeProgram(pipes, arguments.data());
    }
    int reason = child < 0 ? errno : 0;
    closeFd(pipes.fds[3][1]);
    ssize_t got = 0;
    do {
        got = child < 0 ? 0 : ::read(pipes.fds[3][0], &reason, sizeof reason);
    } while (got < 0 && errno == EINTR);
    if (child < 0 || got > 0) {
        if (child > 0) {
            ::waitpid(child, nullptr, 0);
        }
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot start {}: {}.", plainText(argv[0], 120), systemReason(reason)),
                     "Is the program installed?",
                     {}};
    }
    return std::unique_ptr<ByteStream>(new ByteStream(pipes.take(1, 0), pipes.take(0, 1), pipes.take(2, 0), child));
}

ByteStream::~ByteStream() {
    // The program sees the end of its input first: an engine on standard streams takes that as "the client has gone".
    if (m_out != m_in) {
        closeFd(m_out);
    }
    if (m_child > 0) {
        endChild();
    }
    closeFd(m_in);
    closeFd(m_err);
}

void ByteStream::endChild() const {
    if (!endsWithin(m_child, Millis(300))) {
        ::kill(-m_child, SIGTERM);
        endsWithin(m_child, Millis(500));
    }
    // Also when the leader has ended: others of its group may be left.
    ::kill(-m_child, SIGKILL);
    while (::waitpid(m_child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

bool ByteStream::read(std::string& into) {
    char buffer[65536];
    const ssize_t n = ::read(m_in, buffer, sizeof buffer);
    if (n > 0) {
        into.append(buffer, static_cast<std::size_t>(n));
    }
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

ssize_t ByteStream::write(std::string_view bytes) {
    // The caller's thread blocks SIGPIPE: a peer that is gone is an answer, not a signal.
    const ssize_t n = m_child > 0 ? ::write(m_out, bytes.data(), bytes.size()) : ::send(m_out, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return 0;
    }
    return n;
}

void ByteStream::readErrors() {
    char buffer[4096];
    const ssize_t n = ::read(m_err, buffer, sizeof buffer);
    if (n > 0) {
        m_errors.append(buffer, static_cast<std::size_t>(n));
        if (m_errors.size() > KEEP_ERRORS) {
            m_errors.erase(0, m_errors.size() - KEEP_ERRORS);
        }
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        closeFd(m_err);
    }
}

} // namespace tealdeck
