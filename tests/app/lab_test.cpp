// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab.h"
#include "app/lab/lab_processes.h"
#include "app/lab/load_run.h"
#include "core/plan/plan.h"
#include "core/util/files.h"
#include "core/util/process.h"
#include "tests/support/history.h"
#include "tests/support/lab_fixture.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

namespace tealdeck {
namespace {

using testing::HasSubstr;

ProcessOutcome tealctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), std::string(TEALDECK_BIN_DIR) + "/tealctl");
    ProcessSpec spec;
    spec.argv = arguments;
    Result<ProcessOutcome> outcome = runProcess(spec, Deadline(Millis(120000)));
    EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().text());
    return outcome.ok() ? *outcome : ProcessOutcome{};
}

/// Pids of all processes whose command line or data names the folder.
std::vector<std::string> processesNaming(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", failure)) {
        const std::string pid = entry.path().filename();
        const Result<std::string> line =
            pid.find_first_not_of("0123456789") == std::string::npos ? readFile(entry.path() / "cmdline") : Error{};
        if (line && line->find(folder) != std::string::npos) {
            found.push_back(pid);
        }
    }
    return found;
}

template <class Condition>
bool eventually(Condition condition, Millis limit = Millis(20000)) {
    const Deadline deadline(limit);
    while (!condition()) {
        if (deadline.passed()) {
            return false;
        }
        ::poll(nullptr, 0, 20);
    }
    return true;
}

bool statusOk(const TestLab& lab) {
    const Result<Json> status = labStatus(lab.dir());
    return status && member<bool>(*status, "ok", false);
}

TEST(Lab, ShopFrom15To18TakesLoadWithoutAnErrorAndLeavesNoProcess) {
    std::string folder;
    {
        TestLab lab;
        ASSERT_TRUE(lab.ok());
        folder = lab.dir().string();
        const Result<Json> status = labStatus(lab.dir());
        ASSERT_TRUE(status.ok()) << status.error().text();
        EXPECT_EQ((*status)["ok"], true) << status->dump(1);
        ASSERT_EQ((*status)["servers"].size(), 4U);
        for (const Json& server : (*status)["servers"]) {
            EXPECT_EQ(server["major"], server["side"] == "blue" ? 15 : 18) << server.dump();
            EXPECT_EQ(server["in_recovery"], server["role"] == "replica") << server.dump();
        }
        EXPECT_EQ(lab.ask(Side::Green, "postgres", "select count(*) from pg_database where not datistemplate"), "1")
            << "green is not empty";
        EXPECT_EQ(lab.ask(Side::Blue, "shop", "select current_setting('fsync')"), "on");

        LoadOptions options;
        options.clients = 8;
        options.history = lab.file("history");
        LoadRun run(lab.state(), options);
        ASSERT_TRUE(run.start().ok());
        EXPECT_TRUE(eventually([&run] { return run.acknowledged() >= 500; }, Millis(60000)));
        run.stop();
        const Result<LoadReport> report = run.finish();
        ASSERT_TRUE(report.ok());
        EXPECT_EQ(report->errorCount(), 0U) << report->toJson().dump(1);
        EXPECT_GT(report->reads, 0U);
        EXPECT_EQ(report->writesBySide.size(), 1U);

        std::vector<HistoryWrite> writes;
        ASSERT_TRUE(readHistory(lab.file("history"), writes).ok());
        const Result<std::vector<FinalRow>> rows = readFinalRowsOfLab(lab.dir(), "blue");
        ASSERT_TRUE(rows.ok()) << rows.error().text();
        HistoryRules rules;
        rules.finalSide = "blue";
        rules.switches = 0;
        const HistoryVerdict verdict = checkHistory(writes, *rows, rules);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(1);
        EXPECT_EQ(verdict.acknowledged, report->writes);
    }
    EXPECT_TRUE(eventually([&folder] { return processesNaming(folder).empty(); }));
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Lab, ReadersCannotWriteAndTheRolesAreWhatThePlanSays) {
    LabOptions options;
    options.blueMajor = 14;
    options.greenMajor = 17;
    options.replicas = 0;
    options.poolers = 2;
    TestLab lab(options);
    ASSERT_TRUE(lab.ok());
    EXPECT_TRUE(statusOk(lab));
    EXPECT_EQ(
        lab.ask(Side::Blue, "shop",
                "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information)' and "
                "(c.relkind in ('r', 'p') and (has_table_privilege('shop_reader', c.oid, 'insert,update,delete,truncate') or not "
                "has_table_privilege('shop_reader', c.oid, 'select')) or c.relkind = 'S' and has_sequence_privilege('shop_reader', c.oid, "
                "'usage,update'))"),
        "0");
    EXPECT_EQ(lab.ask(Side::Blue, "shop", "select has_schema_privilege('shop_reader', 'public', 'create')"), "f");
    EXPECT_EQ(lab.ask(Side::Blue, "shop",
                      "select count(*) from pg_class c where relkind in ('r', 'p', 'S', 'v', 'm') and oid >= 16384 and relowner <> "
                      "'shop_owner'::regrole and relnamespace <> 'pg_toast'::regnamespace"),
              "0");
    EXPECT_EQ(lab.ask(Side::Green, "postgres", "select string_agg(rolname, ' ' order by rolname) from pg_roles where rolname !~ '^pg_'"),
              "physical_repl postgres tealdeck tealdeck_repl");
    EXPECT_EQ(lab.state().poolers.size(), 2U);
    const Result<Plan> plan = readPlan(lab.plan());
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->deployment, "lab");
    EXPECT_EQ(plan->databases, lab.state().databases);
    EXPECT_EQ(plan->blue.primary.port, lab.state().primary(Side::Blue).port);
    EXPECT_EQ(plan->green.primary.port, lab.state().primary(Side::Green).port);
    ASSERT_EQ(plan->pgbouncers.size(), 2U);
    EXPECT_TRUE(std::filesystem::exists(plan->pgbouncers[1].databasesFile));
    ASSERT_EQ(plan->haproxies.size(), 1U);
    EXPECT_EQ(plan->haproxies[0].greenServers, std::vector<std::string>{"green_primary"});
    EXPECT_TRUE(std::filesystem::exists(plan->haproxies[0].socket));
}

