// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/phase.h"
#include "core/util/json.h"

#include <cstdint>
#include <string>

namespace tealdeck {

/// What an operator asks of the engine. Arguments: Ramp {"percent"}; Override {"check", "reason"}; SignOff {"item", "reason"}; Note
/// {"text"}; Verify {"exact", "afresh", "show_values", "databases": […], "tables": […]}; Drift {"act": "apply" or "resync", "database", "id",
/// "statement", "table"}; Skip {"database", "lsn"}; Acknowledge {"alarm"}; Shelve {"alarm", "minutes" (1 to 480), "reason"}; Replicate, Cutover, Rollback and Finalize may have
/// {"hold": [step…]}: the run waits for Continue before each of them; what is confirmed by typing {"typed", "reason"}.
struct Command {
    CommandKind kind = CommandKind::Check;
    Json args = Json::object();
    std::uint64_t basedOn = 0; ///< seq of the snapshot that the operator was looking at
    std::string actor;         ///< who asks
};

Json toJson(const Command& command);
/// std::nullopt when the JSON is no command.
std::optional<Command> commandFromJson(const Json& json);

/// The engine's answer: accepted and running (or done), or refused with the reason.
struct CommandReply {
    bool accepted = false;
    std::string reason; ///< why it was refused, and what to do; empty when accepted
};

} // namespace tealdeck
