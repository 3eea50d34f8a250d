// SPDX-License-Identifier: GPL-3.0-or-later
// Each planted problem is found by its check and mended by the fix that it offers.
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"
#include "tests/integration/check_fixture.h"
#include "tests/integration/check_plants.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck::test {
namespace {

TEST_F(Checks, EachPlantedProblemIsFoundAndItsFixMendsIt) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    giveKeys(*m_lab);
    m_lab->run(Side::Blue, "postgres", "create database bad_icu locale_provider icu icu_locale 'und' template template0");
    m_lab->run(Side::Blue, "postgres", "alter system set max_prepared_transactions = 4");
    ASSERT_NO_FATAL_FAILURE(restart("blue-primary"));
    m_plan.replication.identityFull = false;
    m_plan.databases.push_back("bad_icu");
    for (const Plant& p : plants()) {
        SCOPED_TRACE(p.line);
        if (p.onOther != nullptr) {
            runAll(*m_lab, otherSide(p.side), "postgres", pieces(p.onOther, ";;"));
        }
        runAll(*m_lab, p.side, p.database, pieces(p.plant, ";;"));
        reloadAfter(*m_lab, p.plant);
        const CheckState found = lineOf(p.line);
        EXPECT_EQ(found.result, CheckResult::Fail) << "planted: " << found.actual;
        EXPECT_NE(found.actual.find(p.names), std::string::npos) << found.actual;
        if (p.mend != nullptr) {
            runAll(*m_lab, p.side, p.database, pieces(p.mend, ";;"));
        } else {
            applyFix(*m_lab, found.fix);
        }
        reloadAfter(*m_lab, p.mend != nullptr ? p.mend : found.fix);
        const CheckState mended = lineOf(p.line);
        EXPECT_EQ(mended.result, CheckResult::Pass) << "mended: " << mended.actual << "\n" << found.fix;
        if (p.after != nullptr) {
            runAll(*m_lab, p.side, p.database, pieces(p.after, ";;"));
        }
    }
}

TEST_F(Checks, SettingsThatNeedARestartAreFoundAndMended) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    runAll(*m_lab, Side::Blue, "shop",
           pieces("alter system set wal_level = replica;;alter system set max_replication_slots = 3;;alter system set max_wal_senders = "
                  "2;;alter system set max_logical_replication_workers = 1;;"
                  "alter system set max_connections = 25;;alter system set max_locks_per_transaction = 10;;alter system set "
                  "shared_preload_libraries = auto_explain;;"
                  "alter system set max_files_per_process = 1500;;alter system set max_prepared_transactions = 2;;"
                  "do $$ begin for i in 1..150 loop execute format('create table public.bad_%s(a int primary key)', i); end loop; end $$",
                  ";;"));
    runAll(*m_lab, Side::Green, "postgres",
           pieces("alter system set max_active_replication_origins = 2;;alter system set shared_preload_libraries = auto_explain", ";;"));
    ASSERT_NO_FATAL_FAILURE(stop("blue-primary"));
    checksums("--disable");
    ASSERT_TRUE(restartLabProcess(m_lab->state().options.dir, "blue-primary").ok());
    ASSERT_NO_FATAL_FAILURE(restart("green-primary"));
    std::vector<Result<SqlClient>> crowd;
    for (int i = 0; i < 19; ++i) {
        crowd.push_back(SqlClient::connect(labConnection(m_lab->state(), m_lab->state().primary(Side::Blue).port, "tealdeck", "postgres")));
    }
    const std::vector<std::string> asked = {"SRV02/blue",      "SRV03/blue", "SRV04/blue", "SRV05/blue", "SRV06/green",
                                            "SRV21/blue/shop", "SRV25/blue", "SRV26/blue", "PAR02",      "SES03/blue"};
    std::vector<std::string> fixes;
    const std::vector<CheckState> broken = run();
    for (const std::string& id : asked) {
        ASSERT_NE(find(broken, id), nullptr) << id;
        EXPECT_EQ(find(broken, id)->result, CheckResult::Fail) << shown(*find(broken, id));
        fixes.push_back(find(broken, id)->fix);
    }
    crowd.clear();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        SCOPED_TRACE(asked[i]);
        if (asked[i] != "SRV26/blue") {
            applyFix(*m_lab, fixes[i]);
        }
    }
    ASSERT_NO_FATAL_FAILURE(stop("blue-primary"));
    checksums("--enable");
    ASSERT_TRUE(restartLabProcess(m_lab->state().options.dir, "blue-primary").ok());
    ASSERT_NO_FATAL_FAILURE(restart("green-primary"));
    const std::vector<CheckState> mended = run();
    for (const std::string& id : asked) {
        EXPECT_EQ(find(mended, id)->result, CheckResult::Pass) << shown(*find(mended, id)) << "\n" << find(mended, id)->fix;
    }
}

