// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/session_source.h"

#include <string>
#include <variant>

namespace tealdeck::wire {

/// The wire format: JSON lines, UTF-8, one message a line, over a Unix socket (0600) or standard input and output.
///
///   client → engine  {"v":1,"type":"hello","role":"driver"|"observer","actor":"anna"}
///   engine → client  {"v":1,"type":"welcome","engine":"0.1.0","driver":true,"snapshot":{…},"history":[event…]}
///   engine → client  {"v":1,"type":"events","events":[event…]}
///   client → engine  {"v":1,"type":"command","id":"7","command":{"kind","args","based_on","actor"}}
///   engine → client  {"v":1,"type":"reply","id":"7","accepted":true,"reason":""}
///   engine → client  {"v":1,"type":"goodbye","reason":"…"}
///
/// A peer that speaks another major version, sends a line above MAX_LINE or something that is no message is told so by a goodbye and
/// dropped.
inline constexpr int VERSION = 1;
inline constexpr std::size_t MAX_CLIENT_LINE = std::size_t{1} << 20;   ///< engine's limit for what clients send
inline constexpr std::size_t MAX_ENGINE_LINE = std::size_t{256} << 20; ///< client's limit for what engines send

struct Hello {
    bool driver = false;
    std::string actor;
};
struct CommandMessage {
    std::string id;
    Command command;
};
struct Welcome {
    std::string engineVersion;
    SessionStart start;
};
struct Events {
    std::vector<Event> events;
};
struct Reply {
    std::string id;
    CommandReply reply;
};
struct Goodbye {
    std::string reason;
};
/// Not a message of this protocol; says why.
struct Malformed {
    std::string reason;
};

using FromClient = std::variant<Hello, CommandMessage, Malformed>;
using FromEngine = std::variant<Welcome, Events, Reply, Goodbye, Malformed>;

/// Each ends with a newline.
std::string encode(const Hello& message);
std::string encode(const CommandMessage& message);
std::string encode(const Welcome& message);
std::string encode(const Events& message);
std::string encode(const Reply& message);
std::string encode(const Goodbye& message);

FromClient decodeFromClient(const std::string& line);
FromEngine decodeFromEngine(const std::string& line);

} // namespace tealdeck::wire