TEST(Lab, NoticesWhatDiedAndStartsItAgain) {
    LabOptions options;
    options.schema = "many";
    options.tables = 20;
    TestLab lab(options);
    ASSERT_TRUE(lab.ok());
    EXPECT_TRUE(statusOk(lab));
    for (const LabProcess& process : lab.state().processes) {
        if (process.name == "green-replica-1" || process.name == "pooler-1") {
            ::kill(process.pid, SIGKILL);
            ASSERT_TRUE(eventually([&process] { return !isAlive(process); }));
        }
    }
    const Result<Json> status = labStatus(lab.dir());
    ASSERT_TRUE(status.ok());
    EXPECT_EQ((*status)["ok"], false);
    EXPECT_EQ((*status)["died"].size(), 2U);
    for (const char* name : {"green-replica-1", "pooler-1"}) {
        const Status started = restartLabProcess(lab.dir(), name);
        EXPECT_TRUE(started.ok()) << started.error().text();
    }
    EXPECT_TRUE(eventually([&lab] { return statusOk(lab); })) << labStatus(lab.dir())->dump(1);
}

TEST(Lab, AHalfStartedLabCleansUpAndNamesTheLog) {
    const std::filesystem::path base = makeTestFolder();
    LabOptions options;
    options.dir = base / "lab";
    options.replicas = 0;
    const Result<LabState> up = upLab(options, [&](const std::string& line) {
        if (line.find("filling") != std::string::npos) {
            const Result<LabState> lab = readLab(options.dir);
            ASSERT_TRUE(lab.ok());
            for (const LabProcess& process : lab->processes) {
                if (process.name == "blue-primary") {
                    ::kill(process.pid, SIGKILL);
                }
            }
        }
    });
    ASSERT_FALSE(up.ok());
    EXPECT_THAT(up.error().text(), HasSubstr((options.dir / "logs").string()));
    EXPECT_TRUE(eventually([&] { return processesNaming(options.dir.string()).empty(); }));
    EXPECT_TRUE(downLab(options.dir, true).ok());
    std::filesystem::remove_all(base);
}

