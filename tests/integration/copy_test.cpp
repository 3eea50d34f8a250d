// SPDX-License-Identifier: GPL-3.0-or-later
// The snapshot copy on real servers under load: what dies in the middle of it, what it makes of hostile names, and that both sides then
// hold the same rows.
#include "app/lab/faults.h"
#include "app/lab/sql_client.h"
#include "core/util/files.h"
#include "tests/support/extended.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <csignal>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

constexpr const char* DATABASES[] = {"shop", "shop_audit"};

/// Tables with rows, as statements that count and sum their rows by text; in the order of the names.
constexpr const char* TABLES =
    "select format('select %L || count(*) || '' '' || coalesce(sum(hashtextextended(t::text, 0)), 0) from only %I.%I t', n.nspname || '.' "
    "|| "
    "c.relname || ' ', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and "
    "c.relpersistence = 'p' and n.nspname !~ '^(pg_|tealdeck)' and n.nspname <> 'information_schema'";

constexpr const char* RESIDUE =
    "select (select count(*) from pg_publication) + (select count(*) from pg_subscription) + (select count(*) from pg_replication_slots "
    "where slot_type = 'logical') + (select count(*) from pg_namespace where nspname like 'tealdeck%') + (select count(*) from "
    "pg_database where datname like 'tealdeck_rehearsal%')";

class Copy : public testing::Test {
  protected:
    static LabOptions options(int blue, int green) {
        LabOptions options;
        options.blueMajor = blue;
        options.greenMajor = green;
        options.replicas = 0;
        options.proxies = true;
        options.scale = 3;
        return options;
    }

    void setCopy(UpgradeRun& run, const std::string& lines) {
        if (m_plan.empty()) {
            m_plan = readFile(run.lab().plan()).valueOr("");
        }
        ASSERT_TRUE(writeFileAtomically(run.lab().plan(), m_plan + "\n[copy]\n" + lines).ok());
        ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
    }

    /// One sum over every row of every table, at a moment when nobody writes.
    static std::string rowsOf(TestLab& lab, Side side, const std::string& database) {
        const std::string all =
            lab.ask(side, database, fmt::format("select string_agg(s, ' union all ' order by s) from ({}) x(s)", TABLES));
        return lab.ask(side, database, fmt::format("select string_agg(r, e'\\n' order by r) from ({}) x(r)", all));
    }

    static void endCleanly(UpgradeRun& run) {
        HistoryVerdict verdict;
        const LoadReport report = run.endLoad("blue", 0, verdict);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
        EXPECT_EQ(report.errorCount(), 0U) << report.toJson().dump(2).substr(0, 2000);
    }

    /// The same while the load goes on: its tables are locked on blue for as long as the comparison takes.
    static void expectSame(UpgradeRun& run) {
        for (const char* database : DATABASES) {
            Result<SqlClient> lock =
                SqlClient::connect(labConnection(run.lab().state(), run.lab().state().primary(Side::Blue).port, "tealdeck", database));
            ASSERT_TRUE(lock.ok()) << lock.error().text();
            const std::string tables = run.lab().ask(Side::Blue, database,
                                                     "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables where "
                                                     "schemaname in ('shop', 'audit') or tablename like 'load%'");
            ASSERT_TRUE(eventually(Millis(30000), [&] {
                const bool locked = lock->run("begin; set local lock_timeout = '200ms'; lock table " + tables + " in share mode").ok();
                return locked || (static_cast<void>(lock->run("rollback")), false);
            })) << "the tables could not be locked";
            const std::string blue = rowsOf(run.lab(), Side::Blue, database);
            EXPECT_GT(blue.size(), 20U);
            EXPECT_TRUE(eventually(Millis(20000), [&] { return rowsOf(run.lab(), Side::Green, database) == blue; }))
                << blue << "\n---\n"
                << rowsOf(run.lab(), Side::Green, database);
            EXPECT_TRUE(lock->run("rollback").ok());
        }
    }

    static std::string stateOf(const CtlResult& result, const char* key = "state") {
        const Json copies = member(result.report, "copies", Json::array());
        return copies.empty() ? "" : member<std::string>(copies[0], key, "");
    }

    static int sayCopy(UpgradeRun& run, const char* word) {
        const Result<ProcessOutcome> said = runProcess(
            {{std::string(TEALDECK_BIN_DIR) + "/tealctl", "copy", word, run.lab().plan()}, {}, {}, {}, 0, 0}, Deadline(Millis(20000)));
        return said.ok() ? said->exitCode : -1;
    }

