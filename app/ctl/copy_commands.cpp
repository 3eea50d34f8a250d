// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/copy_commands.h"

#include "app/ctl/engine_session.h"
#include "app/ctl/report_lines.h"
#include "app/ctl/terminal.h"

#include <fmt/format.h>
#include <functional>
#include <memory>

namespace tealdeck {
namespace {

struct CopyArguments {
    std::string plan;
    bool json = false;
};

int complain(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? USAGE : error.kind == Error::Kind::Refused ? BLOCKED : FAILED;
}

/// With an engine that runs already: a word needs somebody who hears it.
int withListener(const std::string& file, const std::function<Status(EngineSession&)>& work) {
    const Result<Plan> plan = readPlan(file);
    if (!plan) {
        return complain(plan.error());
    }
    if (!engineAnswers(*plan)) {
        return complain(
            {Error::Kind::Refused, fmt::format("No engine runs for {}.", plan->deployment), "\"tealctl run\" starts the copy.", {}});
    }
    auto session = EngineSession::open({*plan, false, {}, true});
    if (!session) {
        return complain(session.error());
    }
    const Status done = work(**session);
    return done.ok() ? DONE : complain(done.error());
}

} // namespace

void addCopyCommands(CLI::App& app, int& exitCode) {
    const auto a = std::make_shared<CopyArguments>();
    CLI::App* copy = app.add_subcommand("copy", "The initial copy of an engine that runs")->require_subcommand(1);
    const auto add = [&](const char* name, const char* text) {
        CLI::App* command = copy->add_subcommand(name, text);
        command->add_option("plan", a->plan, "The plan (TOML)")->required();
        return command;
    };
    const auto say = [&](const char* name, const char* text, CommandKind kind) {
        add(name, text)->callback([a, &exitCode, kind] {
            exitCode = withListener(a->plan, [kind](EngineSession& session) { return session.say(kind, Json::object()); });
        });
    };
    CLI::App* show = add("show", "Rows, bytes, rate and time to go of each database, and what is being copied now");
    show->add_flag("--json", a->json, "Print one JSON object");
    show->callback([a, &exitCode] {
        exitCode = withListener(a->plan, [a](EngineSession& session) {
            const Snapshot s = session.snapshot();
            if (a->json) {
                fmt::print("{}\n", dumpJson({{"copies", toJson(s)["copies"]}, {"now_us", s.steadyUs}}));
            } else {
                printCopies(s, true);
            }
            return Status();
        });
    });
    say("pause", "Let the copy stand still", CommandKind::PauseCopy);
    say("resume", "Let it go on, also above a budget for which it holds", CommandKind::ResumeCopy);
    say("cancel", "End the copy where it is, removing nothing; \"tealctl run\" goes on from there", CommandKind::CancelCopy);
}

} // namespace tealdeck
