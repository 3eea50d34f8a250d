// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/session_source.h"

#include <string>
#include <variant>

namespace tealdeck::wire {

/// The wire format, version 1: all that one needs to know to write a client.
///
/// JSON lines, UTF-8, one message a line, over a Unix socket (mode 0600; "tealdeck-engine --where PLAN" says where) or over standard
/// input and output ("tealdeck-engine --stdio PLAN"). Members that a reader does not know are ignored, so that members may be added
/// within a version; one that is absent or of a wrong type reads as its default, except where "needed" stands.
///
///   client → engine  {"v":1,"type":"hello","role":"driver"|"observer","actor":"anna"}
///       First of all, needed: role. actor: at most 200 bytes; the name under which this client's commands are recorded. May be sent again
///       to change the role. The first client that asks to drive does; the others watch until it is gone and they ask again.
///   engine → client  {"v":1,"type":"welcome","engine":"0.1.0","driver":true,"snapshot":{…},"history":[event…]}
///       The answer, and again whenever a slow client is caught up: forget what was known, begin with this. snapshot: the whole state
///       (snapshot.h). history: what led to it, oldest first, already contained in the snapshot.
///   engine → client  {"v":1,"type":"events","events":[event…]}
///       What happened since, without a hole: the first seq is one more than the last one known. Fold them (snapshot.h).
///       An event: {"seq","t_us","wall_us","kind","actor","body"}, all needed; kinds and bodies are in event.h. A kind that a client does
///       not know is kept and passed on.
///   client → engine  {"v":1,"type":"command","id":"7","command":{"kind","args","based_on"}}
///       Needed: id (at most 64 bytes, chosen by the client) and kind (phase.h; arguments in command.h). based_on: the seq that the person
///       was looking at; the engine refuses what was decided before a gate changed. A client that only watches may send abort, continue,
///       acknowledge, shelve and note, nothing else.
///   engine → client  {"v":1,"type":"reply","id":"7","accepted":true,"reason":""}
///       At once: accepted means begun, not done. What becomes of it follows as events: the outcome with "command":true ends it.
///   engine → client  {"v":1,"type":"goodbye","reason":"…"}
///       The last message before the engine closes: a line that is no message, too long, or of another version.
///
/// Limits: lines of clients 1 MiB, of engines 256 MiB; nesting 64. A client that leaves 16 MiB unread gets no more events until it has
/// read, then a new welcome; it never slows the engine. A lost connection takes nothing back: look at the next welcome.
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
