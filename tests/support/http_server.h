// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <arpa/inet.h>
#include <atomic>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tealdeck::test {

/// Answers every request on a free port of 127.0.0.1 with the same text, whole as it stands; an empty text is silence.
class HttpServer {
  public:
    explicit HttpServer(std::string answer) : m_answer(std::move(answer)), m_listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        static_cast<void>(::bind(m_listener, reinterpret_cast<const sockaddr*>(&address), size));
        static_cast<void>(::listen(m_listener, 8));
        static_cast<void>(::getsockname(m_listener, reinterpret_cast<sockaddr*>(&address), &size));
        m_port = ntohs(address.sin_port);
        m_thread = std::thread([this] { run(); });
    }
    ~HttpServer() {
        m_ending = true;
        m_thread.join();
        ::close(m_listener);
        for (const int fd : m_silent) {
            ::close(fd);
        }
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    void say(std::string answer) {
        const std::lock_guard lock(m_mutex);
        m_answer = std::move(answer);
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(m_port); }
    [[nodiscard]] std::string request() {
        const std::lock_guard lock(m_mutex);
        return m_request;
    }
    static std::string json(const std::string& body) {
        return "HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6\r\nContent-Type: application/json\r\n\r\n" + body;
    }

  private:
    void run() {
        while (!m_ending) {
            pollfd entry{m_listener, POLLIN, 0};
            if (::poll(&entry, 1, 20) <= 0) {
                continue;
            }
            const int fd = ::accept(m_listener, nullptr, nullptr);
            char buffer[2048];
            const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
            const std::lock_guard lock(m_mutex);
            m_request.assign(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
            if (m_answer.empty()) {
                m_silent.push_back(fd);
                continue;
            }
            std::size_t sent = 0;
            while (sent < m_answer.size()) {
                const ssize_t wrote = ::send(fd, m_answer.data() + sent, m_answer.size() - sent, MSG_NOSIGNAL);
                if (wrote <= 0) {
                    break;
                }
                sent += static_cast<std::size_t>(wrote);
            }
            ::close(fd);
        }
    }

    std::mutex m_mutex; ///< guards the answer and the request
    std::string m_answer, m_request;
    std::vector<int> m_silent;
    int m_listener;
    int m_port = 0;
    std::atomic<bool> m_ending{false};
    std::thread m_thread;
};

} // namespace tealdeck::test
