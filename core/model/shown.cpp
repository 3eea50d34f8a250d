// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/shown.h"

#include "core/model/outlook.h"
#include "core/model/phase.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

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

Json gatesShown(const Snapshot& s, std::int64_t steadyUs) {
    Json gates = Json::array();
    const auto add = [&](const char* name, const std::string& value, std::int64_t sampledUs = -1) {
        const Json age = sampledUs < 0 ? Json(nullptr) : Json(static_cast<double>(steadyUs - sampledUs) / 1e6);
        gates.push_back({{"text", name}, {"value", value}, {"age_s", age}});
    };
    add("phase", phaseName(s.phase));
    add("writes go to", s.traffic.writesTo, s.traffic.sampledUs);
    constexpr std::pair<const char*, const char*> MEASURED[] = {{"lag_seconds.forward", "lag of GREEN, s"},
                                                                {"lag_seconds.reverse", "lag of BLUE, s"},
                                                                {"heartbeat_age.blue", "heartbeat of BLUE, s"},
                                                                {"heartbeat_age.green", "heartbeat of GREEN, s"}};
    for (const auto& [metric, name] : MEASURED) {
        if (const auto found = s.metrics.find(metric); found != s.metrics.end()) {
            add(name, found->second.value ? fmt::format("{:.2f}", *found->second.value) : "unknown", found->second.sampledUs);
        }
    }
    for (const CommandKind command : {CommandKind::Cutover, CommandKind::Rollback}) {
        if (findRule(s.phase, command) != nullptr) {
            const PauseForecast forecast = forecastPause(s, command, steadyUs);
            add("expected pause", forecast.totalMs ? fmt::format("{:.0f} ms", *forecast.totalMs) : "unknown");
        }
    }
    const auto blocking = std::count_if(s.checks.begin(), s.checks.end(), [&](const CheckState& c) { return isBlocking(c, steadyUs); });
    const auto oldest = std::min_element(s.checks.begin(), s.checks.end(),
                                         [](const CheckState& a, const CheckState& b) { return a.evaluatedUs < b.evaluatedUs; });
    add("checklist", fmt::format("{} items, {} blocking", s.checks.size(), blocking), oldest == s.checks.end() ? -1 : oldest->evaluatedUs);
    for (const AlarmState& alarm : standingAlarms(s.alarms, steadyUs)) {
        add("alarm", alarm.id + ": " + alarm.cause, alarm.sinceUs);
    }
    if (!s.rollbackReadiness.empty()) {
        add("rollback", s.rollbackReadiness);
    }
    return gates;
}

} // namespace tealdeck
