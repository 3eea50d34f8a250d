// SPDX-License-Identifier: GPL-3.0-or-later
// The fault proxy as its clients see it: each mode, and the way back from it.
#include "app/lab/fault_proxy.h"
#include "app/lab/lab_setup.h"
#include "tests/support/lab_fixture.h"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr int LIMIT_MS = 5000;
/// How long something is watched that must not happen.
constexpr int SILENCE_MS = 300;

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Sends back whatever it gets, counts it, and closes after its client's end.
class EchoServer {
  public:
    explicit EchoServer(int port) {
        m_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(m_listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        const sockaddr_in address = loopback(port);
        EXPECT_EQ(::bind(m_listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(m_listener, 16), 0);
        m_thread = std::thread([this] { work(); });
    }
    ~EchoServer() {
        m_stop = true;
        m_thread.join();
        ::close(m_listener);
    }
    [[nodiscard]] std::size_t received() const { return m_received; }

  private:
    void work() {
        std::vector<pollfd> fds{{m_listener, POLLIN, 0}};
        while (!m_stop) {
            if (::poll(fds.data(), fds.size(), 20) <= 0) {
                continue;
            }
            for (std::size_t i = 1; i < fds.size(); ++i) {
                char buffer[65536];
                const ssize_t n = fds[i].revents != 0 ? ::recv(fds[i].fd, buffer, sizeof buffer, 0) : 1;
                if (fds[i].revents != 0 && n > 0) {
                    m_received += static_cast<std::size_t>(n);
                    EXPECT_EQ(::send(fds[i].fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL), n);
                } else if (n <= 0) {
                    ::close(fds[i].fd);
                    fds[i].fd = -1;
                }
            }
            if (fds[0].revents != 0) {
                fds.push_back({::accept(m_listener, nullptr, nullptr), POLLIN, 0});
            }
        }
        for (std::size_t i = 1; i < fds.size(); ++i) {
            ::close(fds[i].fd);
        }
    }
    int m_listener = -1;
    std::atomic<bool> m_stop{false};
    std::atomic<std::size_t> m_received{0};
    std::thread m_thread;
};

class Client {
  public:
    explicit Client(int port) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_in address = loopback(port);
        m_error = ::connect(m_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    }
    ~Client() { ::close(m_fd); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    [[nodiscard]] int connectError() const { return m_error; }
    void send(const std::string& text) const {
        EXPECT_EQ(::send(m_fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    }
    void endSending() const { ::shutdown(m_fd, SHUT_WR); }
    [[nodiscard]] bool readable(int ms) const {
        pollfd p{m_fd, POLLIN, 0};
        return ::poll(&p, 1, ms) > 0;
    }
    /// So many bytes, or fewer at the end of the stream or after the limit.
    std::string receive(std::size_t wanted) {
        std::string text;
        while (text.size() < wanted && readable(LIMIT_MS)) {
            char buffer[65536];
            const ssize_t n = ::recv(m_fd, buffer, std::min(sizeof buffer, wanted - text.size()), 0);
            m_error = n < 0 ? errno : 0;
            m_ended = n == 0;
            if (n <= 0) {
                break;
            }
            text.append(buffer, static_cast<std::size_t>(n));
        }
        return text;
    }
    [[nodiscard]] bool ended() const { return m_ended; }
    [[nodiscard]] int error() const { return m_error; }

  private:
    int m_fd;
    int m_error = 0;
    bool m_ended = false;
};

class Proxy : public testing::Test {
  protected:
    Proxy() : m_folder(makeTestFolder()), m_control((m_folder / "control.sock").string()) {
        HeldPorts ports;
        m_port = ports.take().valueOr(0);
        const int target = ports.take().valueOr(0);
        m_dead = ports.take().valueOr(0);
        const int nobody = ports.take().valueOr(0);
        for (const int port : {m_port, target, m_dead, nobody}) {
            ports.release(port);
        }
        m_echo = std::make_unique<EchoServer>(target);
        auto proxy = FaultProxy::start({{"a-b", m_port, target}, {"a-nobody", m_dead, nobody}}, m_control);
        EXPECT_TRUE(proxy.ok()) << (proxy.ok() ? "" : proxy.error().text());
        m_proxy = std::move(*proxy);
        m_thread = std::thread([this] {
            while (!m_stop) {
                m_proxy->serve(Millis(20));
            }
        });
    }
    ~Proxy() override {
        m_stop = true;
        m_thread.join();
        m_proxy.reset();
        std::filesystem::remove_all(m_folder);
    }
    void set(const char* mode, int ms = 0) const {
        const Result<Json> answer = askFaultProxy(m_control, {{"link", "a-b"}, {"mode", mode}, {"ms", ms}});
        ASSERT_TRUE(answer.ok()) << answer.error().text();
        ASSERT_EQ((*answer)["links"][0]["mode"], mode);
    }
    static void expectEcho(Client& client, const std::string& text) {
        client.send(text);
        EXPECT_EQ(client.receive(text.size()), text);
    }
    /// Open through the proxy up to the server: one word went and came.
    [[nodiscard]] std::unique_ptr<Client> talking() const {
        auto client = std::make_unique<Client>(m_port);
        EXPECT_EQ(client->connectError(), 0);
        expectEcho(*client, "hello");
        return client;
    }

    void expectWorks() const { EXPECT_NE(talking(), nullptr); }

    std::filesystem::path m_folder;
    std::string m_control;
    int m_port = 0;
    int m_dead = 0;
    std::unique_ptr<EchoServer> m_echo;
    std::unique_ptr<FaultProxy> m_proxy;
    std::atomic<bool> m_stop{false};
    std::thread m_thread;
};

TEST_F(Proxy, PassesEveryByteAndTheEndOfEachDirection) {
    const auto client = talking();
    std::string much(std::size_t{4} << 20, 'x');
    for (std::size_t i = 0; i < much.size(); i += 7) {
        much[i] = static_cast<char>('a' + i % 26);
    }
    std::thread sender([&] {
        for (std::size_t at = 0; at < much.size(); at += 32768) {
            client->send(much.substr(at, 32768));
        }
        client->endSending();
    });
    EXPECT_EQ(client->receive(much.size()), much);
    sender.join();
    EXPECT_EQ(client->receive(1), "");
    EXPECT_TRUE(client->ended()) << "the server's end was not passed on";
}

TEST_F(Proxy, DelaysBothDirectionsAndKeepsTheOrder) {
    const auto client = talking();
    set("delay", 100);
    const auto begin = std::chrono::steady_clock::now();
    expectEcho(*client, "one");
    EXPECT_GE(std::chrono::steady_clock::now() - begin, Millis(200));
    client->send("two,");
    set("pass");
    client->send("three");
    EXPECT_EQ(client->receive(9), "two,three");
}

TEST_F(Proxy, CutClosesWhatIsThereAndRefusesWhatComes) {
    const auto client = talking();
    set("cut");
    EXPECT_EQ(client->receive(1), "");
    EXPECT_TRUE(client->ended() || client->error() == ECONNRESET);
    EXPECT_EQ(Client(m_port).connectError(), ECONNREFUSED);
    set("cut"); // twice is the same
    EXPECT_EQ(Client(m_port).connectError(), ECONNREFUSED);
    set("pass");
    expectWorks();
}

TEST_F(Proxy, ResetsWhatIsThereAndWhatComes) {
    const auto client = talking();
    set("reset");
    EXPECT_EQ(client->receive(1), "");
    EXPECT_EQ(client->error(), ECONNRESET);
    Client later(m_port);
    EXPECT_EQ(later.connectError(), 0);
    EXPECT_EQ(later.receive(1), "");
    EXPECT_EQ(later.error(), ECONNRESET);
    set("pass");
    expectWorks();
}

TEST_F(Proxy, StallIsABlackHoleUntilItEnds) {
    const auto client = talking();
    const std::size_t before = m_echo->received();
    set("stall");
    client->send("old");
    Client later(m_port);
    EXPECT_EQ(later.connectError(), 0) << "new connections are taken";
    later.send("new");
    EXPECT_FALSE(client->readable(SILENCE_MS));
    EXPECT_FALSE(later.readable(SILENCE_MS));
    EXPECT_EQ(m_echo->received(), before) << "something came through";
    set("pass");
    EXPECT_EQ(client->receive(3), "old");
    EXPECT_EQ(later.receive(3), "new");
}

TEST_F(Proxy, HalfOpenLetsRequestsThroughAndHoldsTheAnswers) {
    const auto client = talking();
    const std::size_t before = m_echo->received();
    set("half-open");
    client->send("request");
    const Deadline deadline(Millis{LIMIT_MS});
    while (m_echo->received() < before + 7 && !deadline.passed()) {
        ::poll(nullptr, 0, 5);
    }
    EXPECT_EQ(m_echo->received(), before + 7);
    EXPECT_FALSE(client->readable(SILENCE_MS));
    set("pass");
    EXPECT_EQ(client->receive(7), "request");
}

TEST_F(Proxy, AServerThatIsNotThereIsAResetNotAHang) {
    Client client(m_dead);
    EXPECT_EQ(client.connectError(), 0);
    EXPECT_EQ(client.receive(1), "");
    EXPECT_TRUE(client.error() == ECONNRESET || client.ended());
}

TEST_F(Proxy, ItsControlSocketIsPrivateAndRefusesWhatItDoesNotKnow) {
    struct stat found {};
    ASSERT_EQ(::stat(m_control.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600U);
    for (const Json& wrong : {Json{{"link", "a-c"}, {"mode", "pass"}}, Json{{"link", "a-b"}, {"mode", "slow"}},
                              Json{{"link", "a-b"}, {"mode", "delay"}, {"ms", 0}}, Json::array()}) {
        const Result<Json> answer = askFaultProxy(m_control, wrong);
        ASSERT_FALSE(answer.ok()) << wrong.dump();
        EXPECT_EQ(answer.error().kind, Error::Kind::Invalid);
    }
    expectWorks();
}

} // namespace
} // namespace tealdeck
