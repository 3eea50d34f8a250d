// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/event.h"

#include "core/model/client_pauses.h"
#include "core/model/copy_state.h"
#include "core/util/text.h"

#include <array>
#include <fmt/format.h>
#include <limits>

namespace tealdeck {
namespace {

struct KindRow {
    EventKind kind;
    const char* name;
    bool durable;
};

// Durable: intents, outcomes, what people decided and what they were shown, moves of the phase and seals.
constexpr std::array<KindRow, 28> KINDS{{
    {EventKind::Metrics, "metrics", false},
    {EventKind::Note, "note", false},
    {EventKind::Statement, "statement", false},
    {EventKind::Phase, "phase", true},
    {EventKind::Intent, "intent", true},
    {EventKind::Outcome, "outcome", true},
    {EventKind::Operator, "operator", true},
    {EventKind::Prompt, "prompt", true},
    {EventKind::Answer, "answer", true},
    {EventKind::SignOff, "sign-off", true},
    {EventKind::ViewChange, "view", false},
    {EventKind::Gap, "gap", true},
    {EventKind::Recovered, "recovered", true},
    {EventKind::Seal, "seal", true},
    {EventKind::Session, "session", true},
    {EventKind::Topology, "topology", false},
    {EventKind::Check, "check", false},
    {EventKind::Step, "step", false},
    {EventKind::Replication, "replication", false},
    {EventKind::Traffic, "traffic", false},
    {EventKind::Fence, "fence", true},
    {EventKind::Alarm, "alarm", false},
    {EventKind::Switch, "switch", true},
    {EventKind::Inventory, "inventory", false},
    {EventKind::Verify, "verify", false},
    {EventKind::Drift, "drift", true},
    {EventKind::Copy, "copy", false},
    {EventKind::Clients, "clients", false},
}};

const KindRow* findKind(EventKind kind) {
    for (const KindRow& row : KINDS) {
        if (row.kind == kind) {
            return &row;
        }
    }
    return nullptr;
}

/// A member as one short piece of plain text; numbers and truth values as people write them.
std::string piece(const Json& body, const char* key, std::size_t max = 300) {
    const Json value = member<Json>(body, key, Json());
    if (value.is_string()) {
        return plainText(value.get_ref<const std::string&>(), max);
    }
    if (value.is_number_float()) {
        return fmt::format("{:.6g}", value.get<double>());
    }
    return value.is_null() ? std::string() : plainText(dumpJson(value), max);
}

/// ": text", or nothing when there is no text.
std::string after(const char* separator, const std::string& text) {
    return text.empty() ? std::string() : separator + text;
}

std::string either(const std::string& text, const char* fallback) {
    return text.empty() ? std::string(fallback) : text;
}

std::string describeNodes(const Json& body) {
    std::string list;
    const Json nodes = member<Json>(body, "nodes", Json::array());
    if (nodes.is_array()) {
        for (const Json& node : nodes) {
            list += (list.empty() ? "" : ", ") + piece(node, "name", 80) + after(" ", piece(node, "state", 20));
        }
    }
    return piece(body, "side", 20) + after(": ", either(list, "no servers"));
}

std::string describeComparison(const Json& body) {
    const Json table = member<Json>(body, "table", Json());
    if (table.is_object()) {
        return piece(table, "database", 80) + after(" ", piece(table, "table", 160)) + after(": ", piece(table, "result", 20)) +
               after(", rows ", piece(table, "rows", 20)) + after(", ", piece(table, "detail"));
    }
    const Json c = member<Json>(body, "comparison", Json::object());
    return "comparison " + piece(c, "state", 20) + after(": equal ", piece(c, "equal", 20)) + after(" of ", piece(c, "tables", 20)) +
           after(", different ", piece(c, "different", 20)) + after(", undecided ", piece(c, "undecided", 20)) +
           after(", ", piece(c, "detail"));
}

std::string describeMetrics(const Json& body) {
    const Json values = member<Json>(body, "values", Json::object());
    std::size_t unknown = 0;
    for (const Json& value : values) {
        unknown += value.is_number() ? 0 : 1;
    }
    return fmt::format("{} metrics{}", values.size(), unknown == 0 ? "" : fmt::format(", {} unknown", unknown));
}

std::string describeMeasured(const Event& event) {
    const Json& body = event.body;
    switch (event.kind) {
    case EventKind::Topology:
        return describeNodes(body);
    case EventKind::Check:
        if (member<bool>(body, "clear", false)) {
            return "the checklist is evaluated anew";
        }
        if (body.contains("confirmed_us")) {
            return "the rest of the checklist is as it was";
        }
        return piece(body, "id") + after(" ", piece(body, "result", 20)) +
               after(": ", either(piece(body, "actual"), piece(body, "question").c_str()));
    case EventKind::Step:
        if (body.contains("idle")) {
            return "nothing runs";
        }
        if (member<bool>(body, "clear", false)) {
            return "runs " + either(piece(body, "command", 60), "a command");
        }
        return either(piece(body, "title"), piece(body, "id").c_str()) + after(": ", piece(body, "state", 20)) +
               after(", waiting for ", piece(body, "waiting_for")) + after(", ", piece(body, "detail"));
    case EventKind::Replication:
        return piece(body, "database", 80) + after(" ", piece(body, "direction", 20)) + after(": ", piece(body, "state", 20)) +
               after(", error: ", piece(body, "error"));
    case EventKind::Traffic:
        return "writes to " + either(piece(body, "writes_to", 20), "unknown") + ", reads on green " +
               either(after("", piece(body, "reads_green_percent", 20)), "unknown") + after(", ", piece(body, "detail"));
    case EventKind::Alarm:
        return std::string(member<bool>(body, "active", true) ? "alarm " : "alarm over ") + piece(body, "id", 80) +
               after(": ", piece(body, "cause"));
    case EventKind::Switch:
        return either(piece(body, "direction", 20), "switch") + (member<bool>(body, "ok", false) ? " done" : " failed") +
               after(", pause ms ", piece(body, "pause_ms", 20)) + after(", ", piece(body, "detail"));
    case EventKind::Inventory:
        return piece(body, "side", 20) + after("/", piece(body, "node", 80)) + ": what it has changed";
    case EventKind::Copy:
        if (body.contains("finished")) {
            return fmt::format("{}: {} tables copied", piece(body, "database", 80), member<Json>(body, "finished", Json::array()).size());
        }
        return piece(body, "database", 80) + after(" ", piece(body, "state", 20)) + ": " + copyText(copyFromJson(body)) +
               after(", ", piece(body, "detail"));
    case EventKind::Clients:
        return either(piece(body, "direction", 20), "switch") + after(": ", clientPausesText(clientPausesFromJson(body)));
    case EventKind::Fence:
        return piece(body, "side", 20) + " is " + either(piece(body, "state", 20), "unknown") + after(": ", piece(body, "detail"));
    case EventKind::Verify:
        return describeComparison(body);
    case EventKind::Drift:
        return piece(body, "tag", 60) + after(" of ", piece(body, "object", 160)) + after(" on ", piece(body, "side", 20)) +
               after(" by ", piece(body, "who", 80)) + after(": ", piece(body, "state", 20)) + after(", ", piece(body, "detail"));
    case EventKind::Metrics:
        return describeMetrics(body);
    default:
        return fmt::format("{} (kind {})", eventKindName(event.kind), static_cast<int>(event.kind));
    }
}

} // namespace

const char* eventKindName(EventKind kind) {
    const KindRow* row = findKind(kind);
    return row != nullptr ? row->name : "unknown";
}

std::optional<EventKind> eventKindFromName(std::string_view name) {
    for (const KindRow& row : KINDS) {
        if (name == row.name) {
            return row.kind;
        }
    }
    return std::nullopt;
}

std::optional<EventKind> eventKindFromNumber(std::int64_t number) {
    for (const KindRow& row : KINDS) {
        if (number == static_cast<std::int64_t>(row.kind)) {
            return row.kind;
        }
    }
    return std::nullopt;
}

bool isDurableKind(EventKind kind) {
    // What this version does not know may matter: it is kept safe.
    const KindRow* row = findKind(kind);
    return row == nullptr || row->durable;
}

Json toJson(const Event& event) {
    // A kind from a newer version keeps its number, so that passing it on loses nothing.
    const KindRow* row = findKind(event.kind);
    return {{"seq", event.seq},        {"t_us", event.steadyUs},
            {"wall_us", event.wallUs}, {"kind", row != nullptr ? Json(row->name) : Json(static_cast<int>(event.kind))},
            {"actor", event.actor},    {"body", event.body}};
}

std::optional<Event> eventFromJson(const Json& json) {
    const Json seq = member<Json>(json, "seq", Json());
    const Json steady = member<Json>(json, "t_us", Json());
    const Json wall = member<Json>(json, "wall_us", Json());
    const Json kind = member<Json>(json, "kind", Json());
    const Json actor = member<Json>(json, "actor", Json());
    Json body = member<Json>(json, "body", Json());
    // Unsigned numbers above the signed range would turn negative on the way in.
    const auto isTime = [](const Json& value) {
        return value.is_number_integer() &&
               !(value.is_number_unsigned() &&
                 value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    };
    if (!seq.is_number_unsigned() || !isTime(seq) || !isTime(steady) || !isTime(wall) || !actor.is_string() || !body.is_object()) {
        return std::nullopt;
    }
    Event event;
    if (kind.is_string()) {
        // A name of a newer version is kept as the unknown kind 0: the numbering of events stays without a hole.
        event.kind = eventKindFromName(kind.get_ref<const std::string&>()).value_or(EventKind{});
    } else if (isTime(kind) && kind.get<std::int64_t>() >= 0 && kind.get<std::int64_t>() <= std::numeric_limits<int>::max()) {
        event.kind = static_cast<EventKind>(kind.get<std::int64_t>());
    } else {
        return std::nullopt;
    }
    event.seq = seq.get<std::uint64_t>();
    event.steadyUs = steady.get<std::int64_t>();
    event.wallUs = wall.get<std::int64_t>();
    event.actor = actor.get<std::string>();
    event.body = std::move(body);
    return event;
}

namespace {

std::string describeKnown(const Event& event) {
    const Json& body = event.body;
    const std::string who = plainText(event.actor, 60);
    switch (event.kind) {
    case EventKind::Note:
    case EventKind::Recovered:
        return piece(body, "text");
    case EventKind::Statement:
        return piece(body, "server", 80) + after(": ", piece(body, "text")) + after(", ms ", piece(body, "ms", 20)) +
               after(", rows ", piece(body, "rows", 20)) + after(", SQLSTATE ", piece(body, "sqlstate", 20));
    case EventKind::Phase:
        return "phase " + either(piece(body, "phase", 40), "unknown") + after(": ", piece(body, "reason"));
    case EventKind::Intent:
        return "begins " + piece(body, "step", 120) + after(": ", piece(body, "detail"));
    case EventKind::Outcome:
        return (member<bool>(body, "ok", false) ? "done " : "failed ") + piece(body, "step", 120) + after(": ", piece(body, "detail")) +
               after(", ms ", piece(body, "ms", 20));
    case EventKind::Operator:
        return who + " asked for " + piece(body, "command", 60) + (member<bool>(body, "accepted", false) ? ", accepted" : ", refused") +
               after(": ", piece(body, "reply"));
    case EventKind::Prompt:
        return "asked " + who + ": " + piece(body, "text");
    case EventKind::Answer:
        return who + " answered: " + piece(body, "text") + after(", because ", piece(body, "reason"));
    case EventKind::SignOff:
        return who + " signed off " + piece(body, "item") + after(", because ", piece(body, "reason"));
    case EventKind::ViewChange:
        return who + " looked at " + piece(body, "page", 80);
    case EventKind::Gap:
        return "records are missing: " + piece(body, "text") + after(", lost ", piece(body, "lost", 20));
    case EventKind::Seal:
        return "sealed " + piece(body, "head", 64);
    case EventKind::Session:
        return "session of " + piece(body, "deployment", 80) + after(", ", piece(body, "mode", 20));
    default:
        return describeMeasured(event);
    }
}

} // namespace

std::string describe(const Event& event) {
    // A body of a wrong shape says nothing: then at least what kind of event it was.
    return either(describeKnown(event), eventKindName(event.kind));
}

} // namespace tealdeck
