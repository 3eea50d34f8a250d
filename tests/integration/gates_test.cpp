// SPDX-License-Identifier: GPL-3.0-or-later
// What stands between an order and a cutover when a server, a link or a right is gone: the cutover is refused with its reason, clients
// write on, and when all is well again the same command goes through.
#include "app/lab/faults.h"
#include "app/lab/sql_client.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tealdeck::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr int BLOCKED = 3;
constexpr int RETURNED = 4; ///< begun, and taken back before anything was paused

LabOptions proxied() {
    LabOptions options;
    options.proxies = true;
    options.replicas = 0;
    return options;
}

class Gates : public testing::Test {
  protected:
    static std::string errorOf(const CtlResult& result) { return member<std::string>(result.report, "error", "") + result.errors; }

    /// Nothing of a switch has begun on either side.
    static void expectUntouched(UpgradeRun& run) {
        EXPECT_TRUE(run.writesGoOn(Millis(5000)));
        for (const char* database : {"shop", "shop_audit"}) {
            const char* const role = "select role || ' ' || generation from tealdeck.side";
            EXPECT_EQ(run.lab().ask(Side::Blue, database, role), "primary 0");
            EXPECT_EQ(run.lab().ask(Side::Green, database, role), "replica 0");
        }
        EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select has_database_privilege('shop_app', 'shop', 'connect')"), "t");
    }

    static void refusedWhile(UpgradeRun& run, const char* link, const char* mode, int exitCode, const testing::Matcher<std::string>& reason) {
        SCOPED_TRACE(fmt::format("{} {}", link, mode));
        ASSERT_TRUE(applyFault(run.lab().dir(), link, mode, 0).ok());
        const CtlResult refused = run.ctl({"run", "--until", "observe"});
        ASSERT_TRUE(applyFault(run.lab().dir(), link, "pass", 0).ok());
        EXPECT_EQ(refused.exitCode, exitCode) << refused.report.dump(2) << refused.errors;
        EXPECT_THAT(errorOf(refused), reason);
        EXPECT_NE(member<std::string>(refused.report, "phase", ""), "observe");
        expectUntouched(run);
    }

    static void expectGoesThrough(UpgradeRun& run) {
        const CtlResult later = run.ctl({"run", "--until", "observe"});
        EXPECT_EQ(later.exitCode, 0) << later.report.dump(2) << later.errors;
        EXPECT_TRUE(run.writesGoOn(Millis(5000)));
        HistoryVerdict verdict;
        run.endLoad("green", 1, verdict);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    }

    /// A session of the cluster's first superuser, which takes and gives what the console's role cannot take from itself and give back.
    static SqlClient superuser(UpgradeRun& run, Side side) {
        const LabState& lab = run.lab().state();
        Result<SqlClient> session = SqlClient::connect(labConnection(lab, lab.primary(side).port, "postgres", "postgres"));
        EXPECT_TRUE(session.ok()) << (session.ok() ? "" : session.error().text());
        return std::move(*session);
    }
    static void execute(SqlClient& session, const std::string& sql) {
        const Status done = session.run(sql);
        ASSERT_TRUE(done.ok()) << done.error().text();
    }
};

TEST_F(Gates, refuseACutoverWhileGreenIsHungOrGone) {
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    run.startLoad();
    ASSERT_EQ(run.ctl({"run", "--until", "validate"}).exitCode, 0);
    ASSERT_TRUE(applyFault(run.lab().dir(), "green-primary", "stop", 0).ok());
    const CtlResult refused = run.ctl({"run", "--until", "observe"});
    ASSERT_TRUE(applyFault(run.lab().dir(), "green-primary", "continue", 0).ok());
    EXPECT_EQ(refused.exitCode, BLOCKED) << refused.report.dump(2) << refused.errors;
    EXPECT_NE(member<std::string>(refused.report, "phase", ""), "observe");
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));
    // Gone altogether: every link to it is cut.
    ASSERT_TRUE(applyFault(run.lab().dir(), "green-primary", "kill", 0).ok());
    const CtlResult gone = run.ctl({"run", "--until", "observe"});
    EXPECT_EQ(gone.exitCode, BLOCKED) << gone.report.dump(2) << gone.errors;
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));
    const Status restarted = restartLabProcess(run.lab().dir(), "green-primary");
    ASSERT_TRUE(restarted.ok()) << restarted.error().text();
    expectGoesThrough(run);
}

