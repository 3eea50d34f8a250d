// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's client against engines that are slow, hostile, dead or gone.
#include "core/api/engine_client.h"
#include "core/api/wire.h"
#include "core/util/files.h"

#include <condition_variable>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace tealdeck;

namespace {

constexpr Millis PATIENCE{10'000};

/// An engine's end of the socket, driven by the test step by step.
class TestEngine {
  public:
    TestEngine() {
        std::filesystem::create_directories(m_folder);
        m_listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path().c_str());
        EXPECT_EQ(::bind(m_listening, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(m_listening, 4), 0);
    }
    ~TestEngine() {
        hangUp();
        ::close(m_listening);
        std::filesystem::remove_all(m_folder);
    }
    [[nodiscard]] std::string path() const { return (m_folder / "s").string(); }
    /// Waits for a client and for its hello.
    std::string accept() {
        hangUp();
        pollfd fd{m_listening, POLLIN, 0};
        EXPECT_GT(::poll(&fd, 1, static_cast<int>(PATIENCE.count())), 0) << "no client came";
        m_connection = ::accept4(m_listening, nullptr, nullptr, SOCK_CLOEXEC);
        return line();
    }
    std::string line() {
        const Deadline deadline(PATIENCE);
        while (m_read.find('\n') == std::string::npos && !deadline.passed()) {
            pollfd fd{m_connection, POLLIN, 0};
            ::poll(&fd, 1, 100);
            char buffer[4096];
            const ssize_t n = (fd.revents & POLLIN) != 0 ? ::read(m_connection, buffer, sizeof buffer) : -1;
            if (n == 0) {
                return "";
            }
            m_read.append(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
        }
        const std::size_t end = m_read.find('\n');
        const std::string first = m_read.substr(0, end);
        m_read.erase(0, end == std::string::npos ? m_read.size() : end + 1);
        return first;
    }
    void say(const std::string& bytes) const {
        EXPECT_EQ(::send(m_connection, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    void welcome(std::uint64_t seq = 0) const {
        wire::Welcome welcome{"test", {}};
        welcome.start.snapshot.seq = seq;
        welcome.start.driver = true;
        say(wire::encode(welcome));
    }
    void hangUp() {
        if (m_connection >= 0) {
            ::close(m_connection);
        }
        m_connection = -1;
        m_read.clear();
    }

  private:
    std::filesystem::path m_folder = std::filesystem::temp_directory_path() / ("tealdeck-test-" + randomHex(6));
    int m_listening = -1;
    int m_connection = -1;
    std::string m_read;
};

/// Everything a listener heard.
struct Heard {
    std::mutex mutex;
    std::condition_variable changed;
    int starts = 0;
    std::vector<Event> events;
    std::vector<std::pair<SourceState, std::string>> states;
    std::vector<CommandReply> replies;

    SessionListener listener() {
        return {[this](const SessionStart&) { note([this] { ++starts; }); },
                [this](std::vector<Event> batch) { note([&] { events.insert(events.end(), batch.begin(), batch.end()); }); },
                [this](SourceState state, const std::string& detail) { note([&] { states.emplace_back(state, detail); }); }};
    }
    std::function<void(CommandReply)> answer() {
        return [this](const CommandReply& reply) { note([&] { replies.push_back(reply); }); };
    }
    template <class Change>
    void note(Change change) {
        const std::lock_guard lock(mutex);
        change();
        changed.notify_all();
    }
    template <class Condition>
    bool wait(Condition condition) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, PATIENCE, condition);
    }
    /// Waits for a state whose detail holds the text.
    bool waitState(SourceState state, const std::string& text = {}) {
        return wait([&] {
            return std::any_of(states.begin(), states.end(),
                               [&](const auto& s) { return s.first == state && s.second.find(text) != std::string::npos; });
        });
    }
};

EngineClient::Target to(const TestEngine& engine) {
    EngineClient::Target target;
    target.socketPath = engine.path();
    target.actor = "anna";
    target.firstPause = Millis(5);
    return target;
}

wire::Events events(std::uint64_t from, std::uint64_t count) {
    wire::Events message;
    for (std::uint64_t seq = from; seq < from + count; ++seq) {
        message.events.push_back({seq, 0, 0, EventKind::Note, "engine", {{"text", "x"}}});
    }
    return message;
}

TEST(EngineClient, speaks_with_an_engine) {
    TestEngine engine;
    Heard heard;
    EngineClient client(to(engine));
    client.start(heard.listener());
    const auto hello = wire::decodeFromClient(engine.accept());
    ASSERT_TRUE(std::holds_alternative<wire::Hello>(hello));
    EXPECT_EQ(std::get<wire::Hello>(hello).actor, "anna");
    engine.welcome(4);
    ASSERT_TRUE(heard.waitState(SourceState::Live));
    EXPECT_EQ(heard.starts, 1);
    engine.say(wire::encode(events(3, 4))); // 3 and 4 are in the snapshot already
    ASSERT_TRUE(heard.wait([&] { return heard.events.size() == 2; }));
    EXPECT_EQ(heard.events.front().seq, 5U);
    client.commands()->send({CommandKind::Check, Json::object(), 6, "anna"}, heard.answer());
    const auto asked = wire::decodeFromClient(engine.line());
    ASSERT_TRUE(std::holds_alternative<wire::CommandMessage>(asked));
    EXPECT_EQ(std::get<wire::CommandMessage>(asked).command.basedOn, 6U);
    engine.say(wire::encode(wire::Reply{"no such id", {true, ""}}));
    engine.say(wire::encode(wire::Reply{std::get<wire::CommandMessage>(asked).id, {true, ""}}));
    ASSERT_TRUE(heard.wait([&] { return heard.replies.size() == 1; }));
    EXPECT_TRUE(heard.replies[0].accepted);
    client.stop();
    client.stop();
    EXPECT_EQ(engine.line(), "") << "the connection is closed";
}

TEST(EngineClient, puts_slow_lines_together) {
    TestEngine engine;
    Heard heard;
    EngineClient client(to(engine));
    client.start(heard.listener());
    engine.accept();
    engine.welcome();
    for (const char byte : wire::encode(events(1, 3)) + wire::encode(events(4, 1))) {
        engine.say(std::string(1, byte));
    }
    ASSERT_TRUE(heard.wait([&] { return heard.events.size() == 4; }));
}

TEST(EngineClient, drops_hostile_engines_and_says_why) {
    const std::string welcome = wire::encode(wire::Welcome{"x", {}});
    const std::vector<std::pair<std::string, std::string>> cases{
        {"garbage\n", "no JSON"},
        {"{\"v\":9,\"type\":\"welcome\"}\n", "version 9"},
        {wire::encode(events(1, 1)), "before its welcome"},
        {welcome + wire::encode(events(2, 1)), "Events are missing"},
        {welcome + std::string(100'000, '[') + "\n", "no JSON"},
        {wire::encode(wire::Goodbye{"too\nold"}), "too\\nold"},
    };
    for (const auto& [bytes, why] : cases) {
        TestEngine engine;
        Heard heard;
        EngineClient client(to(engine));
        client.start(heard.listener());
        engine.accept();
        engine.say(bytes);
        EXPECT_TRUE(heard.waitState(SourceState::Lost, why)) << why;
        EXPECT_TRUE(heard.events.empty());
    }
}

TEST(EngineClient, gives_up_an_engine_that_never_answers) {
    TestEngine engine;
    Heard heard;
    EngineClient::Target target = to(engine);
    target.welcomeWithin = Millis(30);
    EngineClient client(target);
    client.start(heard.listener());
    engine.accept();
    EXPECT_TRUE(heard.waitState(SourceState::Lost, "within 30 ms"));
}

TEST(EngineClient, comes_back_after_a_loss_and_answers_what_was_asked) {
    TestEngine engine;
    Heard heard;
    EngineClient client(to(engine));
    client.start(heard.listener());
    engine.accept();
    engine.welcome(10);
    ASSERT_TRUE(heard.waitState(SourceState::Live));
    client.send({CommandKind::Cutover, Json::object(), 10, "anna"}, heard.answer());
    ASSERT_FALSE(engine.line().empty());
    engine.say(wire::encode(events(11, 1)).substr(0, 20)); // it dies inside a line
    engine.hangUp();
    ASSERT_TRUE(heard.wait([&] { return heard.replies.size() == 1; }));
    EXPECT_FALSE(heard.replies[0].accepted);
    EXPECT_NE(heard.replies[0].reason.find("Connection lost"), std::string::npos);
    engine.accept();
    engine.welcome(20);
    ASSERT_TRUE(heard.wait([&] { return heard.starts == 2; }));
    engine.say(wire::encode(events(21, 1)));
    ASSERT_TRUE(heard.wait([&] { return heard.events.size() == 1; }));
}

TEST(EngineClient, takes_a_keyframe_when_it_was_too_slow) {
    TestEngine engine;
    Heard heard;
    EngineClient client(to(engine));
    client.start(heard.listener());
    engine.accept();
    engine.welcome(10);
    engine.welcome(50);
    engine.say(wire::encode(events(51, 1)));
    ASSERT_TRUE(heard.wait([&] { return heard.starts == 2 && heard.events.size() == 1; }));
}

TEST(EngineClient, refuses_commands_without_a_connection) {
    Heard heard;
    EngineClient::Target target;
    target.socketPath = "/nonexistent/socket";
    EngineClient client(target);
    client.start(heard.listener());
    ASSERT_TRUE(heard.waitState(SourceState::Lost, "Cannot reach"));
    client.send({CommandKind::Check, Json::object(), 0, "anna"}, heard.answer());
    ASSERT_TRUE(heard.wait([&] { return heard.replies.size() == 1; }));
    EXPECT_FALSE(heard.replies[0].accepted);
    client.stop();
    client.send({CommandKind::Check, Json::object(), 0, "anna"}, heard.answer());
    EXPECT_EQ(heard.replies.size(), 2U);
    target.socketPath = std::string(500, 'x');
    EngineClient tooLong(target);
    Heard other;
    tooLong.start(other.listener());
    EXPECT_TRUE(other.waitState(SourceState::Lost, "bytes"));
}

TEST(EngineClient, may_be_stopped_from_a_listener_and_never_started) {
    { const EngineClient idle(EngineClient::Target{}); }
    TestEngine engine;
    Heard heard;
    EngineClient client(to(engine));
    SessionListener listener = heard.listener();
    listener.started = [&](const SessionStart&) {
        client.stop();
        heard.note([&] { ++heard.starts; });
    };
    client.start(listener);
    engine.accept();
    engine.welcome();
    EXPECT_TRUE(heard.wait([&] { return heard.starts == 1; }));
}

EngineClient::Target program(const std::string& script) {
    EngineClient::Target target;
    target.argv = {"/bin/sh", "-c", script};
    return target;
}

TEST(EngineClient, talks_to_a_program_and_reaps_it) {
    // The program's own number comes back as the engine's version; it ignores the polite end and has a child.
    const std::string script =
        R"(trap '' TERM; read hello; sleep 1000 & printf '{"v":1,"type":"welcome","engine":"%s","driver":true,"snapshot":{},"history":[]}\n' $$; )"
        R"(read command; printf '{"v":1,"type":"reply","id":"1","accepted":true,"reason":""}\n'; wait)";
    Heard heard;
    EngineClient client(program(script));
    client.start(heard.listener());
    ASSERT_TRUE(heard.waitState(SourceState::Live));
    client.send({CommandKind::Check, Json::object(), 0, "anna"}, heard.answer());
    ASSERT_TRUE(heard.wait([&] { return heard.replies.size() == 1; }));
    EXPECT_TRUE(heard.replies[0].accepted);
    const pid_t pid = std::stoi(heard.states.back().second.substr(std::strlen("engine ")));
    EXPECT_EQ(::kill(pid, 0), 0);
    client.stop();
    EXPECT_NE(::kill(pid, 0), 0) << "the program is still there";
}

TEST(EngineClient, says_why_a_program_failed) {
    Heard heard;
    EngineClient client(program("echo 'no such host' >&2; exit 255"));
    client.start(heard.listener());
    EXPECT_TRUE(heard.waitState(SourceState::Ended, "no such host"));
    client.send({CommandKind::Check, Json::object(), 0, "anna"}, heard.answer());
    EXPECT_TRUE(heard.wait([&] { return heard.replies.size() == 1; })) << "also after its end";

    EngineClient::Target missing;
    missing.argv = {"/nonexistent/program"};
    EngineClient other(missing);
    Heard nothing;
    other.start(nothing.listener());
    EXPECT_TRUE(nothing.waitState(SourceState::Ended, "Cannot start"));
}

} // namespace
