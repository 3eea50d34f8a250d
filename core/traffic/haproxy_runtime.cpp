// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/haproxy_runtime.h"

#include "core/util/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <netdb.h>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// Bits of srv_admin_state in "show servers state": forced, inherited, configured, and by name resolution.
constexpr int MAINT_BITS = 0x01 | 0x02 | 0x20; // not 0x04: "disabled" in the file stays marked after the server was made ready
constexpr int DRAIN_BITS = 0x08 | 0x10;
constexpr std::size_t LARGEST_ANSWER = std::size_t{16} << 20;

class Socket {
  public:
    explicit Socket(int family) : m_fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
    ~Socket() {
        if (m_fd >= 0) {
            ::close(m_fd);
        }
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int fd() const { return m_fd; }
    /// False when the deadline passed first.
    [[nodiscard]] bool wait(short events, const Deadline& deadline) const {
        pollfd entry{m_fd, events, 0};
        return ::poll(&entry, 1, static_cast<int>(deadline.left().count())) > 0;
    }

  private:
    int m_fd;
};

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::stringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) {
        parts.push_back(part);
    }
    return parts;
}

/// A table whose header line starts with "# ", as a list of name → value.
std::vector<std::map<std::string, std::string>> table(const std::string& text, char separator) {
    std::vector<std::map<std::string, std::string>> rows;
    std::vector<std::string> header;
    for (const std::string& line : split(text, '\n')) {
        if (line.rfind("# ", 0) == 0) {
            header = split(line.substr(2), separator);
            continue;
        }
        const std::vector<std::string> values = split(line, separator);
        if (header.empty() || values.size() < 2) {
            continue; // the format's version, or the empty line at the end
        }
        std::map<std::string, std::string> row;
        for (std::size_t i = 0; i < std::min(header.size(), values.size()); ++i) {
            row[header[i]] = values[i];
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::int64_t number(const std::map<std::string, std::string>& row, const char* key) {
    const auto it = row.find(key);
    return it == row.end() ? 0 : std::atoll(it->second.c_str());
}

const std::map<std::string, std::string>* findRow(const std::vector<std::map<std::string, std::string>>& rows, const char* key,
                                                  const std::string& value) {
    const auto it = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.count(key) > 0 && row.at(key) == value; });
    return it == rows.end() ? nullptr : &*it;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

} // namespace

Error HaproxyRuntime::fault(Error::Kind kind, const std::string& what) const {
    return {kind,
            fmt::format("{}: {}.", m_instance.name, what),
            kind == Error::Kind::Unavailable ? "Is HAProxy running, and does its runtime socket have level admin?" : "",
            {}};
}

std::string HaproxyRuntime::address() const {
    return m_instance.apiHost.empty() ? m_instance.socket : fmt::format("{}:{}", m_instance.apiHost, m_instance.apiPort);
}

namespace {

/// A socket's address, of a path or of a host and port.
struct Target {
    int family = AF_UNIX;
    sockaddr_storage address{};
    socklen_t size = 0;
};

/// The reason when there is none.
std::optional<std::string> findTarget(const HaproxyPlan& instance, Target& target) {
    if (instance.apiHost.empty()) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (instance.socket.size() >= sizeof(address.sun_path)) {
            return fmt::format("the path {} is longer than a Unix socket's may be", instance.socket);
        }
        std::memcpy(address.sun_path, instance.socket.c_str(), instance.socket.size() + 1);
        std::memcpy(&target.address, &address, sizeof(address));
        target.size = sizeof(address);
        return std::nullopt;
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(instance.apiHost.c_str(), std::to_string(instance.apiPort).c_str(), &hints, &found);
    if (failed != 0) {
        return fmt::format("{} has no address: {}", instance.apiHost, ::gai_strerror(failed));
    }
    target.family = found->ai_family;
    std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
    target.size = found->ai_addrlen;
    ::freeaddrinfo(found);
    return std::nullopt;
}

} // namespace

Result<std::string> HaproxyRuntime::command(const std::string& text, Millis limit) const {
    const Deadline deadline(limit);
    const Error late = fault(Error::Kind::Timeout, fmt::format("no answer on {} within {} ms", address(), limit.count()));
    Target target;
    if (const std::optional<std::string> wrong = findTarget(m_instance, target)) {
        return fault(Error::Kind::Unavailable, *wrong);
    }
    const Socket socket(target.family);
    if (socket.fd() < 0 || ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&target.address), target.size) != 0) {
        if (socket.fd() < 0 || errno != EINPROGRESS) {
            return fault(Error::Kind::Unavailable, fmt::format("cannot connect to {}: {}", address(), systemReason(errno)));
        }
        int failure = 0;
        socklen_t size = sizeof(failure);
        if (!socket.wait(POLLOUT, deadline)) {
            return late;
        }
        if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0) {
            return fault(Error::Kind::Unavailable, fmt::format("cannot connect to {}: {}", address(), systemReason(failure)));
        }
    }
    const std::string line = text + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t n = ::send(socket.fd(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (n > 0) {
            sent += static_cast<std::size_t>(n);
        } else if (errno != EAGAIN && errno != EINTR) {
            return fault(Error::Kind::Unavailable, fmt::format("cannot write to {}: {}", address(), systemReason(errno)));
        } else if (!socket.wait(POLLOUT, deadline)) {
            return late;
        }
    }
    std::string answer;
    char buffer[8192];
    for (;;) {
        const ssize_t n = ::recv(socket.fd(), buffer, sizeof(buffer), 0);
        if (n == 0) {
            return answer;
        }
        if (n > 0) {
            answer.append(buffer, static_cast<std::size_t>(n));
            if (answer.size() > LARGEST_ANSWER) {
                return fault(Error::Kind::Conflict, "the answer is too long");
            }
        } else if (errno != EAGAIN && errno != EINTR) {
            return fault(Error::Kind::Unavailable, fmt::format("cannot read from {}: {}", address(), systemReason(errno)));
        } else if (!socket.wait(POLLIN, deadline)) {
            return late;
        }
    }
}

