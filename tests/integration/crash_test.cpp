// SPDX-License-Identifier: GPL-3.0-or-later
// The engine dies at every point of a cutover, of a rollback and of the end: clients go on within three seconds on the right side, and a
// second run of the same command completes, by the same console or by another one. The points are asked of the program itself: every step
// of the runbook before its intent, between intent and act, and after the act, and every point inside of the pause.
#include "core/engine/dry_run.h"
#include "core/util/files.h"
#include "tests/support/upgrade_run.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <random>

namespace tealdeck::test {
namespace {

/// A place to die at; points after the opening must complete, points before it must return.
struct Point {
    std::string name;
    bool past;
};

constexpr Millis CLIENTS_GO_ON{3000};
/// Of the whole matrix, so many rounds are run; TEALDECK_TEST_CRASH_ALL=1 runs all of it, which takes most of an hour.
constexpr std::size_t ROUNDS = 2;

/// What has to be gone from green, and from blue, when all is over.
constexpr const char* GREEN_RESIDUE =
    "select (select count(*) from pg_subscription) + (select count(*) from pg_replication_slots where slot_type = 'logical') + (select "
    "count(*) from pg_publication) + (select count(*) from pg_namespace where nspname like 'tealdeck%')";
constexpr const char* BLUE_RESIDUE =
    "select (select count(*) from pg_subscription) + (select count(*) from pg_replication_slots where slot_type = 'logical') + (select "
    "count(*) from pg_publication)";
/// Everything that a move leaves behind but what clients write: it must be the same whether somebody died on the way or not.
constexpr const char* DIGEST = R"(
select string_agg(line, E'\n' order by line) from (
  select 'subscription ' || subname || ' ' || subenabled || ' ' || coalesce(subslotname, '-') as line from pg_subscription s
    join pg_database d on d.oid = s.subdbid where d.datname = current_database()
  union all select 'slot ' || slot_name || ' ' || plugin from pg_replication_slots where database = current_database() and not temporary
  union all select 'published ' || pubname || ' ' || schemaname || '.' || tablename from pg_publication_tables
  union all select 'login ' || rolname || ' ' || rolcanlogin from pg_roles where rolname !~ '^pg_'
  union all select 'connect ' || x.grantee::regrole || ' ' || x.privilege_type || ' ' || x.is_grantable from pg_database d,
    aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x where d.datname = current_database()
  union all select 'setting ' || array_to_string(setconfig, ',') from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
    where d.datname = current_database()
  union all select 'side ' || side || ' ' || role from tealdeck.side
  union all select 'saved ' || key || ' ' || value from tealdeck.saved
  union all select 'relation ' || n.nspname || '.' || relname || ' ' || relkind::text || ' ' || relreplident::text from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_(toast|temp)' and n.nspname not in ('pg_catalog', 'information_schema')
) everything)";

bool wantsAll() {
    return std::getenv("TEALDECK_TEST_CRASH_ALL") != nullptr;
}

/// The crash points inside of the critical path, in its order, with whether the destination is open there.
std::vector<Point> pointsOfThePause() {
    const std::string text = readFile(std::filesystem::path(TEALDECK_SOURCE_DIR) / "core/cutover/switchover_pause.cpp").valueOr("");
    const std::size_t opened = text.find("m_past = true;");
    std::vector<Point> points;
    const std::string mark = "crashPoint(\"";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        const std::size_t begin = at + mark.size();
        points.push_back({text.substr(begin, text.find('"', begin) - begin), at > opened});
    }
    return points;
}

/// Of one command, as the dry run tells it.
std::vector<Point> pointsOf(const PlannedCommand& command) {
    std::vector<Point> points;
    bool past = false;
    for (const Step& step : command.steps) {
        points.push_back({"before:" + step.id, past});
        points.push_back({"intent:" + step.id, past});
        if (step.id.ends_with(".switch")) {
            const std::vector<Point> inside = pointsOfThePause();
            points.insert(points.end(), inside.begin(), inside.end());
            past = true;
        }
        points.push_back({"after:" + step.id, past});
    }
    return points;
}

std::vector<Point> sample(std::vector<Point> points, std::size_t count, std::mt19937& random) {
    if (!wantsAll() && points.size() > count) {
        std::vector<Point> some;
        std::sample(points.begin(), points.end(), std::back_inserter(some), count, random); // keeps their order
        points = some;
    }
    return points;
}