TEST_F(Checks, SessionsInTheWayAreFoundAndEnded) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    CheckContext strict;
    strict.longTransactionSeconds = 0;
    CheckContext cutover = strict;
    cutover.moment = CheckMoment::BeforeCutover;
    m_plan.cutover.drain = Millis(1);
    m_plan.cutover.budget = Millis(1);
    const struct {
        const char* line;
        CheckContext context;
        const char* begin;
    } cases[] = {
        {"SES01/blue", strict, "begin; select pg_current_xact_id()"},
        {"SES04/blue", strict, "begin; select 1"},
        {"SES05/blue", cutover, "select pg_advisory_lock(1)"},
        {"SES06/blue/shop", strict, "begin; lock table shop.cart in access exclusive mode"},
        {"SES07/blue", cutover, "begin; select 1"},
        {"SES08/blue", cutover, "begin; select 1"},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.line);
        Result<SqlClient> session =
            SqlClient::connect(labConnection(m_lab->state(), m_lab->state().primary(Side::Blue).port, "tealdeck", "shop"));
        ASSERT_TRUE(session.ok() && session->run(c.begin).ok());
        m_lab->run(Side::Blue, "postgres", "select pg_sleep(0.05)");
        const CheckState found = lineOf(c.line, c.context);
        EXPECT_EQ(found.result, CheckResult::Fail) << found.actual;
        EXPECT_NE(found.actual.find("pid "), std::string::npos) << found.actual;
        applyFix(*m_lab, found.fix);
        EXPECT_TRUE(eventually(Millis(3000), [&] { return lineOf(c.line, c.context).result == CheckResult::Pass; }))
            << lineOf(c.line, c.context).actual;
    }
    // A standby or a subscription in the clear: the lab's rules must first let one in.
    runAll(*m_lab, Side::Blue, "postgres", {TEALDECK_HBA("hostnossl replication all 127.0.0.1/32 scram-sha-256")});
    m_lab->run(Side::Blue, "postgres", "select pg_reload_conf(), pg_sleep(0.1)");
    auto parameters = labConnection(m_lab->state(), m_lab->state().primary(Side::Blue).port, "tealdeck", "postgres");
    parameters["sslmode"] = "disable";
    parameters["replication"] = "true";
    const Result<SqlClient> clear = SqlClient::connect(parameters);
    ASSERT_TRUE(clear.ok()) << clear.error().text();
    EXPECT_EQ(lineOf("NET01/blue").result, CheckResult::Fail);
    EXPECT_EQ(lineOf("NET01/green").result, CheckResult::Pass);
}

