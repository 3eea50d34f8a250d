// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/command.h"

namespace tealdeck {

Json toJson(const Command& command) {
    return {{"kind", commandName(command.kind)}, {"args", command.args}, {"based_on", command.basedOn}, {"actor", command.actor}};
}

std::optional<Command> commandFromJson(const Json& json) {
    const std::optional<CommandKind> kind = commandFromName(member<std::string>(json, "kind", {}));
    if (!kind) {
        return std::nullopt;
    }
    Command command;
    command.kind = *kind;
    command.args = member<Json>(json, "args", Json::object());
    command.actor = member<std::string>(json, "actor", {});
    const Json basedOn = member<Json>(json, "based_on", Json(0U));
    if (!command.args.is_object() || !basedOn.is_number_unsigned()) {
        return std::nullopt;
    }
    command.basedOn = basedOn.get<std::uint64_t>();
    return command;
}

} // namespace tealdeck
