// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/shown.h"

#include "core/util/text.h"

namespace tealdeck {
namespace {

constexpr std::size_t MOST_GATES = 50;

std::string text(const Json& args, const char* key, std::size_t max) {
    return plainText(member<std::string>(args, key, ""), max);
}

Json gatesOf(const Json& args) {
    Json gates = Json::array();
    const Json given = member<Json>(args, "gates", Json::array());
    for (const Json& gate : given.is_array() ? given : Json::array()) {
        if (gates.size() == MOST_GATES) {
            break;
        }
        gates.push_back(
            {{"text", text(gate, "text", 200)}, {"value", text(gate, "value", 200)}, {"age_s", orNull(optionalNumber(gate, "age_s"))}});
    }
    return gates;
}

} // namespace

std::optional<std::pair<EventKind, Json>> shownEvent(const Json& args) {
    const auto shown = member<std::string>(args, "shown", "");
    if (shown == "prompt") {
        Json prompt{{"text", text(args, "text", 2000)}, {"command", text(args, "command", 60)}, {"gates", gatesOf(args)}};
        if (const auto limit = optionalNumber(args, "armed_ms")) {
            prompt["armed_ms"] = *limit;
        }
        return std::pair(EventKind::Prompt, std::move(prompt));
    }
    if (shown == "answer") {
        Json answer{{"text", text(args, "text", 2000)}, {"withdrawn", member<bool>(args, "withdrawn", false)}};
        if (const Json hold = member<Json>(args, "hold", Json()); hold.is_object()) {
            answer["hold"] = {{"state", text(hold, "state", 20)},
                              {"needed_ms", orNull(optionalNumber(hold, "needed_ms"))},
                              {"held_ms", orNull(optionalNumber(hold, "held_ms"))}};
        }
        return std::pair(EventKind::Answer, std::move(answer));
    }
    if (shown == "view") {
        return std::pair(EventKind::ViewChange, Json{{"page", text(args, "page", 200)}});
    }
    return std::nullopt;
}

} // namespace tealdeck