TEST_F(Checks, WhatThePlanAndTheRoutersSayWrongIsFound) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    const Plan good = m_plan;
    const auto fails = [&](const char* line, const std::function<void(Plan&)>& change, CheckContext context = {}) {
        SCOPED_TRACE(line);
        m_plan = good;
        EXPECT_EQ(lineOf(line, context).result == CheckResult::Fail, false) << "before";
        change(m_plan);
        const CheckState found = lineOf(line, context);
        EXPECT_EQ(found.result, CheckResult::Fail) << found.actual;
        m_plan = good;
    };
    fails("PAR10", [](Plan& p) { p.blue.replicas.push_back(p.blue.primary); });
    fails("PAR11", [](Plan& p) { p.blue.primary.zone = "az-x"; });
    fails("PAR13/blue", [](Plan& p) { p.blue.replicas.push_back(p.blue.primary); });
    fails("NET02", [](Plan& p) { p.replication.sslmode = "prefer"; });
    m_plan.green.primary.storageGb = 1000;
    EXPECT_EQ(lineOf("CAP01").result, CheckResult::Pass);
    m_plan.green.primary.storageGb = 0.001;
    EXPECT_EQ(lineOf("CAP01").result, CheckResult::Fail);
    m_plan.cost.currency = "EUR"; // and no prices
    EXPECT_EQ(lineOf("ADV02").result, CheckResult::Fail);
    fails("ADV01", [](Plan& p) { p.green = p.blue; });
    fails("CMP01", [](Plan& p) { std::swap(p.blue, p.green); });
    fails("PGB06/pooler-1", [](Plan& p) { p.pgbouncers[0].databasesFile += ".missing"; });
    fails("PRG01", [](Plan& p) { p.programs.pgDump = "/bin/true"; });
    CheckContext reverse;
    reverse.moment = CheckMoment::BeforeCutover;
    CheckContext forward = reverse;
    reverse.direction = Direction::Reverse;
    EXPECT_EQ(lineOf("PGB05/pooler-1", forward).result, CheckResult::Pass);
    EXPECT_EQ(lineOf("PGB05/pooler-1", reverse).result, CheckResult::Fail);

    m_lab->run(Side::Green, "postgres", "create database shop_audit encoding 'UTF8' template template0");
    EXPECT_EQ(lineOf("GRN01/shop_audit").result, CheckResult::Pass);
    m_lab->run(Side::Green, "shop_audit", "create table left_over(a int)");
    const CheckState leftOver = lineOf("GRN01/shop_audit");
    EXPECT_EQ(leftOver.result, CheckResult::Fail) << leftOver.actual;
    // What this deployment's own copy left when it was interrupted is no stranger's; another deployment's is.
    const std::string control = m_plan.controlDatabase();
    m_lab->run(Side::Blue, control,
               "create schema tealdeck; create table tealdeck.deployment(id text, phase text); insert into tealdeck.deployment values "
               "('another', 'replicate')");
    EXPECT_EQ(lineOf("GRN01/shop_audit").result, CheckResult::Fail);
    m_lab->run(Side::Blue, control, "update tealdeck.deployment set id = '" + m_plan.deployment + "'");
    EXPECT_EQ(lineOf("GRN01/shop_audit").result, CheckResult::Pass);
    m_lab->run(Side::Blue, control, "update tealdeck.deployment set phase = 'observe'");
    EXPECT_EQ(lineOf("GRN01/shop_audit").result, CheckResult::Fail);
    m_lab->run(Side::Blue, control, "drop schema tealdeck cascade");
    applyFix(*m_lab, leftOver.fix);
    EXPECT_EQ(lineOf("GRN01/shop_audit").result, CheckResult::Pass);

    PgBouncer pooler(m_plan.pgbouncers[0], m_plan);
    const struct {
        const char* line;
        const char* key;
        const char* wrong;
        const char* right;
    } settings[] = {{"PGB02/pooler-1", "pool_mode", "session", "transaction"},
                    {"PGB03/pooler-1", "server_login_retry", "15", "0"},
                    {"PGB04/pooler-1", "query_wait_timeout", "1", "120"},
                    {"PGB08", "default_pool_size", "200", "30"}};
    for (const auto& s : settings) {
        SCOPED_TRACE(s.line);
        ASSERT_TRUE(pooler.set(s.key, s.wrong, Millis(2000)).ok());
        EXPECT_EQ(lineOf(s.line).result, CheckResult::Fail) << lineOf(s.line).actual;
        ASSERT_TRUE(pooler.set(s.key, s.right, Millis(2000)).ok());
        EXPECT_EQ(lineOf(s.line).result, CheckResult::Pass) << lineOf(s.line).actual;
    }
    Haproxy balancer(m_plan.haproxies[0]);
    const auto tellBalancer = [&](const std::string& command) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        m_plan.haproxies[0].socket.copy(address.sun_path, sizeof address.sun_path - 1);
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char answer[512];
        const std::string line = command + "\n";
        ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::send(fd, line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
        while (::recv(fd, answer, sizeof answer, 0) > 0) {
        }
        ::close(fd);
    };
    ASSERT_TRUE(balancer.setGreenShare(10, Millis(2000)).ok());
    EXPECT_EQ(lineOf("HAP03/balancer").result, CheckResult::Fail);
    EXPECT_EQ(lineOf("HAP04/balancer").result, CheckResult::Pass) << lineOf("HAP04/balancer").actual;
    ASSERT_TRUE(balancer.setGreenShare(100, Millis(2000)).ok());
    EXPECT_EQ(lineOf("HAP04/balancer").result, CheckResult::Fail);
    ASSERT_TRUE(balancer.setGreenShare(0, Millis(2000)).ok());
    EXPECT_EQ(lineOf("HAP03/balancer").result, CheckResult::Pass);
    EXPECT_EQ(lineOf("HAP04/balancer").result, CheckResult::Pass);
    for (const char* state : {"maint", "ready"}) {
        for (const auto* side : {&m_plan.haproxies[0].blueServers, &m_plan.haproxies[0].greenServers}) {
            for (const std::string& server : *side) {
                tellBalancer("set server " + m_plan.haproxies[0].backend + "/" + server + " state " + state);
            }
        }
        const CheckResult wanted = state == std::string("maint") ? CheckResult::Fail : CheckResult::Pass;
        EXPECT_TRUE(eventually(Millis(5000), [&] { return lineOf("HAP02/balancer").result == wanted; })) << lineOf("HAP02/balancer").actual;
    }
    ::kill(m_lab->pidOf("balancer"), SIGKILL);
    ASSERT_TRUE(eventually(Millis(2000), [&] { return m_lab->ended("balancer"); }));
    EXPECT_EQ(lineOf("HAP01/balancer").result, CheckResult::Fail);
    EXPECT_EQ(lineOf("HAP02/balancer").result, CheckResult::Unknown);
}

