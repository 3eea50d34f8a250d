// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's end of the seam: clients that are slow, dead or hostile, and who may say what.
#include "core/api/wire.h"
#include "core/engine/server.h"
#include "core/util/files.h"
#include "tests/core/random_events.h"

#include <cstring>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace tealdeck;

namespace {

constexpr Millis PATIENCE{10'000};

/// One raw connection, as a careless program would use it.
class RawClient {
  public:
    explicit RawClient(const std::filesystem::path& path) : m_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        EXPECT_EQ(::connect(m_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    ~RawClient() { hangUp(); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    void say(const std::string& bytes) const { [[maybe_unused]] const auto n = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    void hello(bool driver) const { say(wire::encode(wire::Hello{driver, "anna"})); }
    /// The next message; Malformed "closed" when the other side hung up or said nothing in time.
    wire::FromEngine next() {
        const Deadline deadline(PATIENCE);
        std::size_t end = 0;
        while ((end = m_read.find('\n')) == std::string::npos) {
            pollfd fd{m_fd, POLLIN, 0};
            ::poll(&fd, 1, 100);
            char buffer[65536];
            const ssize_t n = (fd.revents & (POLLIN | POLLHUP)) != 0 ? ::read(m_fd, buffer, sizeof buffer) : -1;
            if (n == 0 || deadline.passed()) {
                return wire::Malformed{"closed"};
            }
            m_read.append(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
        }
        const std::string line = m_read.substr(0, end);
        m_read.erase(0, end + 1);
        return wire::decodeFromEngine(line);
    }
    template <class Message>
    std::optional<Message> nextOf() {
        for (;;) {
            wire::FromEngine message = next();
            if (auto* found = std::get_if<Message>(&message)) {
                return *found;
            }
            if (std::holds_alternative<wire::Malformed>(message)) {
                return std::nullopt;
            }
        }
    }
    void hangUp() {
        if (m_fd >= 0) {
            ::close(m_fd);
        }
        m_fd = -1;
    }

  private:
    int m_fd;
    std::string m_read;
};

class ServerTest : public testing::Test {
  protected:
    void SetUp() override {
        auto writer = RecordingWriter::create(folder / "r.teal", {{"recording_id", "1"}});
        ASSERT_TRUE(writer.ok());
        hub = std::make_unique<EventHub>(std::move(*writer), Clock::system());
        server = std::make_unique<EngineServer>(*hub, [this](const Command& command) {
            const std::lock_guard lock(mutex);
            commands.push_back(command);
            return CommandReply{true, ""};
        });
        ASSERT_TRUE(server->listen(socket).ok());
        thread = std::thread([this] { server->run([](Millis) { return false; }); });
    }
    void TearDown() override {
        server->stop();
        thread.join();
        server.reset();
        hub.reset();
        std::filesystem::remove_all(folder);
    }
    std::size_t commandCount() {
        const std::lock_guard lock(mutex);
        return commands.size();
    }

    std::filesystem::path folder = std::filesystem::temp_directory_path() / ("tealdeck-server-" + randomHex(6));
    std::filesystem::path socket = folder / "s";
    std::unique_ptr<EventHub> hub;
    std::unique_ptr<EngineServer> server;
    std::thread thread;
    std::mutex mutex;
    std::vector<Command> commands;
};

std::string command(CommandKind kind, const std::string& id) {
    return wire::encode(wire::CommandMessage{id, {kind, Json::object(), 0, "somebody else"}});
}

TEST_F(ServerTest, theSocketIsTheOwnersAloneAndASecondEngineIsRefused) {
    struct stat file {};
    ASSERT_EQ(::stat(socket.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
    EngineServer second(*hub, [](const Command&) { return CommandReply{}; });
    const Status refused = second.listen(socket);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Error::Kind::Conflict);
}

TEST_F(ServerTest, oneDrivesTheOthersWatchAndMaySayWords) {
    RawClient first(socket);
    first.hello(true);
    EXPECT_TRUE(first.nextOf<wire::Welcome>()->start.driver);
    RawClient second(socket);
    second.hello(true);
    EXPECT_FALSE(second.nextOf<wire::Welcome>()->start.driver) << "another one drives";
    second.say(command(CommandKind::Cutover, "1"));
    const auto refused = second.nextOf<wire::Reply>();
    ASSERT_TRUE(refused.has_value());
    EXPECT_FALSE(refused->reply.accepted);
    EXPECT_EQ(commandCount(), 0U);
    for (const CommandKind kind :
         {CommandKind::Abort, CommandKind::Acknowledge, CommandKind::Shelve, CommandKind::Continue, CommandKind::Note}) {
        second.say(command(kind, "2"));
        EXPECT_TRUE(second.nextOf<wire::Reply>()->reply.accepted) << commandName(kind);
    }
    first.say(command(CommandKind::Cutover, "3"));
    EXPECT_TRUE(first.nextOf<wire::Reply>()->reply.accepted);
    const std::lock_guard lock(mutex);
    ASSERT_EQ(commands.size(), 6U);
    EXPECT_EQ(commands.back().actor, "anna") << "who acts is who said hello, not what the command claims";
}

TEST_F(ServerTest, nothingIsTakenBeforeHello) {
    RawClient client(socket);
    client.say(command(CommandKind::Abort, "1"));
    const auto reply = client.nextOf<wire::Reply>();
    ASSERT_TRUE(reply.has_value());
    EXPECT_FALSE(reply->reply.accepted);
    EXPECT_EQ(commandCount(), 0U);
}

TEST_F(ServerTest, theNextOneDrivesWhenTheDriverIsGone) {
    {
        RawClient first(socket);
        first.hello(true);
        EXPECT_TRUE(first.nextOf<wire::Welcome>()->start.driver);
    }
    const Deadline deadline(PATIENCE);
    bool drives = false;
    while (!drives && !deadline.passed()) {
        RawClient second(socket);
        second.hello(true);
        drives = second.nextOf<wire::Welcome>()->start.driver;
    }
    EXPECT_TRUE(drives);
}

TEST_F(ServerTest, hostileLinesEndTheirClientAndNoOther) {
    RawClient good(socket);
    good.hello(false);
    ASSERT_TRUE(good.nextOf<wire::Welcome>().has_value());
    for (const std::string& line :
         {std::string("nonsense\n"), std::string("{\"v\":2,\"type\":\"hello\",\"role\":\"driver\"}\n"), std::string(100'000, '[') + "\n",
          std::string(wire::MAX_CLIENT_LINE + 70'000, 'x'), std::string("\xff\xfe\x00\n", 4)}) {
        RawClient bad(socket);
        bad.say(line);
        const auto goodbye = bad.nextOf<wire::Goodbye>();
        ASSERT_TRUE(goodbye.has_value()) << line.substr(0, 40);
        EXPECT_FALSE(goodbye->reason.empty());
        EXPECT_FALSE(bad.nextOf<wire::Welcome>().has_value()) << "and then it is closed";
    }
    hub->note("still there");
    const auto events = good.nextOf<wire::Events>();
    ASSERT_TRUE(events.has_value());
    EXPECT_EQ(member<std::string>(events->events.front().body, "text", ""), "still there");
}

TEST_F(ServerTest, mutatedLinesInOneStreamNeverReachTheEngineAsACommandOfANeighbour) {
    testing_random::Random random(testing_random::seedOfThisRun());
    const std::string base = command(CommandKind::Note, "9");
    for (int i = 0; i < 300; ++i) {
        RawClient client(socket);
        std::string line = base;
        line[random() % (line.size() - 1)] = static_cast<char>(random());
        client.say(line);
        if (random() % 2 == 0) {
            client.hangUp(); // without waiting for the answer
        }
    }
    RawClient after(socket);
    after.hello(true);
    ASSERT_TRUE(after.nextOf<wire::Welcome>().has_value());
    EXPECT_EQ(commandCount(), 0U) << "none of them had said hello";
}

TEST_F(ServerTest, aClientThatDoesNotReadIsCaughtUpAndSlowsNobody) {
    RawClient slow(socket);
    slow.hello(false);
    RawClient quick(socket);
    quick.hello(false);
    ASSERT_TRUE(quick.nextOf<wire::Welcome>().has_value());
    // More than the server keeps for one client, while the slow one reads nothing.
    const std::string text(60'000, 'x');
    constexpr int MANY = 600;
    std::thread writer([&] {
        for (int i = 0; i < MANY; ++i) {
            hub->note(text);
        }
    });
    std::uint64_t seen = 0;
    while (seen < MANY) {
        const wire::FromEngine message = quick.next();
        if (const auto* events = std::get_if<wire::Events>(&message)) {
            seen = events->events.back().seq;
        } else if (const auto* again = std::get_if<wire::Welcome>(&message)) {
            seen = again->start.snapshot.seq;
        } else {
            break;
        }
    }
    writer.join();
    EXPECT_EQ(seen, static_cast<std::uint64_t>(MANY));
    // The slow one gets what was kept for it, then a new welcome with everything, then what is new, without a hole.
    int welcomes = 0;
    std::uint64_t last = 0;
    while (last < MANY) {
        const wire::FromEngine message = slow.next();
        if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
            ++welcomes;
            EXPECT_GE(welcome->start.snapshot.seq, last);
            last = welcome->start.snapshot.seq;
        } else if (const auto* events = std::get_if<wire::Events>(&message)) {
            EXPECT_EQ(events->events.front().seq, last + 1);
            last = events->events.back().seq;
        } else {
            break;
        }
    }
    EXPECT_EQ(last, static_cast<std::uint64_t>(MANY));
    EXPECT_GE(welcomes, 2) << "the first one and the catching up";
}

TEST_F(ServerTest, deadClientsAreForgotten) {
    for (int i = 0; i < 50; ++i) {
        RawClient client(socket);
        client.hello(true);
        if (i % 2 == 0) {
            ASSERT_TRUE(client.nextOf<wire::Welcome>().has_value());
        }
    }
    hub->note("anybody?");
    RawClient after(socket);
    after.hello(false);
    EXPECT_EQ(after.nextOf<wire::Welcome>()->start.snapshot.seq, 1U);
}

} // namespace
