// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/util/http_get.h"

#include "core/util/text.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tealdeck {
namespace {

constexpr std::size_t LARGEST_ANSWER = std::size_t{1} << 20;

struct Socket {
    int fd = -1;
    explicit Socket(int opened) : fd(opened) {}
    ~Socket() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    /// False when the deadline passed first.
    [[nodiscard]] bool wait(short events, const Deadline& deadline) const {
        pollfd entry{fd, events, 0};
        return ::poll(&entry, 1, static_cast<int>(deadline.left().count())) > 0;
    }
};

struct Target {
    sockaddr_storage address{};
    socklen_t size = 0;
    int family = 0;
};

/// The resolver has no limit of its own: it runs on a thread that is left alone when it is late.
std::optional<Target> resolve(const HttpAddress& address, const Deadline& deadline) {
    struct Lookup {
        std::mutex mutex;
        std::condition_variable ended;
        bool done = false;
        std::optional<Target> target;
    };
    const auto lookup = std::make_shared<Lookup>();
    std::thread([lookup, address] {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        std::optional<Target> target;
        if (::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) == 0 && found != nullptr) {
            target.emplace();
            target->size = found->ai_addrlen;
            target->family = found->ai_family;
            std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen, reinterpret_cast<char*>(&target->address));
        }
        if (found != nullptr) {
            ::freeaddrinfo(found);
        }
        const std::lock_guard lock(lookup->mutex);
        lookup->target = target;
        lookup->done = true;
        lookup->ended.notify_all();
    }).detach();
    std::unique_lock lock(lookup->mutex);
    lookup->ended.wait_until(lock, deadline.at(), [&] { return lookup->done; });
    return lookup->target;
}

Error noAnswer(const HttpAddress& address, const char* why) {
    return {Error::Kind::Unavailable, fmt::format("http://{}:{} {}.", plainText(address.host, 80), address.port, why), {}, {}};
}

Result<HttpAnswer> parseAnswer(const HttpAddress& address, const std::string& text) {
    const std::size_t head = text.find("\r\n\r\n");
    if (text.rfind("HTTP/1.", 0) != 0 || text.size() < 12 || head == std::string::npos) {
        return noAnswer(address, "does not speak HTTP");
    }
    return HttpAnswer{std::atoi(text.c_str() + 9), text.substr(head + 4)};
}

} // namespace

std::optional<HttpAddress> parseHttpAddress(const std::string& text) {
    constexpr const char* SCHEME = "http://";
    if (text.rfind(SCHEME, 0) != 0) {
        return std::nullopt;
    }
    std::string rest = text.substr(7);
    if (!rest.empty() && rest.back() == '/') {
        rest.pop_back();
    }
    HttpAddress address;
    const bool bracketed = !rest.empty() && rest.front() == '[';
    const std::size_t hostEnd = bracketed ? rest.find(']') : rest.find(':');
    if (bracketed && hostEnd == std::string::npos) {
        return std::nullopt;
    }
    address.host = bracketed ? rest.substr(1, hostEnd - 1) : rest.substr(0, hostEnd);
    const std::string behind = hostEnd == std::string::npos ? "" : rest.substr(bracketed ? hostEnd + 1 : hostEnd);
    const bool fine = !address.host.empty() && std::all_of(address.host.begin(), address.host.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
               (bracketed && (c == ':' || c == '%'));
    });
    if (!fine || (!behind.empty() && behind.front() != ':')) {
        return std::nullopt;
    }
    if (!behind.empty()) {
        address.port = behind.substr(1);
        const bool digits = !address.port.empty() && address.port.size() <= 5 &&
                            std::all_of(address.port.begin(), address.port.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!digits || std::atoi(address.port.c_str()) < 1 || std::atoi(address.port.c_str()) > 65535) {
            return std::nullopt;
        }
    }
    return address;
}

Result<HttpAnswer> httpGet(const HttpAddress& address, const std::string& path, Millis limit) {
    const Deadline deadline(limit);
    const std::optional<Target> target = resolve(address, deadline);
    if (!target) {
        return noAnswer(address, deadline.passed() ? "was not found in time" : "was not found");
    }
    const Socket socket(::socket(target->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto* raw = reinterpret_cast<const sockaddr*>(&target->address);
    if (socket.fd < 0 || (::connect(socket.fd, raw, target->size) != 0 && errno != EINPROGRESS)) {
        return noAnswer(address, "cannot be reached");
    }
    std::string request = fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n\r\n", path, address.host);
    int failure = 0;
    socklen_t size = sizeof failure;
    if (!socket.wait(POLLOUT, deadline)) {
        return noAnswer(address, "does not answer in time");
    }
    if (::getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0 ||
        ::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
        return noAnswer(address, "cannot be reached");
    }
    std::string text;
    std::vector<char> buffer(16384);
    for (;;) {
        if (!socket.wait(POLLIN, deadline)) {
            return noAnswer(address, "does not answer in time");
        }
        const ssize_t n = ::recv(socket.fd, buffer.data(), buffer.size(), 0);
        if (n == 0) {
            return parseAnswer(address, text);
        }
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
            return noAnswer(address, "broke off");
        }
        text.append(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
        if (text.size() > LARGEST_ANSWER) {
            return noAnswer(address, "answers with more than can be right");
        }
    }
}

} // namespace tealdeck