TEST_F(Gates, refuseACutoverWhileALinkIsCutOrSilent) {
    UpgradeRun run(proxied());
    ASSERT_TRUE(run.ok());
    run.startLoad();
    const CtlResult copied = run.ctl({"run", "--until", "ramp"});
    ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
    ASSERT_NO_FATAL_FAILURE(refusedWhile(run, "engine-green", "stall", BLOCKED, HasSubstr("unknown")));
    ASSERT_NO_FATAL_FAILURE(refusedWhile(run, "engine-green", "cut", BLOCKED, HasSubstr("Cannot connect to green")));
    ASSERT_NO_FATAL_FAILURE(refusedWhile(run, "green-blue", "cut", BLOCKED, HasSubstr("forward feed")));
    // The servers' own time-outs are longer than a minute: their catalogs still say that the feed is alive. Heartbeats and markers know
    // better, whichever is asked first.
    ASSERT_TRUE(eventually(Millis(60000), [&] {
        return run.lab().ask(Side::Blue, "shop",
                             "select count(*) from pg_stat_replication where application_name like 'tealdeck%' and state = 'streaming'") ==
               "2";
    })) << "the feeds did not come back";
    ASSERT_NO_FATAL_FAILURE(refusedWhile(run, "green-blue", "stall", RETURNED, AnyOf(HasSubstr("marker"), HasSubstr("behind"))));
    expectGoesThrough(run);
}

TEST_F(Gates, refuseACutoverWhileARightIsMissing) {
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    // Before green is closed: afterwards nobody but the console's role may log in there.
    SqlClient blue = superuser(run, Side::Blue);
    SqlClient green = superuser(run, Side::Green);
    run.startLoad();
    ASSERT_EQ(run.ctl({"run", "--until", "ramp"}).exitCode, 0);
    struct Right {
        SqlClient& session;
        const char* take;
        const char* give;
        const char* reason;
    };
    const Right rights[] = {
        {green, "alter role tealdeck nosuperuser", "alter role tealdeck superuser", "SEC00/green"},
        {blue, "alter role tealdeck_repl noreplication", "alter role tealdeck_repl replication", "SEC01/blue"},
    };
    for (const Right& right : rights) {
        SCOPED_TRACE(right.take);
        ASSERT_NO_FATAL_FAILURE(execute(right.session, right.take));
        const CtlResult refused = run.ctl({"run", "--until", "observe"});
        ASSERT_NO_FATAL_FAILURE(execute(right.session, right.give));
        EXPECT_EQ(refused.exitCode, BLOCKED) << refused.report.dump(2) << refused.errors;
        EXPECT_THAT(errorOf(refused), HasSubstr(right.reason));
        expectUntouched(run);
    }
    expectGoesThrough(run);
}

TEST_F(Gates, refuseACutoverThatCannotBeRecordedAndAbortAllTheSame) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "a disk of its own needs root";
    }
    LabOptions options;
    options.replicas = 0;
    options.engineDiskMib = 16;
    UpgradeRun run(options);
    ASSERT_TRUE(run.ok());
    run.startLoad();
    ASSERT_EQ(run.ctl({"run", "--until", "ramp"}).exitCode, 0);
    ASSERT_TRUE(applyFault(run.lab().dir(), "disk", "fill", 0).ok());
    const CtlResult refused = run.ctl({"run", "--until", "observe"});
    EXPECT_EQ(refused.exitCode, RETURNED) << refused.report.dump(2) << refused.errors;
    EXPECT_THAT(errorOf(refused), HasSubstr("No space left"));
    expectUntouched(run);
    // Law 3: giving back needs no record.
    const CtlResult aborted = run.ctl({"abort"});
    EXPECT_EQ(aborted.exitCode, 0) << aborted.report.dump(2) << aborted.errors;
    EXPECT_EQ(member<std::string>(aborted.report, "phase", ""), "aborted");
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select count(*) from pg_replication_slots where slot_type = 'logical'"), "0");
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select count(*) from pg_namespace where nspname like 'tealdeck%'"), "0");
    HistoryVerdict verdict;
    run.endLoad("blue", 0, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    ASSERT_TRUE(applyFault(run.lab().dir(), "disk", "free", 0).ok());
}

} // namespace
} // namespace tealdeck::test
