// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/wire.h"

#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck::wire {
namespace {

constexpr std::size_t MAX_ID = 64;
constexpr std::size_t MAX_ACTOR = 200;

Json message(const char* type) {
    return {{"v", VERSION}, {"type", type}};
}

std::string line(const Json& json) {
    return dumpJson(json) + "\n";
}

Json eventList(const std::vector<Event>& events) {
    Json list = Json::array();
    for (const Event& event : events) {
        list.push_back(toJson(event));
    }
    return list;
}

/// The outer shape that all messages share, or why it is not there.
std::variant<Json, Malformed> open(const std::string& text, std::size_t limit) {
    if (text.size() > limit) {
        return Malformed{fmt::format("a line is longer than {} bytes", limit)};
    }
    std::optional<Json> json = parseJson(text);
    if (!json || !json->is_object()) {
        return Malformed{"a line is no JSON object"};
    }
    const auto version = json->find("v");
    if (version == json->end() || !version->is_number_integer()) {
        return Malformed{"a message has no version"};
    }
    if (member<int>(*json, "v", 0) != VERSION) {
        return Malformed{fmt::format("the other side speaks version {} of the wire format, this one speaks {}",
                                     plainText(dumpJson(*version), 20), VERSION)};
    }
    return std::move(*json);
}

std::optional<std::vector<Event>> eventsFrom(const Json& json, const char* key) {
    const auto list = json.find(key);
    if (list == json.end() || !list->is_array()) {
        return std::nullopt;
    }
    std::vector<Event> events;
    events.reserve(list->size());
    for (const Json& one : *list) {
        std::optional<Event> event = eventFromJson(one);
        if (!event) {
            return std::nullopt;
        }
        events.push_back(std::move(*event));
    }
    return events;
}

std::optional<std::string> idFrom(const Json& json) {
    const auto id = json.find("id");
    if (id == json.end() || !id->is_string() || id->get_ref<const std::string&>().size() > MAX_ID) {
        return std::nullopt;
    }
    return id->get<std::string>();
}

FromClient helloFrom(const Json& json) {
    const std::string role = member<std::string>(json, "role", {});
    Hello hello{role == "driver", member<std::string>(json, "actor", {})};
    if (role != "driver" && role != "observer") {
        return Malformed{"a hello has neither the role driver nor observer"};
    }
    if (hello.actor.size() > MAX_ACTOR) {
        return Malformed{"the actor's name is too long"};
    }
    return hello;
}

FromClient commandFrom(const Json& json) {
    const std::optional<std::string> id = idFrom(json);
    const auto inner = json.find("command");
    std::optional<Command> command = inner != json.end() ? commandFromJson(*inner) : std::nullopt;
    if (!id || !command) {
        return Malformed{"a command has no id, no known kind, or arguments of a wrong shape"};
    }
    return CommandMessage{*id, std::move(*command)};
}

FromEngine welcomeFrom(const Json& json) {
    const auto snapshot = json.find("snapshot");
    const auto driver = json.find("driver");
    std::optional<std::vector<Event>> history = eventsFrom(json, "history");
    if (snapshot == json.end() || !snapshot->is_object() || driver == json.end() || !driver->is_boolean() || !history) {
        return Malformed{"a welcome lacks the snapshot, the history or the role"};
    }
    return Welcome{member<std::string>(json, "engine", {}),
                   SessionStart{snapshotFromJson(*snapshot), std::move(*history), driver->get<bool>()}};
}

FromEngine replyFrom(const Json& json) {
    const std::optional<std::string> id = idFrom(json);
    const auto accepted = json.find("accepted");
    if (!id || accepted == json.end() || !accepted->is_boolean()) {
        return Malformed{"a reply has no id or no answer"};
    }
    return Reply{*id, CommandReply{accepted->get<bool>(), member<std::string>(json, "reason", {})}};
}

} // namespace

std::string encode(const Hello& hello) {
    Json json = message("hello");
    json["role"] = hello.driver ? "driver" : "observer";
    json["actor"] = hello.actor;
    return line(json);
}

std::string encode(const CommandMessage& command) {
    Json json = message("command");
    json["id"] = command.id;
    json["command"] = toJson(command.command);
    return line(json);
}

std::string encode(const Welcome& welcome) {
    Json json = message("welcome");
    json["engine"] = welcome.engineVersion;
    json["driver"] = welcome.start.driver;
    json["snapshot"] = toJson(welcome.start.snapshot);
    json["history"] = eventList(welcome.start.history);
    return line(json);
}

std::string encode(const Events& events) {
    Json json = message("events");
    json["events"] = eventList(events.events);
    return line(json);
}

std::string encode(const Reply& reply) {
    Json json = message("reply");
    json["id"] = reply.id;
    json["accepted"] = reply.reply.accepted;
    json["reason"] = reply.reply.reason;
    return line(json);
}

std::string encode(const Goodbye& goodbye) {
    Json json = message("goodbye");
    json["reason"] = goodbye.reason;
    return line(json);
}

FromClient decodeFromClient(const std::string& text) {
    const std::variant<Json, Malformed> opened = open(text, MAX_CLIENT_LINE);
    if (const auto* malformed = std::get_if<Malformed>(&opened)) {
        return *malformed;
    }
    const Json& json = std::get<Json>(opened);
    const std::string type = member<std::string>(json, "type", {});
    if (type == "hello") {
        return helloFrom(json);
    }
    if (type == "command") {
        return commandFrom(json);
    }
    return Malformed{"a client sent a message of an unknown type: " + plainText(type, 40)};
}

FromEngine decodeFromEngine(const std::string& text) {
    const std::variant<Json, Malformed> opened = open(text, MAX_ENGINE_LINE);
    if (const auto* malformed = std::get_if<Malformed>(&opened)) {
        return *malformed;
    }
    const Json& json = std::get<Json>(opened);
    const std::string type = member<std::string>(json, "type", {});
    if (type == "welcome") {
        return welcomeFrom(json);
    }
    if (type == "events") {
        std::optional<std::vector<Event>> events = eventsFrom(json, "events");
        return events ? FromEngine(Events{std::move(*events)}) : FromEngine(Malformed{"an event has not the shape of an event"});
    }
    if (type == "reply") {
        return replyFrom(json);
    }
    if (type == "goodbye") {
        return Goodbye{member<std::string>(json, "reason", {})};
    }
    return Malformed{"the engine sent a message of an unknown type: " + plainText(type, 40)};
}

} // namespace tealdeck::wire
