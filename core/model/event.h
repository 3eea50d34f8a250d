// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tealdeck {

/// What happened. The number is what recordings store: never reuse one, only add.
enum class EventKind {
    Metrics = 1,      ///< body: {"values": {name: number|null}}; null is "unknown now"
    Note = 2,         ///< body: {"text"}; a line for people
    Statement = 3,    ///< body: see core/engine/statement_log.h; no literals and no secrets
    Phase = 4,        ///< body: {"phase", "reason"}
    Intent = 5,       ///< body: {"step", "detail"}; durable before the side effect
    Outcome = 6,      ///< body: {"step", "ok", "detail", "ms"}
    Operator = 7,     ///< body: {"command", "args", "accepted", "reply", "based_on"}
    Prompt = 8,       ///< body: {"text", "gates"}; exact wording that was shown
    Answer = 9,       ///< body: {"text", "reason"}
    SignOff = 10,     ///< body: {"item", "reason"}
    ViewChange = 11,  ///< body: {"page"}
    Gap = 12,         ///< body: {"text", "lost"}; records are missing here
    Recovered = 13,   ///< body: {"text"}; the engine started again on an existing deployment
    Seal = 14,        ///< body: {"head"}
    Session = 15,     ///< body: a SessionInfo; the first event of an engine's life
    Topology = 16,    ///< body: {"side", "nodes": [Node]}
    Check = 17,       ///< body: a CheckState; {"clear": true} empties the list; {"confirmed_us"}: the rest was so still at that time
    Step = 18,        ///< body: a StepState; {"clear": true, "command"} begins a command, {"idle": true} ends it
    Replication = 19, ///< body: a ReplicationState
    Traffic = 20,     ///< body: a TrafficState
    Fence = 21,       ///< body: {"side", "state", "detail"}
    Alarm = 22,       ///< body: an AlarmState
    Switch = 23,      ///< body: a SwitchReport: one finished cutover or rollback with its timings
    Copy = 24,        ///< body: a CopyState; or {"database", "finished": [[table, rows, bytes, ms]…]}: tables that ended, in batches
    Verify = 26,      ///< body: {"comparison": a ComparisonState without its list} or {"id", "table": a TableComparison}
    Drift = 27,       ///< body: a DriftState
    Clients = 28,     ///< body: a ClientPauses: which clients a pooler kept waiting in one switch
    // 25 and 29 to 31 are free
    Inventory = 32    ///< body: an Inventory: what one server has; told when it changed
};

/// "metrics", "note", ...; "unknown" for a number this version does not know.
const char* eventKindName(EventKind kind);
std::optional<EventKind> eventKindFromName(std::string_view name);
std::optional<EventKind> eventKindFromNumber(std::int64_t number);

/// True for kinds that must be on disk before the engine goes on ("no record, no action").
bool isDurableKind(EventKind kind);

/// One thing that the console knows. Events are numbered from 1 without a hole.
struct Event {
    std::uint64_t seq = 0;
    std::int64_t steadyUs = 0; ///< microseconds since the recording began; never steps back
    std::int64_t wallUs = 0;   ///< microseconds since 1970 UTC; may step
    EventKind kind = EventKind::Note;
    std::string actor = "engine"; ///< who: "engine", "guardian" or a person's name
    Json body = Json::object();
};

Json toJson(const Event& event);
/// std::nullopt when the text has not the shape of an event.
std::optional<Event> eventFromJson(const Json& json);

/// One line for people, plain text: what an event list shows.
std::string describe(const Event& event);

} // namespace tealdeck
