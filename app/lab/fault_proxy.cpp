// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/fault_proxy.h"

#include "core/util/files.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr Millis CONTROL_LIMIT{1000};
constexpr Millis ASK_LIMIT{3000};
constexpr std::size_t LONGEST_LINE = 4096;

bool fill(sockaddr_un& address, const std::string& path) {
    address = {};
    address.sun_family = AF_UNIX;
    return path.copy(address.sun_path, sizeof address.sun_path - 1) == path.size();
}

/// Up to a newline; what came until then when the other party stops or the deadline passes.
std::string readLine(int fd, const Deadline& deadline, std::size_t longest) {
    std::string line;
    while (!deadline.passed() && line.size() < longest && (line.empty() || line.back() != '\n')) {
        pollfd p{fd, POLLIN, 0};
        char buffer[4096];
        if (::poll(&p, 1, static_cast<int>(deadline.left().count()) + 1) <= 0) {
            continue;
        }
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) {
            break;
        }
        line.append(buffer, static_cast<std::size_t>(n));
    }
    return line;
}

void sendLine(int fd, const Json& json) {
    const std::string text = dumpJson(json) + "\n";
    [[maybe_unused]] const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

} // namespace

Result<std::unique_ptr<FaultProxy>> FaultProxy::start(const std::vector<LabLink>& links, const std::string& controlSocket) {
    auto proxy = std::unique_ptr<FaultProxy>(new FaultProxy);
    for (const LabLink& link : links) {
        proxy->m_links.push_back(std::make_unique<ProxyLink>(link));
        if (const Status listens = proxy->m_links.back()->listen(); !listens) {
            return listens.error();
        }
    }
    sockaddr_un address{};
    ::unlink(controlSocket.c_str());
    proxy->m_control = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    proxy->m_controlPath = controlSocket;
    const mode_t before = ::umask(0177);
    const bool bound =
        fill(address, controlSocket) && ::bind(proxy->m_control, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::umask(before);
    if (!bound || ::listen(proxy->m_control, 8) != 0) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("The fault proxy cannot listen on {}: {}.", controlSocket, systemReason(errno)),
                     "Choose a shorter --dir for the lab.",
                     {}};
    }
    return proxy;
}

FaultProxy::~FaultProxy() {
    if (m_control >= 0) {
        ::close(m_control);
        ::unlink(m_controlPath.c_str());
    }
}

void FaultProxy::serve(Millis atMost) {
    const ProxiedConnection::Time begin = std::chrono::steady_clock::now();
    ProxiedConnection::Time until = begin + atMost;
    std::vector<pollfd> polled{{m_control, POLLIN, 0}};
    for (const auto& link : m_links) {
        link->watch(begin, polled);
        if (const auto due = link->nextDue(begin)) {
            until = std::min(until, *due);
        }
    }
    // Rounded up: one that wakes too early would only spin.
    const auto wait = std::chrono::ceil<Millis>(until - begin).count();
    if (::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(wait, 0))) < 0) {
        return;
    }
    const ProxiedConnection::Time now = std::chrono::steady_clock::now();
    std::size_t at = 1;
    for (const auto& link : m_links) {
        link->serve(now, polled, at);
    }
    if (polled[0].revents != 0) {
        answerControl();
    }
}

void FaultProxy::answerControl() {
    const int client = ::accept4(m_control, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) {
        sendLine(client, answer(readLine(client, Deadline(CONTROL_LIMIT), LONGEST_LINE)));
        ::close(client);
    }
}

Json FaultProxy::answer(const std::string& line) {
    const std::optional<Json> request = parseJson(line);
    if (!request || !request->is_object()) {
        return {{"error", "The fault proxy takes one JSON object a line."}};
    }
    if (request->contains("link")) {
        const std::string name = member<std::string>(*request, "link", "");
        const Result<Fault> fault = parseFault(member<std::string>(*request, "mode", ""), member<int>(*request, "ms", 0));
        const auto link = std::find_if(m_links.begin(), m_links.end(), [&](const auto& l) { return l->name() == name; });
        if (!fault || link == m_links.end()) {
            return {{"error", fault.ok() ? fmt::format("There is no link \"{}\".", name) : fault.error().text()}};
        }
        if (const Status set = (*link)->set(*fault); !set) {
            return {{"error", set.error().text()}};
        }
    }
    Json links = Json::array();
    for (const auto& link : m_links) {
        links.push_back(link->toJson());
    }
    return {{"ok", true}, {"links", std::move(links)}};
}

Result<Json> askFaultProxy(const std::string& controlSocket, const Json& request) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    std::string line;
    if (fd >= 0 && fill(address, controlSocket) && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        sendLine(fd, request);
        line = readLine(fd, Deadline(ASK_LIMIT), std::size_t{1} << 20);
    }
    ::close(fd);
    const std::optional<Json> reply = parseJson(line);
    if (!reply) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("The lab's fault proxy does not answer on {}.", controlSocket),
                     "Look with \"tealctl lab status\", and start it again with \"tealctl lab start … fault-proxy\".",
                     {}};
    }
    if (const std::string error = member<std::string>(*reply, "error", ""); !error.empty()) {
        return Error{Error::Kind::Invalid, error, {}, {}};
    }
    return *reply;
}

} // namespace tealdeck
