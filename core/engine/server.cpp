// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/server.h"

#include "core/api/wire.h"
#include "core/util/files.h"
#include "core/util/version.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// A client that has more than this unread is behind.
constexpr std::size_t MAX_OUTPUT = std::size_t{16} << 20;

sockaddr_un address(const std::filesystem::path& path) {
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    path.string().copy(a.sun_path, sizeof a.sun_path - 1);
    return a;
}

bool answers(const std::filesystem::path& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un a = address(path);
    const bool alive = ::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0;
    ::close(fd);
    return alive;
}

void makeNonBlocking(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/// Open to every client that may connect at all, because the socket is the owner's: Abort, and words beside a run.
bool isOpenToAll(CommandKind kind) {
    return kind == CommandKind::Abort || kind == CommandKind::Acknowledge || kind == CommandKind::Shelve || kind == CommandKind::Continue ||
           kind == CommandKind::PauseCopy || kind == CommandKind::ResumeCopy || kind == CommandKind::CancelCopy ||
           kind == CommandKind::Note || kind == CommandKind::Stop;
}

} // namespace

EngineServer::EngineServer(EventHub& hub, std::function<CommandReply(const Command&)> submit) : m_hub(hub), m_submit(std::move(submit)) {
    if (::pipe2(m_wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        m_wake[0] = m_wake[1] = -1;
    }
    m_hub.setListener([this](const Event& event) {
        {
            const std::lock_guard lock(m_mutex);
            m_fresh.push_back(event);
        }
        [[maybe_unused]] const ssize_t n = ::write(m_wake[1], "e", 1);
    });
}

EngineServer::~EngineServer() {
    m_hub.setListener({});
    for (Client& client : m_clients) {
        close(client);
    }
    for (const int fd : {m_listener, m_wake[0], m_wake[1]}) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    if (!m_socket.empty()) {
        ::unlink(m_socket.c_str());
    }
}

Status EngineServer::listen(const std::filesystem::path& socket) {
    if (answers(socket)) {
        return Error{Error::Kind::Conflict, fmt::format("An engine listens on {} already.", socket.string()), "Attach to it.", {}};
    }
    ::unlink(socket.c_str());
    m_listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const sockaddr_un a = address(socket);
    const mode_t before = ::umask(0177);
    const bool bound =
        m_listener >= 0 && ::bind(m_listener, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0 && ::listen(m_listener, 16) == 0;
    const int reason = errno;
    ::umask(before);
    if (!bound) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot listen on {}: {}.", socket.string(), systemReason(reason)), {}, {}};
    }
    m_socket = socket;
    return {};
}

void EngineServer::adopt(int in, int out) {
    makeNonBlocking(in);
    makeNonBlocking(out);
    Client client;
    client.in = in;
    client.out = out;
    m_clients.push_back(std::move(client));
}

void EngineServer::stop() {
    m_stopping = true;
    [[maybe_unused]] const ssize_t n = ::write(m_wake[1], "s", 1);
}

void EngineServer::run(const std::function<bool(Millis)>& idle) {
    auto lastClient = std::chrono::steady_clock::now();
    while (!m_stopping) {
        std::vector<pollfd> fds = {{m_wake[0], POLLIN, 0}, {m_listener, POLLIN, 0}};
        for (const Client& client : m_clients) {
            fds.push_back({client.closing ? -1 : client.in, POLLIN, 0});
            fds.push_back({client.output.empty() ? -1 : client.out, POLLOUT, 0});
        }
        ::poll(fds.data(), fds.size(), 500);
        if (fds[0].revents != 0) {
            char drain[512];
            while (::read(m_wake[0], drain, sizeof drain) > 0) {
            }
            spread();
        }
        const std::size_t known = (fds.size() - 2) / 2;
        for (std::size_t i = 0; i < known; ++i) {
            if (fds[2 + 2 * i].revents != 0) {
                readFrom(m_clients[i]);
            }
            writeTo(m_clients[i]);
        }
        if (fds[1].revents != 0) {
            acceptClient();
        }
        for (Client& client : m_clients) {
            if (client.closing && client.output.empty()) {
                close(client);
            }
        }
        m_clients.erase(std::remove_if(m_clients.begin(), m_clients.end(), [](const Client& c) { return c.in < 0; }), m_clients.end());
        if (!m_clients.empty()) {
            lastClient = std::chrono::steady_clock::now();
        }
        if (idle && idle(std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - lastClient))) {
            break;
        }
    }
    for (Client& client : m_clients) {
        client.output += wire::encode(wire::Goodbye{"The engine stops."});
        writeTo(client);
    }
}

