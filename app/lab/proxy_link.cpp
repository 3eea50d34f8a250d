// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/fault_proxy.h"
#include "core/util/files.h"

#include <arpa/inet.h>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr int BACKLOG = 256;

} // namespace

ProxyLink::~ProxyLink() {
    if (m_listener >= 0) {
        ::close(m_listener);
    }
}

Status ProxyLink::listen() {
    if (m_listener >= 0) {
        return {};
    }
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(m_link.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, BACKLOG) != 0) {
        const int reason = errno;
        ::close(fd);
        return Error{Error::Kind::Unavailable,
                     fmt::format("Link {}: cannot listen on port {}: {}.", m_link.name, m_link.port, systemReason(reason)),
                     "Another program may have taken the port; start a new lab.",
                     {}};
    }
    m_listener = fd;
    return {};
}

Status ProxyLink::set(const Fault& fault) {
    m_fault = fault;
    if (fault.mode == FaultMode::Cut) {
        ::close(m_listener);
        m_listener = -1;
    }
    if (fault.mode == FaultMode::Cut || fault.mode == FaultMode::Reset) {
        endAll(fault.mode == FaultMode::Reset);
    }
    for (const auto& connection : m_connections) {
        connection->begin(m_fault);
    }
    return fault.mode == FaultMode::Cut ? Status() : listen();
}

void ProxyLink::endAll(bool withReset) {
    for (const auto& connection : m_connections) {
        if (withReset) {
            connection->reset();
        }
    }
    m_connections.clear();
}

Json ProxyLink::toJson() const {
    return {{"name", m_link.name},         {"port", m_link.port},
            {"target", m_link.target},     {"mode", faultModeName(m_fault.mode)},
            {"ms", m_fault.delay.count()}, {"connections", m_connections.size()}};
}

void ProxyLink::watch(ProxiedConnection::Time now, std::vector<pollfd>& polled) const {
    polled.push_back({m_listener, POLLIN, 0});
    for (const auto& connection : m_connections) {
        pollfd client{};
        pollfd server{};
        connection->watch(m_fault, now, client, server);
        polled.push_back(client);
        polled.push_back(server);
    }
}

void ProxyLink::serve(ProxiedConnection::Time now, const std::vector<pollfd>& polled, std::size_t& at) {
    const bool knocked = polled[at++].revents != 0;
    for (auto it = m_connections.begin(); it != m_connections.end(); at += 2) {
        it = (*it)->serve(m_fault, now, polled[at], polled[at + 1]) ? std::next(it) : m_connections.erase(it);
    }
    if (knocked) {
        acceptOne();
    }
}

void ProxyLink::acceptOne() {
    const int client = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
        return;
    }
    m_connections.push_back(std::make_unique<ProxiedConnection>(client, m_link.target));
    if (m_fault.mode == FaultMode::Reset) {
        endAll(true);
    } else {
        m_connections.back()->begin(m_fault);
    }
}

std::optional<ProxiedConnection::Time> ProxyLink::nextDue(ProxiedConnection::Time now) const {
    std::optional<ProxiedConnection::Time> next;
    for (const auto& connection : m_connections) {
        const auto due = connection->nextDue(now);
        next = due && (!next || *due < *next) ? due : next;
    }
    return next;
}

} // namespace tealdeck
