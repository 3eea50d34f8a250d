// SPDX-License-Identifier: GPL-3.0-or-later
// The engine dies at every point of a cutover, of a rollback and of the end: clients go on within three seconds on the right side, and a
// second run of the same command completes.
#include "core/util/files.h"
#include "tests/support/upgrade_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

/// From the intent of the pause to the proof of the way back; {} is "cutover" or "rollback". Points after the opening must complete,
/// points before it must return.
struct Point {
    const char* name;
    bool past;
};
constexpr Point POINTS[] = {{"intent:{}.return-path", false},
                            {"after:{}.guardian", false},
                            {"paused", false},
                            {"fencing", false},
                            {"fenced", false},
                            {"received", false},
                            {"opening", false},
                            {"opened-first", true},
                            {"opened", true},
                            {"published", true},
                            {"resumed", true},
                            {"before:{}.old-feed", true},
                            {"intent:{}.return-feed", true}};

constexpr Millis CLIENTS_GO_ON{3000};
/// What has to be gone from green, and from blue, when all is over.
constexpr const char* GREEN_RESIDUE =
    "select (select count(*) from pg_subscription) + (select count(*) from pg_replication_slots where slot_type = 'logical') + (select "
    "count(*) from pg_publication) + (select count(*) from pg_namespace where nspname like 'tealdeck%')";
constexpr const char* BLUE_RESIDUE =
    "select (select count(*) from pg_subscription) + (select count(*) from pg_replication_slots where slot_type = 'logical') + (select "
    "count(*) from pg_publication)";

class Crash : public testing::Test {
  protected:
    /// The command dies at the point; afterwards clients write on the side where they belong, and the same command succeeds.
    static void dieAt(UpgradeRun& run, const std::vector<std::string>& command, const std::string& point, const std::string& side) {
        SCOPED_TRACE(fmt::format("{} dies at {}", command.front(), point));
        ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
        const CtlResult died = run.ctl(command, {{"TEALDECK_CRASH_AT", point}});
        ASSERT_NE(died.exitCode, 0) << "the engine was to die here";
        EXPECT_TRUE(run.writesGoOn(CLIENTS_GO_ON)) << "clients hang";
        const CtlResult state = run.ctl({"status"});
        EXPECT_EQ(member<std::string>(state.report, "writes_to", ""), side) << state.report.dump(2);
        const CtlResult again = run.ctl(command);
        ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
        ASSERT_TRUE(run.writesGoOn(Millis(5000)));
    }

    /// One lab for all points of a kind: each round ends on blue again, as it began.
    static void dieAtEveryPoint(bool past) {
        UpgradeRun run(15, 18);
        ASSERT_TRUE(run.ok());
        run.startLoad();
        const CtlResult copied = run.ctl({"run", "--until", "ramp"});
        ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
        int switches = 0;
        for (const Point& point : POINTS) {
            if (point.past != past) {
                continue;
            }
            const auto at = [&](const char* command) { return fmt::format(fmt::runtime(point.name), command); };
            ASSERT_NO_FATAL_FAILURE(dieAt(run, {"run", "--until", "observe"}, at("cutover"), past ? "green" : "blue"));
            ASSERT_NO_FATAL_FAILURE(dieAt(run, {"rollback"}, at("rollback"), past ? "blue" : "green"));
            switches += 2;
        }
        HistoryVerdict verdict;
        run.endLoad("blue", switches, verdict);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    }
};

TEST_F(Crash, killedAtEveryPointBeforeTheOpeningWritesReturn) {
    dieAtEveryPoint(false);
}

TEST_F(Crash, killedAtEveryPointAfterTheOpeningTheMoveCompletes) {
    dieAtEveryPoint(true);
}

TEST_F(Crash, killedAfterEveryStepOfFinalizingItGoesOn) {
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    run.startLoad();
    const CtlResult moved = run.ctl({"run", "--until", "observe"});
    ASSERT_EQ(moved.exitCode, 0) << moved.report.dump(2) << moved.errors;
    const std::vector<std::string> finalize = {"finalize", "--typed", "lab", "--reason", "the test ends"};
    ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
    // Each life goes on where the one before died, and dies one step later.
    for (const char* step : {"sessions", "reverse", "forward", "green", "blue"}) {
        SCOPED_TRACE(step);
        const CtlResult died = run.ctl(finalize, {{"TEALDECK_CRASH_AT", fmt::format("after:finalize.{}", step)}});
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