    static void abortCleanly(UpgradeRun& run) {
        const CtlResult aborted = run.ctl({"abort"});
        ASSERT_EQ(aborted.exitCode, 0) << aborted.report.dump(2) << aborted.errors;
        for (const char* database : DATABASES) {
            EXPECT_EQ(run.lab().ask(Side::Blue, database, RESIDUE), "0");
            EXPECT_EQ(run.lab().ask(Side::Green, database, RESIDUE), "0");
            run.lab().run(Side::Green, "postgres", fmt::format("drop database {} with (force)", database));
        }
    }

    std::string m_plan;
};

TEST_F(Copy, takesEverythingFromOneSnapshotUnderLoad) {
    UpgradeRun run(options(13, 17));
    ASSERT_TRUE(run.ok());
    run.startLoad();
    const CtlResult copied = run.ctl({"run", "--until", "validate"});
    ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
    EXPECT_EQ(stateOf(copied), "done") << copied.report.dump(2);
    EXPECT_EQ(stateOf(copied, "strategy"), "snapshot") << copied.report.dump(2);
    expectSame(run);
    endCleanly(run);
}

/// What happens while a worker of the copy stands at a point, and what has to come of it.
struct Trouble {
    const char* name;
    std::string settings;
    std::string point;
    std::function<void(UpgradeRun&)> work;
    int exitCode = 0; ///< of the run in which it happens; another one always ends well
};

std::vector<Trouble> troubles() {
    const std::string slow = "connections = 2\nrehearsal = false\n";
    return {
        {"COPY connections are ended", slow + "split_mib = 0.1\n", "copy-begun",
         [](UpgradeRun& run) {
             run.lab().ask(Side::Blue, "shop", "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like 'COPY %'");
             run.lab().ask(Side::Green, "shop", "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like 'COPY %'");
         }},
        {"a table is rewritten on blue", slow + "connections = 1\n", "copy-begun",
         [](UpgradeRun& run) {
             for (const char* table : {"shop.cart", "shop.event", "shop.note"}) {
                 run.lab().ask(Side::Blue, "shop", fmt::format("set lock_timeout = '200ms'; vacuum full {}", table));
             }
         }},
    };
}

TEST_F(Copy, survivesWhatHappensInTheMiddle) {
    TEALDECK_LONG_TEST();
    UpgradeRun run(options(15, 18));
    ASSERT_TRUE(run.ok());
    run.startLoad();
    const auto untilValidate = [&](const std::map<std::string, std::string>& environment = {}) {
        return run.ctl({"run", "--until", "validate"}, environment);
    };
    {
        SCOPED_TRACE("the engine dies: what was finished stays, the rest is left to the servers");
        setCopy(run, "connections = 1\nrehearsal = false\n");
        ASSERT_NE(untilValidate({{"TEALDECK_CRASH_AT", "copy-committed"}}).exitCode, 0);
        const std::string finished = run.lab().ask(Side::Green, "shop", "select count(distinct relation) from tealdeck.copied");
        EXPECT_NE(finished, "0");
        const std::string files = "select string_agg(relation || pg_relation_filenode(relation::regclass), ' ' order by relation) from "
                                  "tealdeck.copied where relation not like 'tealdeck%'";
        const std::string before = run.lab().ask(Side::Green, "shop", files);
        const CtlResult again = untilValidate();
        ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
        EXPECT_EQ(stateOf(again), "done") << again.report.dump(2);
        EXPECT_FALSE(before.empty());
        expectSame(run);
        abortCleanly(run);
    }
    for (const Trouble& trouble : troubles()) {
        SCOPED_TRACE(trouble.name);
        setCopy(run, trouble.settings);
        const CtlResult copied = run.ctlHeldAt(trouble.point, [&] { trouble.work(run); }, {"run", "--until", "validate"});
        ASSERT_EQ(copied.exitCode, trouble.exitCode) << copied.report.dump(2) << copied.errors;
        EXPECT_EQ(stateOf(copied), "done") << copied.report.dump(2);
        expectSame(run);
        abortCleanly(run);
    }
    {
        SCOPED_TRACE("green is killed: the copy ends, and goes on when it is there again");
        setCopy(run, "connections = 2\nrehearsal = false\n");
        const CtlResult died = run.ctlHeldAt("copy-commit",
                                             [&] {
                                                 ASSERT_TRUE(applyFault(run.lab().dir(), "green-primary", "kill", 0).ok());
                                                 ASSERT_TRUE(restartLabProcess(run.lab().dir(), "green-primary").ok());
                                             },
                                             {"run", "--until", "validate"});
        if (died.exitCode != 0) {
            EXPECT_NE(member<std::string>(died.report, "error", "").find("green"), std::string::npos) << died.report.dump(2);
            const CtlResult again = untilValidate();
            ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
        }
        expectSame(run);
    }
    endCleanly(run);
}

