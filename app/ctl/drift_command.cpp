// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/drift_command.h"

#include "app/ctl/engine_session.h"
#include "app/ctl/terminal.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace tealdeck {
namespace {

struct Arguments {
    std::string plan;
    std::string database;
    std::string table;
    std::string statement;
    std::int64_t id = 0;
    bool all = false;
    bool json = false;
};

int fail(const Arguments& a, const Error& error) {
    const int code = error.kind == Error::Kind::Invalid ? USAGE : error.kind == Error::Kind::Refused ? BLOCKED : FAILED;
    if (a.json) {
        fmt::print("{}\n", dumpJson({{"ok", false}, {"error", error.text()}, {"exit", code}}));
    } else {
        fmt::print(stderr, "tealctl: {}\n", error.text());
    }
    return code;
}

void print(const DriftState& d) {
    fmt::print("  {} {} {}: {} of {} by {} at {}, {}\n      {}\n", plainText(d.database, 70), d.id, d.side, plainText(d.tag, 60),
               plainText(d.object, 150), plainText(d.who, 80), isoUtc(d.wallUs), d.state, plainText(d.statement, 1000));
}

/// What the comparison of the structures says, also of what nobody recorded.
std::vector<CheckState> structureChecks(const Snapshot& s) {
    std::vector<CheckState> lines;
    std::copy_if(s.checks.begin(), s.checks.end(), std::back_inserter(lines),
                 [](const CheckState& c) { return c.id.rfind("CMP04", 0) == 0; });
    return lines;
}

int list(const Arguments& a) {
    const Result<Plan> plan = readPlan(a.plan);
    if (!plan) {
        return fail(a, plan.error());
    }
    auto session = EngineSession::open({*plan, false, {}, true});
    if (!session) {
        return fail(a, session.error());
    }
    (*session)->waitFor([](const Snapshot& s) { return !s.checks.empty(); }, Millis(5000));
    const Snapshot s = (*session)->snapshot();
    Json changes = Json::array();
    Json structure = Json::array();
    for (const DriftState& d : s.drift) {
        if (a.all || d.state != "settled") {
            changes.push_back(toJson(d));
            if (!a.json) {
                print(d);
            }
        }
    }
    for (const CheckState& check : structureChecks(s)) {
        structure.push_back(toJson(check));
        if (!a.json) {
            fmt::print("  {} {}: {}\n", plainText(check.id, 80), checkResultName(check.result), plainText(check.actual, 600));
        }
    }
    if (a.json) {
        fmt::print("{}\n", dumpJson({{"changes", changes}, {"structure", structure}}));
    } else if (changes.empty()) {
        fmt::print("No recorded change of the schema is open.\n");
    }
    return DONE;
}

int act(const Arguments& a, const char* what) {
    const Result<Plan> plan = readPlan(a.plan);
    if (!plan) {
        return fail(a, plan.error());
    }
    auto session = EngineSession::open({*plan, false, {}, false});
    if (!session) {
        return fail(a, session.error());
    }
    const std::string database = a.database.empty() && plan->databases.size() == 1 ? plan->databases.front() : a.database;
    for (const DriftState& d : (*session)->snapshot().drift) {
        if (d.id == a.id && d.database == database && !a.json) {
            print(d);
        }
    }
    const Status done = (*session)->run(
        CommandKind::Drift, {{"act", what}, {"database", database}, {"id", a.id}, {"statement", a.statement}, {"table", a.table}});
    if (!done) {
        return fail(a, done.error());
    }
    if (a.json) {
        fmt::print("{}\n", dumpJson({{"ok", true}, {"exit", DONE}}));
    } else {
        fmt::print("Done: every table is in step again.\n");
    }
    return DONE;
}

} // namespace

void addDriftCommand(CLI::App& app, int& exitCode) {
    const auto a = std::make_shared<Arguments>();
    CLI::App* drift = app.add_subcommand("drift", "Changes of the schema that were made on one side only")->require_subcommand(1);
    const auto add = [&](const char* name, const char* text) {
        CLI::App* command = drift->add_subcommand(name, text);
        command->add_option("plan", a->plan, "The plan (TOML)")->required();
        command->add_flag("--json", a->json, "Print one JSON object");
        return command;
    };
    CLI::App* show = add("list", "What was changed on BLUE, by whom and when, and how the structures differ");
    show->add_flag("--all", a->all, "Also what is settled");
    show->callback([a, &exitCode] { exitCode = list(*a); });
    CLI::App* apply = add("apply", "Run a recorded change on GREEN as well, and let new tables be followed");
    apply->add_option("--database", a->database, "Its database; may be left out when the plan has one");
    apply->add_option("--id", a->id, "Its number, as \"drift list\" shows it; without it only new tables are followed");
    apply->add_option("--statement", a->statement, "Run this instead of what was recorded");
    apply->callback([a, &exitCode] { exitCode = act(*a, "apply"); });
    CLI::App* resync = add("resync", "Copy one table anew while the others go on");
    resync->add_option("--database", a->database, "Its database; may be left out when the plan has one");
    resync->add_option("--table", a->table, "The table, as schema.table")->required();
    resync->callback([a, &exitCode] { exitCode = act(*a, "resync"); });
}

} // namespace tealdeck