TEST_F(Checks, WhatFourteenRemovedIsFoundOnThirteen) {
    ASSERT_NO_FATAL_FAILURE(startLab(0, 13));
    giveKeys(*m_lab);
    const std::vector<CheckState> clean = run();
    for (const CheckState& line : clean) {
        EXPECT_NE(line.result, CheckResult::Unknown) << shown(line);
        EXPECT_FALSE(line.severity == Severity::Blocking && line.result != CheckResult::Pass) << shown(line);
    }
    const Plant old[] = {
        {"VER12/blue/shop", Side::Blue, "shop", "create view bad_factorial as select 5! as f", "bad_factorial"},
        {"VER01/blue/shop", Side::Blue, "shop", "create operator public.!!! (leftarg = bigint, procedure = numeric_fac)", "!!!"},
        {"VER02/blue/shop", Side::Blue, "shop",
         "create aggregate public.bad_collect(anyelement) (sfunc = array_append, stype = anyarray, initcond = '{}')", "bad_collect"},
        {"VER03/blue/shop", Side::Blue, "shop", "create conversion bad_conversion for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8",
         "bad_conversion"},
    };
    for (const Plant& p : old) {
        SCOPED_TRACE(p.line);
        runAll(*m_lab, p.side, p.database, {p.plant});
        const CheckState found = lineOf(p.line);
        EXPECT_EQ(found.result, CheckResult::Fail) << found.actual;
        EXPECT_NE(found.actual.find(p.names), std::string::npos) << found.actual;
        applyFix(*m_lab, found.fix);
        EXPECT_EQ(lineOf(p.line).result, CheckResult::Pass) << lineOf(p.line).actual << found.fix;
    }
}

} // namespace
} // namespace tealdeck::test
