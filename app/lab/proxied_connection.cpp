// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/proxied_connection.h"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// Bytes on their way in one direction before no more are taken: the sender's own buffers fill up, as on a slow network.
constexpr std::size_t MOST_ON_THE_WAY = std::size_t{1} << 20;

bool holdsUp(const Fault& fault) {
    return fault.mode == FaultMode::Stall;
}

bool holdsDown(const Fault& fault) {
    return fault.mode == FaultMode::Stall || fault.mode == FaultMode::HalfOpen;
}

void sendAtOnce(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool isTemporary(int reason) {
    return reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR;
}

} // namespace

ProxiedConnection::ProxiedConnection(int client, int target) : m_client(client), m_target(target) {
    ::fcntl(m_client, F_SETFL, O_NONBLOCK);
    sendAtOnce(m_client);
}

ProxiedConnection::~ProxiedConnection() {
    ::close(m_client);
    if (m_server >= 0) {
        ::close(m_server);
    }
}

void ProxiedConnection::reset() {
    const linger none{1, 0};
    for (const int fd : {m_client, m_server}) {
        if (fd >= 0) {
            ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        }
    }
}

bool ProxiedConnection::connectServer() {
    m_server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(m_target));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (m_server < 0) {
        return false;
    }
    sendAtOnce(m_server);
    return ::connect(m_server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EINPROGRESS;
}

void ProxiedConnection::begin(const Fault& fault) {
    if (!holdsUp(fault) && m_server < 0 && !connectServer() && m_server >= 0) {
        ::close(m_server); // serve() tries once more and then gives up
        m_server = -1;
    }
}

void ProxiedConnection::watch(const Fault& fault, Time now, pollfd& client, pollfd& server) {
    const auto room = [](const Flow& flow) { return !flow.ended && flow.size < MOST_ON_THE_WAY; };
    short onClient = 0;
    short onServer = 0;
    if (!holdsUp(fault)) {
        onClient |= room(m_up) ? POLLIN : 0;
        onServer |= !m_connected || m_up.due(now) ? POLLOUT : 0;
    }
    if (!holdsDown(fault) && m_connected) {
        onServer |= room(m_down) ? POLLIN : 0;
        onClient |= m_down.due(now) ? POLLOUT : 0;
    }
    // Without this a side that has hung up would be reported again and again while its end must not be passed on yet.
    client = {onClient != 0 ? m_client : -1, onClient, 0};
    server = {onServer != 0 ? m_server : -1, onServer, 0};
}

bool ProxiedConnection::serve(const Fault& fault, Time now, const pollfd& client, const pollfd& server) {
    if (!holdsUp(fault) && m_server < 0 && !connectServer()) {
        reset();
        return false;
    }
    if (!m_connected && (server.revents & (POLLOUT | POLLERR | POLLHUP)) != 0) {
        int reason = 0;
        socklen_t size = sizeof reason;
        ::getsockopt(m_server, SOL_SOCKET, SO_ERROR, &reason, &size);
        m_connected = reason == 0;
        if (!m_connected) {
            reset();
            return false;
        }
    }
    const Time due = now + fault.delay;
    const short readable = POLLIN | POLLHUP | POLLERR;
    bool fine = true;
    if ((client.events & POLLIN) != 0 && (client.revents & readable) != 0) {
        fine = take(m_client, m_up, due);
    }
    if (fine && (server.events & POLLIN) != 0 && (server.revents & readable) != 0) {
        fine = take(m_server, m_down, due);
    }
    // Written at once and not only when poll says so: nearly always there is room.
    if (fine && !holdsUp(fault) && m_connected) {
        fine = give(m_server, m_up, now);
    }
    if (fine && !holdsDown(fault) && m_connected) {
        fine = give(m_client, m_down, now);
    }
    if (!fine) {
        reset();
    }
    return fine && !(m_up.endPassed && m_down.endPassed);
}

bool ProxiedConnection::take(int from, Flow& flow, Time due) {
    char buffer[65536];
    const ssize_t n = ::recv(from, buffer, sizeof buffer, 0);
    if (n < 0) {
        return isTemporary(errno);
    }
    flow.ended = n == 0;
    if (n > 0) {
        flow.pieces.push_back({due, std::string(buffer, static_cast<std::size_t>(n))});
        flow.size += static_cast<std::size_t>(n);
    }
    return true;
}

bool ProxiedConnection::give(int to, Flow& flow, Time now) {
    while (flow.due(now)) {
        std::string& bytes = flow.pieces.front().bytes;
        const ssize_t n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0) {
            return isTemporary(errno);
        }
        flow.size -= static_cast<std::size_t>(n);
        bytes.erase(0, static_cast<std::size_t>(n));
        if (!bytes.empty()) {
            return true;
        }
        flow.pieces.pop_front();
    }
    passEnd(to, flow);
    return true;
}

void ProxiedConnection::passEnd(int to, Flow& flow) {
    if (flow.ended && flow.pieces.empty() && !flow.endPassed) {
        ::shutdown(to, SHUT_WR);
        flow.endPassed = true;
    }
}

std::optional<ProxiedConnection::Time> ProxiedConnection::nextDue(Time now) const {
    std::optional<Time> next;
    for (const Flow* flow : {&m_up, &m_down}) {
        if (!flow->pieces.empty() && flow->pieces.front().due > now && (!next || flow->pieces.front().due < *next)) {
            next = flow->pieces.front().due;
        }
    }
    return next;
}

} // namespace tealdeck