class Crash : public testing::Test {
  protected:
    void SetUp() override {
        const char* given = std::getenv("TEALDECK_TEST_SEED");
        const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : 18U;
        fmt::print("TEALDECK_TEST_SEED={}\n", seed);
        random.seed(seed);
        ASSERT_TRUE(run.ok());
        run.startLoad();
        Result<Plan> read = readPlan(run.lab().plan());
        ASSERT_TRUE(read.ok()) << read.error().text();
        dry = std::make_unique<DryRun>(*read);
    }

    /// A plan of the same deployment with a folder of its own: another console, with another recording.
    [[nodiscard]] std::string elsewhere() {
        std::string text = readFile(run.lab().plan()).valueOr("");
        const std::size_t folder = text.find("folder = ");
        const std::string name = run.lab().file(fmt::format("console-{}", ++consoles)).string();
        text.replace(folder, text.find('\n', folder) - folder, fmt::format("folder = \"{}\"", name));
        const std::filesystem::path file = run.lab().file(fmt::format("plan-{}.toml", consoles));
        EXPECT_TRUE(writeFileAtomically(file, text).ok());
        return file.string();
    }

    CtlResult ctlOf(const std::string& plan, std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), std::string(TEALDECK_BIN_DIR) + "/tealctl");
        arguments.push_back(plan);
        arguments.emplace_back("--json");
        const Result<ProcessOutcome> outcome = runProcess({arguments, {}, {}, {}, 0, 0}, Deadline(Millis(180000)));
        return outcome.ok() ? CtlResult{outcome->exitCode, parseJson(outcome->output).value_or(Json::object()), outcome->errors}
                            : CtlResult{-1, Json::object(), outcome.error().text()};
    }

    /// The command dies at the point; afterwards clients write on the side where they belong, and the same command succeeds.
    void dieAt(const std::vector<std::string>& command, const Point& point, const char* from, const char* to, bool takeover) {
        SCOPED_TRACE(fmt::format("{} dies at {}{}", command.front(), point.name, takeover ? ", another console goes on" : ""));
        static_cast<void>(run.ctl({"stop"})); // none runs after another console's turn
        const CtlResult died = run.ctl(command, {{"TEALDECK_CRASH_AT", point.name}});
        ASSERT_NE(died.exitCode, 0) << "the engine was to die here";
        EXPECT_TRUE(run.writesGoOn(CLIENTS_GO_ON)) << "clients hang";
        const std::string plan = takeover ? elsewhere() : run.lab().plan();
        const CtlResult state =
            ctlOf(plan, takeover ? std::vector<std::string>{"status", "--takeover"} : std::vector<std::string>{"status"});
        EXPECT_EQ(member<std::string>(state.report, "writes_to", ""), point.past ? to : from) << state.report.dump(2) << state.errors;
        const CtlResult again = ctlOf(plan, command);
        ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
        if (takeover) {
            ASSERT_EQ(ctlOf(plan, {"stop"}).exitCode, 0);
        }
        ASSERT_TRUE(run.writesGoOn(Millis(5000)));
        ++switches;
    }

    [[nodiscard]] std::string digest() {
        std::string all;
        for (const Side side : {Side::Blue, Side::Green}) {
            for (const char* database : {"shop", "shop_audit"}) {
                all += fmt::format("{} {}\n{}\n", sideName(side), database, run.lab().ask(side, database, DIGEST));
            }
        }
        return all;
    }

    void there() { ASSERT_EQ(run.ctl({"run", "--until", "observe"}).exitCode, 0); }
    void back() { ASSERT_EQ(run.ctl({"rollback"}).exitCode, 0); }

    /// Each round ends on blue again, as it began, and leaves what a round leaves in which nobody dies.
    void dieAtPoints() {
        const CtlResult copied = run.ctl({"run", "--until", "ramp"});
        ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
        // The second round of two: from then on every round leaves the same.
        ASSERT_NO_FATAL_FAILURE(there());
        ASSERT_NO_FATAL_FAILURE(back());
        ASSERT_NO_FATAL_FAILURE(there());
        const std::string onGreen = digest();
        ASSERT_NO_FATAL_FAILURE(back());
        const std::string onBlue = digest();
        switches = 4;
        const std::vector<Point> cutover = sample(pointsOf(dry->until(Phase::Observe).back()), ROUNDS, random);
        const std::vector<Point> rollback = sample(pointsOf(dry->aside().front()), ROUNDS, random);
        // The same console goes on, and another one takes over, by turns; in the whole matrix at each point.
        const std::size_t rounds = std::max(cutover.size(), rollback.size()) * (wantsAll() ? 2 : 1);
        for (std::size_t i = 0; i < rounds; ++i) {
            const bool takeover = wantsAll() ? i >= rounds / 2 : i % 2 == 1;
            const Point& away = cutover[i % cutover.size()];
            const Point& home = rollback[i % rollback.size()];
            ASSERT_NO_FATAL_FAILURE(dieAt({"run", "--until", "observe"}, away, "blue", "green", takeover));
            EXPECT_EQ(digest(), onGreen) << away.name;
            ASSERT_NO_FATAL_FAILURE(dieAt({"rollback"}, home, "green", "blue", takeover));
            EXPECT_EQ(digest(), onBlue) << home.name;
        }
        HistoryVerdict verdict;
        run.endLoad("blue", switches, verdict);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
        expectSameRows();
    }

    /// With nobody writing any more, both sides come to hold the same.
    void expectSameRows() {
        for (const char* database : {"shop", "shop_audit"}) {
            const std::string query = run.lab().ask(
                Side::Blue, database,
                "select string_agg(format('select %L || count(*) || coalesce(sum(hashtext(t::text)), 0) as line from %I.%I t', "
                "tablename, schemaname, tablename), ' union all ' order by tablename) from pg_tables where schemaname = 'public'");
            const std::string sums = "select string_agg(line, ' ' order by line) from (" + query + ") everything";
            const std::string blue = run.lab().ask(Side::Blue, database, sums);
            std::string green;
            for (const Deadline deadline(Millis(20000)); green != blue && !deadline.passed(); ::poll(nullptr, 0, 50)) {
                green = run.lab().ask(Side::Green, database, sums);
            }
            EXPECT_EQ(green, blue) << database;
        }
    }

    UpgradeRun run{15, 18};
    std::unique_ptr<DryRun> dry;
    std::mt19937 random;
    int switches = 0;
    int consoles = 0;
};