Status HaproxyRuntime::act(const std::string& text, Millis limit) const {
    const Result<std::string> answer = command(text, limit);
    if (!answer) {
        return answer.error();
    }
    // Silence is success; anything else is a complaint.
    const std::string said = trimmed(*answer);
    return said.empty() ? Status() : Status(fault(Error::Kind::Server, fmt::format("\"{}\" was answered by: {}", text, said)));
}

Result<HaproxyStatus> HaproxyRuntime::status(Millis limit) const {
    const Deadline deadline(limit);
    const Result<std::string> states = command("show servers state " + m_instance.backend, deadline.left());
    if (!states) {
        return states.error();
    }
    const Result<std::string> counts = command(fmt::format("show stat {} 4 -1", m_instance.backend), deadline.left());
    if (!counts) {
        return counts.error();
    }
    const auto stateRows = table(*states, ' ');
    const auto countRows = table(*counts, ',');
    if (stateRows.empty()) {
        return fault(Error::Kind::Conflict,
                     fmt::format("there is no backend {} with servers (\"{}\")", m_instance.backend, trimmed(*states).substr(0, 100)));
    }
    HaproxyStatus result;
    for (const Side side : {Side::Blue, Side::Green}) {
        for (const std::string& name : side == Side::Blue ? m_instance.blueServers : m_instance.greenServers) {
            const auto* state = findRow(stateRows, "srv_name", name);
            const auto* count = findRow(countRows, "svname", name);
            if (state == nullptr || count == nullptr) {
                return fault(Error::Kind::Conflict, fmt::format("backend {} has no server {}", m_instance.backend, name));
            }
            const auto admin = number(*state, "srv_admin_state");
            const std::string word = (admin & MAINT_BITS) != 0 ? "maint" : (admin & DRAIN_BITS) != 0 ? "drain" : "ready";
            const bool running = word == "ready" && number(*state, "srv_op_state") != 0;
            result.servers.push_back({name, side, word, count->at("status"), running, static_cast<int>(number(*state, "srv_uweight")),
                                      number(*count, "scur"), number(*count, "stot"), number(*count, "econ")});
        }
    }
    return result;
}

Status HaproxyRuntime::setServer(const std::string& server, const std::string& state, std::optional<int> weight, Millis limit) const {
    const Deadline deadline(limit);
    const std::string where = m_instance.backend + "/" + server;
    if (weight) {
        // Absolute: "50%" would be relative to the weight of the configuration file and stay 0 when that is 0.
        if (const Status set = act(fmt::format("set server {} weight {}", where, *weight), deadline.left()); !set) {
            return set;
        }
    }
    return act(fmt::format("set server {} state {}", where, state), deadline.left());
}

Status HaproxyRuntime::shutDownSessions(const std::vector<std::string>& servers, Millis limit) const {
    const Deadline deadline(limit);
    for (const std::string& server : servers) {
        if (const Status done = act(fmt::format("shutdown sessions server {}/{}", m_instance.backend, server), deadline.left()); !done) {
            return done;
        }
    }
    return {};
}

Status HaproxyRuntime::keepState(Millis limit) const {
    if (m_instance.stateFile.empty()) {
        return {};
    }
    const Result<std::string> states = command("show servers state", limit);
    // Read by HAProxy at its start, which may drop its rights first.
    return states ? writeFileAtomically(m_instance.stateFile, *states, 0644) : Status(states.error());
}

} // namespace tealdeck