TEST_F(Copy, isPausedResumedAndCancelledAndSaysSo) {
    TEALDECK_LONG_TEST();
    UpgradeRun run(options(15, 18));
    ASSERT_TRUE(run.ok());
    run.startLoad();
    setCopy(run, "connections = 2\nrehearsal = false\nbytes_per_second = 200000\n");
    auto running = std::async(std::launch::async, [&] { return run.ctl({"run", "--until", "validate"}); });
    const auto say = [&](const char* word) { return sayCopy(run, word); };
    const auto copyIs = [&](const char* state) {
        return eventually(Millis(240000), [&] {
            const Json copies = member(run.ctl({"copy", "show"}).report, "copies", Json::array());
            return !copies.empty() && member<std::string>(copies[0], "state", "") == state;
        });
    };
    ASSERT_TRUE(copyIs("copying"));
    EXPECT_EQ(say("pause"), 0);
    EXPECT_TRUE(copyIs("paused"));
    EXPECT_EQ(say("resume"), 0);
    EXPECT_TRUE(copyIs("copying"));
    EXPECT_EQ(say("cancel"), 0);
    const CtlResult cancelled = running.get();
    EXPECT_EQ(cancelled.exitCode, 1) << cancelled.report.dump(2);
    EXPECT_EQ(member<std::string>(cancelled.report, "phase", ""), "replicate");
    EXPECT_NE(say("pause"), 0) << "nothing is being copied";
    setCopy(run, "connections = 2\nrehearsal = false\n");
    const CtlResult again = run.ctl({"run", "--until", "validate"});
    ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
    expectSame(run);
    abortCleanly(run);
    // A table that cannot be copied is named, and all others are there.
    setCopy(run, "connections = 2\nrehearsal = false\n");
    const CtlResult failed = run.ctlHeldAt(
        "intent:replicate.copy",
        [&] { run.lab().run(Side::Green, "shop", "begin read write; alter table shop.cart add check (id > 5) no inherit; commit"); },
        {"run", "--until", "validate"});
    EXPECT_EQ(failed.exitCode, 1) << failed.report.dump(2);
    EXPECT_NE(member<std::string>(failed.report, "error", "").find("shop.cart of shop could not be copied"), std::string::npos)
        << failed.report.dump(2);
    EXPECT_EQ(run.lab().ask(Side::Green, "shop", "select count(*) from shop.product"),
              run.lab().ask(Side::Blue, "shop", "select count(*) from shop.product"));
    run.lab().run(Side::Green, "shop", "begin read write; alter table shop.cart drop constraint cart_id_check; commit");
    const CtlResult mended = run.ctl({"run", "--until", "validate"});
    ASSERT_EQ(mended.exitCode, 0) << mended.report.dump(2) << mended.errors;
    expectSame(run);
    endCleanly(run);
}

TEST_F(Copy, holdsWhileAReplicaIsTooFarBehind) {
    TEALDECK_LONG_TEST();
    LabOptions withReplica = options(15, 18);
    withReplica.replicas = 1;
    UpgradeRun run(withReplica);
    ASSERT_TRUE(run.ok());
    run.startLoad();
    setCopy(run, "connections = 2\nrehearsal = false\nbytes_per_second = 1000000\nmax_replica_lag_mib = 1\n");
    const LabState& state = run.lab().state();
    Result<SqlClient> replica = SqlClient::connect(labConnection(state, state.replicas(Side::Green).front().port, "tealdeck", "postgres"));
    ASSERT_TRUE(replica.ok() && replica->run("select pg_wal_replay_pause()").ok());
    auto running = std::async(std::launch::async, [&] { return run.ctl({"run", "--until", "validate"}); });
    const auto copyIs = [&](const char* wanted, const char* why) {
        return eventually(Millis(240000), [&] {
            const Json copies = member(run.ctl({"copy", "show"}).report, "copies", Json::array());
            return !copies.empty() && member<std::string>(copies[0], "state", "") == wanted &&
                   member<std::string>(copies[0], "detail", "").find(why) != std::string::npos;
        });
    };
    EXPECT_TRUE(copyIs("held", "replica replica-1 of green is "));
    ASSERT_TRUE(replica->run("select pg_wal_replay_resume()").ok());
    const CtlResult copied = running.get(); // nobody had to let it go on
    ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
    expectSame(run);
    endCleanly(run);
}

TEST_F(Copy, goesFromServerToServerWhenThePlanSaysSo) {
    TEALDECK_LONG_TEST();
    UpgradeRun run(options(14, 18));
    ASSERT_TRUE(run.ok());
    run.startLoad();
    setCopy(run, "strategy = \"server-to-server\"\n");
    const CtlResult copied = run.ctl({"run", "--until", "validate"});
    ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
    EXPECT_EQ(stateOf(copied, "strategy"), "server-to-server");
    EXPECT_EQ(stateOf(copied), "done");
    expectSame(run);
    endCleanly(run);
}

} // namespace
} // namespace tealdeck::test
