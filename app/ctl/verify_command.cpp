// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/verify_command.h"

#include "app/ctl/engine_session.h"
#include "app/ctl/terminal.h"
#include "core/util/files.h"
#include "core/util/text.h"
#include "core/verify/verifier.h"

#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <thread>
#include <unistd.h>

namespace tealdeck {
namespace {

struct Arguments {
    std::string plan;
    bool exact = false;
    bool afresh = false;
    bool showValues = false;
    bool json = false;
    std::vector<std::string> databases;
    std::vector<std::string> tables;
};

std::atomic<bool> interrupted{false};

/// Ctrl-C is for the comparison, not for this program, for as long as it lives.
class StopOnInterrupt {
  public:
    explicit StopOnInterrupt(EngineSession& session) {
        interrupted = false;
        m_before = std::signal(SIGINT, [](int) { interrupted = true; });
        m_thread = std::thread([this, &session] {
            while (!m_over) {
                if (interrupted.exchange(false)) {
                    static_cast<void>(session.say(CommandKind::Stop, Json::object()));
                }
                std::this_thread::sleep_for(Millis(50));
            }
        });
    }
    ~StopOnInterrupt() {
        m_over = true;
        m_thread.join();
        std::signal(SIGINT, m_before);
    }
    StopOnInterrupt(const StopOnInterrupt&) = delete;
    StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

