// SPDX-License-Identifier: GPL-3.0-or-later
// Laws 1, 5, 6 and 7 where they are hardest to keep: with writers that nobody paused, a feed that stands still in the pause, and a way back
// that can't be built.
#include "tests/support/upgrade_run.h"

#include <csignal>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

constexpr const char* SENDERS = "select pid from pg_stat_replication where application_name like 'tealdeck%' order by pid limit 1";
/// Who may log in to this database, and with which settings: exactly this must be there again.
constexpr const char* LOGINS =
    "select (select string_agg(concat_ws(' ', case when x.grantee = 0 then 'public' else x.grantee::regrole::text end, x.privilege_type, "
    "x.is_grantable), ', ' order by x.grantee, x.privilege_type) from pg_database d, aclexplode(d.datacl) x where d.datname = "
    "current_database()) || (select string_agg(rolname || rolcanlogin, ', ' order by rolname) from pg_roles) || (select "
    "string_agg(setconfig::text, ', ' order by setrole) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where "
    "d.datname = current_database())";

class Laws : public testing::Test {
  protected:
    /// Caught up, reads moved, and no engine running: the next command starts one of its own.
    void SetUp() override {
        ASSERT_TRUE(run.ok());
        run.startLoad();
        const CtlResult ready = run.ctl({"run", "--until", "ramp"});
        ASSERT_EQ(ready.exitCode, 0) << ready.report.dump(2) << ready.errors;
        ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
    }
    void expectOn(const char* side, const CtlResult& result) {
        EXPECT_EQ(member<std::string>(result.report, "writes_to", ""), side) << result.report.dump(2) << result.errors;
        EXPECT_TRUE(run.writesGoOn(Millis(5000)));
    }

    void aWayBackThatCannotBeBuilt();
    void aFeedThatStandsStillInThePause();
    void writersThatGoPastThePoolers();

    UpgradeRun run{15, 18};
};

/// Law 7: green can't be followed, so it is not opened.
void Laws::aWayBackThatCannotBeBuilt() {
    const auto login = [&](const char* word) { run.lab().run(Side::Green, "postgres", fmt::format("alter role tealdeck_repl {}", word)); };
    const CtlResult refused = run.ctlHeldAt("intent:cutover.return-path", [&] { login("nologin"); }, {"run", "--until", "observe"});
    login("login");
    EXPECT_NE(refused.exitCode, 0);
    EXPECT_NE(member<std::string>(refused.report, "error", "").find("not permitted to log in"), std::string::npos)
        << refused.report.dump(2);
    expectOn("blue", refused);
    EXPECT_EQ(run.lab().ask(Side::Green, "shop", "select role from tealdeck.side"), "replica");
}

/// Law 5: what green has not received it is not opened with. Law 12: blue gets back what it had, and no more.
void Laws::aFeedThatStandsStillInThePause() {
    for (const Side side : {Side::Blue, Side::Green}) {
        run.lab().run(side, "shop",
                      "begin read write; create role another_superuser superuser login; create role "
                      "retired_superuser superuser nologin; alter database shop set work_mem = '5MB'; commit");
    }
    run.lab().run(Side::Blue, "shop",
                  "revoke connect on database shop from public; grant connect on database shop to shop_app, shop_reader, tealdeck_repl; "
                  "grant connect on database shop to shop_test with grant option");
    const std::string before = run.lab().ask(Side::Blue, "shop", LOGINS);
    ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
    const CtlResult stalled = run.ctlHeldAt("paused", [&] { run.signal(Side::Blue, SENDERS, SIGSTOP); }, {"run", "--until", "observe"});
    run.signal(Side::Blue, SENDERS, SIGCONT);
    EXPECT_EQ(stalled.exitCode, 4) << stalled.report.dump(2) << stalled.errors;
    expectOn("blue", stalled);
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", LOGINS), before);
}

/// Laws 1 and 6: nobody paused them, so only the fence ends them; what they were told is kept is kept.
void Laws::writersThatGoPastThePoolers() {
    run.startStragglers(Side::Blue);
    const CtlResult over = run.ctl({"run", "--until", "observe"});
    EXPECT_EQ(over.exitCode, 0) << over.report.dump(2) << over.errors;
    expectOn("green", over);
    // They try again and again, and nobody lets them in.
    const std::uint64_t shut = run.stragglers().acknowledged();
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));
    EXPECT_EQ(run.stragglers().acknowledged(), shut);
    const CtlResult back = run.ctl({"rollback"});
    EXPECT_EQ(back.exitCode, 0) << back.report.dump(2) << back.errors;
    expectOn("blue", back);
}

TEST_F(Laws, holdWhereTheyAreHardestToKeep) {
    aWayBackThatCannotBeBuilt();
    aFeedThatStandsStillInThePause();
    writersThatGoPastThePoolers();
    HistoryVerdict verdict;
    const LoadReport report = run.endLoad("blue", 2, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    EXPECT_EQ(report.errorCount(), 0U) << report.toJson().dump(2).substr(0, 2000);
}

} // namespace
} // namespace tealdeck::test