TEST(Lab, ALongFolderGetsItsSocketsElsewhereForAsLongAsItRuns) {
    const std::filesystem::path base = makeTestFolder();
    LabOptions options;
    options.dir = base / std::string(60, 'x') / "lab";
    options.replicas = 0;
    options.schema = "pgbench";
    const Result<LabState> up = upLab(options);
    ASSERT_TRUE(up.ok()) << up.error().text();
    EXPECT_TRUE(up->socketFolderOutside);
    EXPECT_TRUE(std::filesystem::exists(up->socketFolder));
    EXPECT_TRUE(downLab(options.dir, false).ok());
    EXPECT_FALSE(std::filesystem::exists(up->socketFolder));
    EXPECT_TRUE(downLab(options.dir, true).ok());
    EXPECT_FALSE(std::filesystem::exists(options.dir));
    std::filesystem::remove_all(base);
}

TEST(Lab, NeverEndsAProcessThatOnlyHasThePid) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::pause();
        ::_exit(0);
    }
    LabProcess process{"blue-primary", "primary", "blue", pid, *processStartTime(pid) + 1, 0, {}};
    EXPECT_TRUE(endLabProcesses({process}).ok());
    EXPECT_TRUE(processStartTime(pid).has_value());
    --process.startTime;
    EXPECT_TRUE(endLabProcesses({process}).ok());
    EXPECT_FALSE(processStartTime(pid).has_value());
}

struct Wrong {
    std::vector<std::string> arguments;
    std::string says;
};

/// Names the test.
void PrintTo(const Wrong& wrong, std::ostream* out) {
    for (const std::string& word : wrong.arguments) {
        *out << word << ' ';
    }
}

class LabWrongInput : public testing::TestWithParam<Wrong> {};

TEST_P(LabWrongInput, IsRefusedInOneSentenceWithExitCode2) {
    const ProcessOutcome outcome = tealctl(GetParam().arguments);
    EXPECT_EQ(outcome.exitCode, 2) << outcome.output << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, LabWrongInput,
    testing::Values(Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--blue", "12"},
                          "--blue: 12 cannot be blue. Allowed are 13, 14 and 15."},
                    Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--green", "16"}, "--green: 16"},
                    Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--replicas", "4"}, "--replicas: 4"},
                    Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--schema", "shoe"}, "Allowed are shop, pgbench and many."},
                    Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--name", "A b"}, "--name"},
                    Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--user", "no-such-user"}, "--user"},
                    Wrong{{"lab", "up", "--dir", "/usr"}, "--dir: /usr is not an empty folder."},
                    Wrong{{"lab", "up", "--dir", "/dev/null/lab"}, "--dir"},
                    Wrong{{"lab", "up", "--dir", "/nonexistent/lab", "--blue", "x"}, "--blue"}, Wrong{{"lab", "up"}, "--dir"},
                    Wrong{{"lab"}, "subcommand"}, Wrong{{"lab", "status", "--dir", "/nonexistent"}, "is not a practice lab"},
                    Wrong{{"lab", "down", "--dir", "/nonexistent"}, "is not a practice lab"},
                    Wrong{{"lab", "load", "--dir", "/nonexistent"}, "--seconds"},
                    Wrong{{"lab", "load", "--dir", "/nonexistent", "--seconds", "1"}, "is not a practice lab"},
                    Wrong{{"lab", "psql", "--dir", "/nonexistent"}, "is not a practice lab"}));

} // namespace
} // namespace tealdeck
