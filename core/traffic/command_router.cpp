// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/command_router.h"

#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {

CommandRouter::CommandRouter(RouterCommandPlan instance, const Plan& plan) : m_instance(std::move(instance)) {
    const auto primary = [&plan](Side side) {
        return Json{{"host", plan.side(side).primary.host}, {"port", plan.side(side).primary.port}};
    };
    m_common = {
        {"deployment", plan.deployment}, {"router", m_instance.name}, {"blue", primary(Side::Blue)}, {"green", primary(Side::Green)}};
}

std::string CommandRouter::what() const {
    return fmt::format("the program {}", m_instance.program.program);
}

Result<Json> CommandRouter::call(const std::string& action, const Json& more, Millis limit) const {
    Json question = m_common;
    question.update(more);
    question["action"] = action;
    OwnProgram program = m_instance.program;
    program.limit = std::max(program.limit, limit);
    const ProgramRun run = runOwnProgram(fmt::format("The router {} (\"{}\")", m_instance.name, action), program, {}, dumpJson(question));
    if (!run.status) {
        return run.status.error();
    }
    const std::optional<Json> answer = parseJson(run.output);
    return answer && answer->is_object() ? *answer : Json::object();
}

Result<std::optional<Side>> CommandRouter::target(Millis limit) {
    const Result<Json> answer = call("target", Json::object(), limit);
    if (!answer) {
        return answer.error();
    }
    const auto it = answer->find("target");
    if (it != answer->end() && it->is_null()) {
        return std::optional<Side>();
    }
    const std::string side = member<std::string>(*answer, "target", "");
    if (side != "blue" && side != "green") {
        return Error{Error::Kind::Conflict,
                     fmt::format("The router {} did not say where it leads: \"{}\".", m_instance.name, plainText(side, 60)),
                     "Its program must answer \"target\" with {\"target\": \"blue\"} or {\"target\": \"green\"}.",
                     {}};
    }
    return std::optional<Side>(side == "blue" ? Side::Blue : Side::Green);
}

std::vector<std::string> CommandRouter::obstacles(Millis limit) {
    const Result<Json> answer = call("check", Json::object(), limit);
    return answer ? std::vector<std::string>{} : std::vector<std::string>{answer.error().text()};
}

std::vector<std::string> CommandRouter::weaknesses(Millis limit) {
    static_cast<void>(limit);
    if (m_instance.port == 0) {
        return {fmt::format("{} has no host and port in the plan: what is behind it can't be asked after the switch", m_instance.name)};
    }
    return {};
}

Status CommandRouter::shift(Side to, Millis limit) {
    if (const Result<std::optional<Side>> now = target(limit); now.ok() && *now && **now == to) {
        return {};
    }
    if (const Result<Json> moved = call("shift", {{"from", sideName(otherSide(to))}, {"to", sideName(to)}}, limit); !moved) {
        return moved.error();
    }
    const Result<std::optional<Side>> now = target(limit);
    if (!now) {
        return now.error();
    }
    return *now && **now == to ? Status()
                               : Status(Error{Error::Kind::Conflict,
                                              fmt::format("The router {} says that it leads to {} after it was moved to {}.",
                                                          m_instance.name, *now ? sideName(**now) : "nobody", sideName(to)),
                                              "Look at what its program does.",
                                              {}});
}

Result<Json> CommandRouter::save(Millis limit) {
    const Result<Json> answer = call("save", Json::object(), limit);
    if (!answer) {
        return answer.error();
    }
    return member<Json>(*answer, "state", Json());
}

Status CommandRouter::restore(const Json& saved, Millis limit) {
    const Result<Json> done = call("restore", {{"state", saved}}, limit);
    return done ? Status() : Status(done.error());
}

Result<std::optional<RouterEndpoint>> CommandRouter::endpoint(Millis limit) {
    static_cast<void>(limit);
    return m_instance.port == 0 ? std::optional<RouterEndpoint>() : RouterEndpoint{m_instance.host, "", m_instance.port};
}

} // namespace tealdeck