void EngineServer::acceptClient() {
    const int fd = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    Client client;
    client.in = client.out = fd;
    m_clients.push_back(std::move(client));
}

void EngineServer::readFrom(Client& client) {
    char buffer[65536];
    const ssize_t n = ::read(client.in, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(client);
        return;
    }
    if (n < 0) {
        return;
    }
    client.pending.append(buffer, static_cast<std::size_t>(n));
    for (std::size_t end = client.pending.find('\n'); end != std::string::npos && !client.closing; end = client.pending.find('\n')) {
        const std::string line = client.pending.substr(0, end);
        client.pending.erase(0, end + 1);
        takeLine(client, line);
    }
    if (client.pending.size() > wire::MAX_CLIENT_LINE && !client.closing) {
        client.output += wire::encode(wire::Goodbye{"The line is too long."});
        client.closing = true;
    }
}

void EngineServer::takeLine(Client& client, const std::string& line) {
    const wire::FromClient message = wire::decodeFromClient(line);
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        const bool taken =
            std::any_of(m_clients.begin(), m_clients.end(), [&](const Client& c) { return &c != &client && c.driver && c.in >= 0; });
        client.driver = hello->driver && !taken;
        client.actor = hello->actor;
        welcome(client);
    } else if (const auto* asked = std::get_if<wire::CommandMessage>(&message)) {
        CommandReply reply{false, "This client only watches: another one drives, or it said so itself."};
        if (client.greeted && (client.driver || isOpenToAll(asked->command.kind))) {
            Command command = asked->command;
            command.actor = client.actor.empty() ? "unknown" : client.actor;
            reply = m_submit(command);
        }
        client.output += wire::encode(wire::Reply{asked->id, reply});
    } else {
        const auto* malformed = std::get_if<wire::Malformed>(&message);
        client.output += wire::encode(wire::Goodbye{malformed != nullptr ? malformed->reason : "Unexpected message."});
        client.closing = true;
    }
}

void EngineServer::welcome(Client& client) {
    wire::Welcome message;
    message.engineVersion = VERSION;
    m_hub.attach([&](const Snapshot& snapshot, std::vector<Event> history) {
        message.start = {snapshot, std::move(history), client.driver};
    });
    client.sentSeq = message.start.snapshot.seq; // events up to here are in the snapshot and must not come twice
    client.output += wire::encode(message);
    client.greeted = true;
    client.behind = false;
}

void EngineServer::spread() {
    std::vector<Event> fresh;
    {
        const std::lock_guard lock(m_mutex);
        fresh.swap(m_fresh);
    }
    if (fresh.empty()) {
        return;
    }
    const std::string whole = wire::encode(wire::Events{fresh});
    for (Client& client : m_clients) {
        if (!client.greeted || client.in < 0 || client.closing || client.behind || fresh.back().seq <= client.sentSeq) {
            continue;
        }
        std::string rest;
        if (fresh.front().seq <= client.sentSeq) {
            const auto first = std::find_if(fresh.begin(), fresh.end(), [&](const Event& e) { return e.seq > client.sentSeq; });
            rest = wire::encode(wire::Events{{first, fresh.end()}});
        }
        const std::string& line = rest.empty() ? whole : rest;
        if (client.output.size() + line.size() > MAX_OUTPUT) {
            client.behind = true;
        } else {
            client.output += line;
            client.sentSeq = fresh.back().seq;
        }
    }
}

void EngineServer::writeTo(Client& client) {
    while (!client.output.empty() && client.out >= 0) {
        const ssize_t n = client.in == client.out ? ::send(client.out, client.output.data(), client.output.size(), MSG_NOSIGNAL)
                                                  : ::write(client.out, client.output.data(), client.output.size());
        if (n > 0) {
            client.output.erase(0, static_cast<std::size_t>(n));
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else if (n < 0 && errno != EINTR) {
            close(client);
            return;
        }
    }
    if (client.behind && client.out >= 0) {
        welcome(client);
    }
}

void EngineServer::close(Client& client) {
    if (client.in > 2) {
        ::close(client.in);
    }
    client.in = client.out = -1;
    client.output.clear();
}

} // namespace tealdeck
