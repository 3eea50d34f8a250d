// SPDX-License-Identifier: GPL-3.0-or-later
// The wire format: what goes in comes out, and no line can hurt the one who reads it.
#include "core/api/wire.h"
#include "tests/core/random_events.h"

#include <gtest/gtest.h>

using namespace tealdeck;
using namespace tealdeck::testing_random;

namespace {

template <class Message, class Any>
const Message& as(const Any& any) {
    const auto* malformed = std::get_if<wire::Malformed>(&any);
    EXPECT_EQ(malformed, nullptr) << (malformed != nullptr ? malformed->reason : "");
    return std::get<Message>(any);
}

wire::Welcome someWelcome(Random& random) {
    wire::Welcome welcome{"0.1.0", {}};
    welcome.start.driver = true;
    for (std::uint64_t seq = 1; seq <= 30; ++seq) {
        welcome.start.history.push_back(randomEvent(random, seq));
        apply(welcome.start.snapshot, welcome.start.history.back());
    }
    return welcome;
}

TEST(Wire, brings_every_message_over) {
    Random random(seedOfThisRun());
    const auto hello = as<wire::Hello>(wire::decodeFromClient(wire::encode(wire::Hello{true, "anna\n\xff"})));
    EXPECT_TRUE(hello.driver);
    EXPECT_EQ(hello.actor, "anna\n\uFFFD") << "bytes that are no UTF-8 are replaced";
    const Command asked{CommandKind::Ramp, {{"percent", 50}}, 17, "anna"};
    const auto command = as<wire::CommandMessage>(wire::decodeFromClient(wire::encode(wire::CommandMessage{"7", asked})));
    EXPECT_EQ(command.id, "7");
    EXPECT_EQ(toJson(command.command), toJson(asked));
    const auto reply = as<wire::Reply>(wire::decodeFromEngine(wire::encode(wire::Reply{"7", {false, "no"}})));
    EXPECT_EQ(reply.id, "7");
    EXPECT_FALSE(reply.reply.accepted);
    EXPECT_EQ(reply.reply.reason, "no");
    EXPECT_EQ(as<wire::Goodbye>(wire::decodeFromEngine(wire::encode(wire::Goodbye{"bye"}))).reason, "bye");

    const wire::Welcome sent = someWelcome(random);
    const std::string line = wire::encode(sent);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto welcome = as<wire::Welcome>(wire::decodeFromEngine(line));
    EXPECT_EQ(welcome.engineVersion, sent.engineVersion);
    EXPECT_TRUE(welcome.start.driver);
    EXPECT_EQ(toJson(welcome.start.snapshot), toJson(sent.start.snapshot));
    ASSERT_EQ(welcome.start.history.size(), sent.start.history.size());
    const auto events = as<wire::Events>(wire::decodeFromEngine(wire::encode(wire::Events{sent.start.history})));
    for (std::size_t i = 0; i < events.events.size(); ++i) {
        EXPECT_EQ(toJson(events.events[i]), toJson(sent.start.history[i]));
        EXPECT_EQ(toJson(welcome.start.history[i]), toJson(sent.start.history[i]));
    }
}

TEST(Wire, says_what_is_wrong_with_a_line) {
    for (const char* line : {"", "null", "[]", "{}", "{\"v\":1}", "{\"v\":\"1\",\"type\":\"hello\"}", "{\"v\":1,\"type\":\"hello\"}",
                             "{\"v\":1,\"type\":\"hello\",\"role\":\"king\"}", "{\"v\":1,\"type\":\"welcome\"}",
                             "{\"v\":1,\"type\":\"command\",\"id\":7,\"command\":{}}", "{\"v\":1,\"type\":\"command\",\"id\":\"7\"}",
                             "{\"v\":1,\"type\":\"hello\",\"role\":\"driver\"", "\xff\xfe", "{\"v\":1,\"type\":7}"}) {
        const auto got = wire::decodeFromClient(line);
        ASSERT_TRUE(std::holds_alternative<wire::Malformed>(got)) << line;
        EXPECT_FALSE(std::get<wire::Malformed>(got).reason.empty());
    }
    for (const char* line :
         {"", "{\"v\":1,\"type\":\"events\"}", "{\"v\":1,\"type\":\"events\",\"events\":[{}]}", "{\"v\":1,\"type\":\"reply\",\"id\":\"1\"}",
          "{\"v\":1,\"type\":\"welcome\",\"snapshot\":[],\"driver\":true,\"history\":[]}",
          "{\"v\":1,\"type\":\"hello\",\"role\":\"driver\"}"}) {
        EXPECT_TRUE(std::holds_alternative<wire::Malformed>(wire::decodeFromEngine(line))) << line;
    }
    const auto other = wire::decodeFromClient("{\"v\":2,\"type\":\"hello\",\"role\":\"driver\"}");
    ASSERT_TRUE(std::holds_alternative<wire::Malformed>(other));
    EXPECT_NE(std::get<wire::Malformed>(other).reason.find("version 2"), std::string::npos);
    EXPECT_TRUE(std::holds_alternative<wire::Malformed>(wire::decodeFromClient(std::string(wire::MAX_CLIENT_LINE + 1, ' '))));
    EXPECT_TRUE(std::holds_alternative<wire::Malformed>(wire::decodeFromClient(std::string(1'000'000, '['))));
}

std::string mutate(std::string line, const std::vector<std::string>& others, Random& random) {
    for (std::uint64_t change = 0; change <= random() % 4; ++change) {
        const std::size_t at = line.empty() ? 0 : random() % line.size();
        switch (random() % 6) {
        case 0:
            line.resize(at);
            break;
        case 1:
            line.insert(at, 1, static_cast<char>(random()));
            break;
        case 2:
            line.erase(at, random() % 20);
            break;
        case 3: // a piece of another message
            line.insert(at, others[random() % others.size()].substr(random() % 20, random() % 200));
            break;
        case 4:
            line.replace(at, std::min<std::size_t>(line.size() - at, 5),
                         pick(random, {"null", "1e308", "-1", "[[[[", "{}", "\"\\ud800\"", "18446744073709551616", "true", "\xff"}));
            break;
        default:
            if (!line.empty()) {
                line[at] = static_cast<char>(line[at] ^ (1 << (random() % 8)));
            }
        }
    }
    return line;
}

TEST(Wire, stands_twenty_thousand_mutated_lines) {
    Random random(seedOfThisRun());
    wire::Welcome welcome = someWelcome(random);
    welcome.start.history.resize(5);
    const std::vector<std::string> corpus{wire::encode(wire::Hello{true, "anna"}),
                                          wire::encode(wire::CommandMessage{"7", {CommandKind::Cutover, {{"typed", "shop"}}, 17, "anna"}}),
                                          wire::encode(welcome),
                                          wire::encode(wire::Events{welcome.start.history}),
                                          wire::encode(wire::Reply{"7", {true, ""}}),
                                          wire::encode(wire::Goodbye{"bye"})};
    int understood = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::string line = mutate(corpus[random() % corpus.size()], corpus, random);
        const auto fromClient = wire::decodeFromClient(line);
        const auto fromEngine = wire::decodeFromEngine(line);
        if (const auto* command = std::get_if<wire::CommandMessage>(&fromClient)) {
            ASSERT_TRUE(std::holds_alternative<wire::CommandMessage>(wire::decodeFromClient(wire::encode(*command))));
            ++understood;
        }
        if (const auto* events = std::get_if<wire::Events>(&fromEngine)) {
            // What was let in can be folded, shown and sent on.
            Snapshot snapshot;
            for (const Event& event : events->events) {
                apply(snapshot, event);
                ASSERT_FALSE(describe(event).empty());
            }
            ASSERT_TRUE(std::holds_alternative<wire::Events>(wire::decodeFromEngine(wire::encode(*events))));
            ++understood;
        }
        if (const auto* start = std::get_if<wire::Welcome>(&fromEngine)) {
            ASSERT_TRUE(std::holds_alternative<wire::Welcome>(wire::decodeFromEngine(wire::encode(*start))));
            ++understood;
        }
    }
    EXPECT_GT(understood, 200) << "the mutations are too wild to test anything";
}

} // namespace