TEST_F(Crash, theSameConsoleOrAnotherGoesOn) {
    dieAtPoints();
}

TEST_F(Crash, finalizingGoesOn) {
    const CtlResult moved = run.ctl({"run", "--until", "observe"});
    ASSERT_EQ(moved.exitCode, 0) << moved.report.dump(2) << moved.errors;
    const std::vector<std::string> finalize = {"finalize", "--typed", "lab", "--reason", "the test ends"};
    ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
    // Each life goes on where the one before died, and dies later.
    for (const Point& point : sample(pointsOf(dry->until(Phase::Finalized).back()), ROUNDS, random)) {
        SCOPED_TRACE(point.name);
        const CtlResult died = run.ctl(finalize, {{"TEALDECK_CRASH_AT", point.name}});
        ASSERT_NE(died.exitCode, 0) << "the engine was to die here";
        EXPECT_TRUE(run.writesGoOn(CLIENTS_GO_ON));
    }
    const CtlResult ended = run.ctl(finalize);
    EXPECT_EQ(ended.exitCode, 0) << ended.report.dump(2) << ended.errors;
    EXPECT_EQ(member<std::string>(ended.report, "phase", ""), "finalized");
    EXPECT_TRUE(run.writesGoOn(CLIENTS_GO_ON));
    HistoryVerdict verdict;
    run.endLoad("green", 1, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    for (const char* database : {"shop", "shop_audit"}) {
        EXPECT_EQ(run.lab().ask(Side::Green, database, GREEN_RESIDUE), "0") << database;
        EXPECT_EQ(run.lab().ask(Side::Blue, database, BLUE_RESIDUE), "0") << database;
        EXPECT_EQ(run.lab().ask(Side::Blue, database, "select role from tealdeck.side"), "replica") << "blue stays closed";
    }
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select has_database_privilege('shop_app', 'shop', 'connect')"), "f");
}

} // namespace
} // namespace tealdeck::test
