// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/watch_commands.h"

#include "app/ctl/attach_command.h"
#include "app/ctl/engine_session.h"
#include "app/ctl/report_lines.h"
#include "app/ctl/terminal.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace tealdeck {
namespace {

struct Words {
    std::string plan;
    std::string alarm;
    std::string reason;
    int minutes = 30;
    bool json = false;
};

int complain(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? USAGE : error.kind == Error::Kind::Refused ? BLOCKED : FAILED;
}

/// A session with an engine that runs already: a word needs somebody who hears it.
Result<std::unique_ptr<EngineSession>> listenerOf(const Plan& plan) {
    if (!engineAnswers(plan)) {
        return Error{Error::Kind::Refused, fmt::format("No engine runs for {}.", plan.deployment), "\"tealctl status\" starts one.", {}};
    }
    return EngineSession::open({plan, false, {}, true});
}

Status activeAlarm(const Snapshot& s, const std::string& id) {
    const auto same = [&](const AlarmState& a) { return a.active && a.id == id; };
    return std::any_of(s.alarms.begin(), s.alarms.end(), same)
               ? Status()
               : Status(Error{
                     Error::Kind::Invalid, fmt::format("No active alarm is named \"{}\".", id), "\"tealctl alarm list\" shows them.", {}});
}

int say(const Words& w, CommandKind kind, const Json& args) {
    const Result<Plan> plan = readPlan(w.plan);
    if (!plan) {
        return complain(plan.error());
    }
    auto session = listenerOf(*plan);
    if (!session) {
        return complain(session.error());
    }
    if (const Status named = kind == CommandKind::Continue ? Status() : activeAlarm((*session)->snapshot(), w.alarm); !named) {
        return complain(named.error());
    }
    const Status said = (*session)->say(kind, args);
    return said.ok() ? DONE : complain(said.error());
}

int listAlarms(const Words& w) {
    const Result<Plan> plan = readPlan(w.plan);
    if (!plan) {
        return complain(plan.error());
    }
    auto session = listenerOf(*plan);
    if (!session) {
        return complain(session.error());
    }
    const Snapshot s = (*session)->snapshot();
    if (w.json) {
        fmt::print("{}\n", dumpJson({{"alarms", toJson(s)["alarms"]}, {"now_us", s.steadyUs}}));
    } else {
        printAlarms(s, true);
    }
    return DONE;
}

/// Ends the engine elsewhere that holds the locks, starts ours, and says why.
int takeOver(const Words& w) {
    const Result<Plan> plan = readPlan(w.plan);
    if (!plan) {
        return complain(plan.error());
    }
    if (engineAnswers(*plan)) {
        return complain({Error::Kind::Refused,
                         fmt::format("An engine of this plan runs on this machine already: there is nothing to take over."),
                         "Use \"tealctl attach\"; if it does not drive, stop it first.",
                         {}});
    }
    auto session = EngineSession::open({*plan, true, {}, true});
    if (!session) {
        return complain(session.error());
    }
    const Status noted = (*session)->say(CommandKind::Note, {{"text", "Taken over: " + w.reason}});
    if (!noted) {
        return complain(noted.error());
    }
    printSummary((*session)->snapshot());
    return DONE;
}

void addAlarms(CLI::App& app, const std::shared_ptr<Words>& w, int& exitCode) {
    CLI::App* alarm = app.add_subcommand("alarm", "Alarms of an engine that runs")->require_subcommand(1);
    const auto add = [&](const char* name, const char* text) {
        CLI::App* command = alarm->add_subcommand(name, text);
        command->add_option("plan", w->plan, "The plan (TOML)")->required();
        return command;
    };
    CLI::App* list = add("list", "All alarms, those that are over or shelved too");
    list->add_flag("--json", w->json, "Print one JSON object");
    list->callback([w, &exitCode] { exitCode = listAlarms(*w); });
    CLI::App* ack = add("ack", "Say that an alarm was seen");
    ack->add_option("alarm", w->alarm, "Its name, as \"alarm list\" shows it")->required();
    ack->callback([w, &exitCode] { exitCode = say(*w, CommandKind::Acknowledge, {{"alarm", w->alarm}}); });
    CLI::App* shelve = add("shelve", "Put an alarm aside for a while");
    shelve->add_option("alarm", w->alarm, "Its name, as \"alarm list\" shows it")->required();
    shelve->add_option("--minutes", w->minutes, "For how long")->check(CLI::Range(1, 480))->capture_default_str();
    shelve->add_option("--reason", w->reason, "Why")->required();
    shelve->callback([w, &exitCode] {
        exitCode = say(*w, CommandKind::Shelve, {{"alarm", w->alarm}, {"minutes", w->minutes}, {"reason", w->reason}});
    });
}

} // namespace

void addWatchCommands(CLI::App& app, int& exitCode) {
    const auto w = std::make_shared<Words>();
    CLI::App* attach = app.add_subcommand("attach", "Watch an engine that runs; Ctrl-C leaves it running");
    attach->add_option("plan", w->plan, "The plan (TOML)")->required();
    attach->add_flag("--json", w->json, "One event a line, as JSON");
    attach->callback([w, &exitCode] { exitCode = attachTo(w->plan, w->json); });
    CLI::App* takeover = app.add_subcommand("takeover", "End the engine elsewhere that drives this deployment, and drive it from here");
    takeover->add_option("plan", w->plan, "The plan (TOML)")->required();
    takeover->add_option("--reason", w->reason, "Why; it stays in the record")->required();
    takeover->callback([w, &exitCode] { exitCode = takeOver(*w); });
    CLI::App* goOn = app.add_subcommand("continue", "Let a run go on that holds before a step");
    goOn->add_option("plan", w->plan, "The plan (TOML)")->required();
    goOn->callback([w, &exitCode] { exitCode = say(*w, CommandKind::Continue, Json::object()); });
    addAlarms(app, w, exitCode);
}

} // namespace tealdeck