  private:
    std::atomic<bool> m_over{false};
    void (*m_before)(int) = SIG_DFL;
    std::thread m_thread;
};

std::string span(double seconds) {
    return seconds >= 5400 ? fmt::format("{:.1f} h", seconds / 3600)
           : seconds >= 90 ? fmt::format("{:.0f} min", seconds / 60)
                           : fmt::format("{:.0f} s", seconds);
}

void showProgress(const Event& event) {
    const double share = member<double>(event.body, "progress", -1);
    if (event.kind != EventKind::Step || member<std::string>(event.body, "id", "") != "verify.tables" || share <= 0) {
        return;
    }
    const double spent = static_cast<double>(event.steadyUs - member<std::int64_t>(event.body, "started_us", event.steadyUs)) / 1e6;
    const std::string left = share < 1 ? fmt::format(", about {} to go", span(spent / share - spent)) : "";
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    fmt::print(stderr, "{}  {:3.0f} %{}: {}{}", terminal ? "\r\033[K" : "", share * 100, left,
               plainText(member<std::string>(event.body, "waiting_for", ""), 100), terminal ? "" : "\n");
    std::fflush(stderr);
}

std::string shown(const Json& value) {
    return value.is_string() ? "\"" + plainText(value.get_ref<const std::string&>(), 120) + "\"" : "NULL or no row";
}

/// Rows that differ, from the engine's own file: what they hold is in no event and in no recording.
Json differencesOf(const Plan& plan, const ComparisonState& c) {
    const Result<std::string> text = readFile(verify::differencesFile(plan));
    const Json file = text.ok() ? parseJson(*text).value_or(Json::object()) : Json::object();
    return member<std::string>(file, "id", "") == c.id ? member(file, "differences", Json::array()) : Json::array();
}

void printDifferences(const Json& differences, bool values) {
    for (const Json& d : differences) {
        std::string columns;
        for (const Json& column : member(d, "columns", Json::array())) {
            columns += (columns.empty() ? "" : ", ") + plainText(column.is_string() ? column.get<std::string>() : "", 70);
        }
        const std::string kind = member<std::string>(d, "kind", "");
        fmt::print("      {} {}{}\n        look: {}\n",
                   plainText(member<std::string>(d, "database", "") + " " + member<std::string>(d, "table", ""), 150), kind,
                   kind == "changed" ? " in " + columns : "", plainText(member<std::string>(d, "inspect", ""), 2000));
        const Json pairs = member(d, "values", Json::array());
        for (std::size_t i = 0; values && i < pairs.size(); ++i) {
            const Json names = member(d, "columns", Json::array());
            fmt::print("        {}: source {}, follower {}\n",
                       plainText(i < names.size() && names[i].is_string() ? names[i].get<std::string>() : "", 70),
                       shown(member<Json>(pairs[i], "source", Json())), shown(member<Json>(pairs[i], "follower", Json())));
        }
    }
}

void printResult(const ComparisonState& c, const Json& differences, bool values) {
    if (::isatty(STDERR_FILENO) == 1) {
        fmt::print(stderr, "\r\033[K");
    }
    const double seconds = static_cast<double>(c.endedUs - c.startedUs) / 1e6;
    fmt::print("{} comparison of {} tables, {} rows, in {}: {} equal, {} different, {} undecided; {} is the source\n", c.mode, c.tables,
               c.rows, span(seconds), c.equal, c.different, c.undecided, c.source);
    for (const TableComparison& t : c.list) {
        if (t.result != "equal") {
            fmt::print("  {} {} {}: {}{}{}\n", inked(t.result == "different" ? "✗" : "?", t.result == "different" ? Ink::Bad : Ink::Warn),
                       plainText(t.database, 70), plainText(t.table, 150), t.result,
                       t.differences > 0 ? fmt::format(", {} rows", t.differences) : "",
                       t.detail.empty() ? "" : " (" + plainText(t.detail, 300) + ")");
        }
    }
    printDifferences(differences, values);
    fmt::print("  sequences: {} on both sides, {} missing on the follower, {} behind there (a switch raises them)\n",
               c.sequences - c.sequencesMissing, c.sequencesMissing, c.sequencesBehind);
}

int codeOf(const ComparisonState& c) {
    return c.different > 0 || c.sequencesMissing > 0 ? BLOCKED : c.state != "done" || c.equal != c.tables ? NEEDS_PERSON : DONE;
}

int fail(const Arguments& a, const Error& error, int code) {
    if (a.json) {
        fmt::print("{}\n", dumpJson({{"ok", false}, {"error", error.text()}, {"exit", code}}));
    } else {
        fmt::print(stderr, "tealctl: {}\n", error.text());
    }
    return code;
}

int runVerify(const Arguments& a) {
    const Result<Plan> plan = readPlan(a.plan);
    if (!plan) {
        return fail(a, plan.error(), USAGE);
    }
    EngineSession::Options options{*plan, false, {}, false};
    if (!a.json) {
        options.onEvent = showProgress;
    }
    auto session = EngineSession::open(options);
    if (!session) {
        return fail(a, session.error(), FAILED);
    }
    const std::string before = (*session)->snapshot().comparison.id;
    Status status;
    {
        const StopOnInterrupt stop(**session);
        status = (*session)->run(
            CommandKind::Verify,
            {{"exact", a.exact}, {"afresh", a.afresh}, {"show_values", a.showValues}, {"databases", a.databases}, {"tables", a.tables}});
    }
    const ComparisonState c = (*session)->snapshot().comparison;
    if (c.id == before || (!status && c.state == "running")) {
        // Not one table was looked at.
        const Error error = status.ok() ? Error{Error::Kind::Internal, "The comparison left no result.", {}, {}} : status.error();
        return fail(a, error, error.kind == Error::Kind::Refused ? BLOCKED : NEEDS_PERSON);
    }
    const Json differences = differencesOf(*plan, c);
    const int code = codeOf(c);
    if (a.json) {
        Json report = toJson(c);
        report["ok"] = code == DONE;
        report["exit"] = code;
        if (a.showValues) {
            report["rows_that_differ"] = differences;
        }
        fmt::print("{}\n", dumpJson(report));
    } else {
        printResult(c, differences, a.showValues);
    }
    return code;
}

} // namespace

void addVerifyCommand(CLI::App& app, int& exitCode) {
    const auto a = std::make_shared<Arguments>();
    CLI::App* verify = app.add_subcommand(
        "verify", "Compare the data of both sides, row by row; Ctrl-C stops it, and the next run goes on. Exit code 0: equal, 3: "
                  "different, 5: could not be decided");
    verify->add_option("plan", a->plan, "The plan (TOML)")->required();
    verify->add_flag("--exact", a->exact, "Each table at one moment, without its writers; the plan must allow it (lock_ms in [verify])");
    verify->add_option("--database", a->databases, "Only this database; may be given several times")->allow_extra_args(false);
    verify->add_option("--table", a->tables, "Only this table, as schema.table; may be given several times")->allow_extra_args(false);
    verify->add_flag("--afresh", a->afresh, "Do not go on from a comparison that was cut short");
    verify->add_flag("--show-values", a->showValues, "Print what the rows that differ hold; it is in no recording");
    verify->add_flag("--json", a->json, "Print one JSON object at the end");
    verify->callback([a, &exitCode] { exitCode = runVerify(*a); });
}

} // namespace tealdeck
