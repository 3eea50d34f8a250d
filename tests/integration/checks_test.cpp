// SPDX-License-Identifier: GPL-3.0-or-later
// The checklist against real servers: a clean lab passes, what can't be asked is unknown, mixed-up endpoints are found.
#include "core/discovery/discovery.h"
#include "core/util/files.h"
#include "tests/integration/check_fixture.h"
#include "tests/support/http_server.h"

#include <set>

namespace tealdeck::test {
namespace {

TEST_F(Checks, ACleanLabPasses) {
    ASSERT_NO_FATAL_FAILURE(startLab(1));
    const std::vector<CheckState> lines = run();
    std::set<std::string> ids;
    for (const CheckState& line : lines) {
        EXPECT_NE(line.result, CheckResult::Unknown) << shown(line);
        EXPECT_FALSE(line.severity == Severity::Blocking && line.result != CheckResult::Pass) << shown(line);
        EXPECT_TRUE(ids.insert(line.id).second) << line.id;
        for (const std::string& text : {line.question, line.why, line.expected, line.actual, line.fix, line.source}) {
            EXPECT_FALSE(text.empty()) << line.id;
        }
    }
    EXPECT_GT(lines.size(), 60u);
    // The shop has a table without a key: allowed by identity_full, but said.
    const CheckState* key = find(lines, "OBJ01/blue/shop");
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->severity, Severity::Warning);

    Connector connector(m_plan, "tealdeck/lab/1");
    Discovery discovery(connector);
    for (const Side side : {Side::Blue, Side::Green}) {
        const std::vector<Node> nodes = discovery.nodes(side);
        ASSERT_EQ(nodes.size(), 2u);
        EXPECT_EQ(nodes[0].role, "primary");
        EXPECT_EQ(nodes[1].role, "replica");
        EXPECT_EQ(nodes[1].state, "up") << nodes[1].detail;
        EXPECT_TRUE(nodes[1].lagBytes && nodes[1].lagSeconds);
        EXPECT_EQ(nodes[0].version.substr(0, 2), side == Side::Blue ? "15" : "18");
        EXPECT_EQ(nodes[0].systemIdentifier, nodes[1].systemIdentifier);
    }
    ::kill(m_lab->pidOf("green-replica-1"), SIGINT);
    EXPECT_TRUE(eventually(Millis(3000), [&] { return discovery.nodes(Side::Green)[1].state == "down"; }));
    EXPECT_FALSE(discovery.nodes(Side::Green)[1].detail.empty());
    std::string refused;
    ASSERT_TRUE(eventually(Millis(10000), [&] {
        const Status restarted = restartLabProcess(m_lab->state().options.dir, "green-replica-1");
        refused = restarted ? "" : restarted.error().text();
        return restarted.ok();
    })) << refused;
    EXPECT_TRUE(eventually(Millis(5000), [&] { return discovery.nodes(Side::Green)[1].state == "up"; }));
}

TEST_F(Checks, WhatCannotBeAskedIsUnknown) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    m_lab->run(Side::Blue, "shop", "revoke execute on function pg_catalog.pg_control_system() from public");
    m_lab->run(Side::Blue, "postgres",
               "revoke execute on function pg_catalog.pg_control_system() from public; create role weak login; grant connect on database "
               "shop to weak");
    // A console role that may not look: never a pass.
    Plan weak = m_plan;
    m_lab->run(Side::Blue, "postgres", "alter role weak password '" + m_lab->password("shop_app") + "'");
    weak.blue.primary.user = "weak";
    const std::string passfile = m_lab->state().path("engine/weak.pass").string();
    ASSERT_TRUE(writeFileAtomically(passfile, "*:*:*:*:" + m_lab->password("shop_app") + "\n").ok());
    weak.blue.primary.passfile = passfile;
    const std::vector<CheckState> asked = runChecks(Connector(weak, "tealdeck/lab/1"), {});
    EXPECT_EQ(find(asked, "CMP02")->result, CheckResult::Unknown) << shown(*find(asked, "CMP02"));
    EXPECT_EQ(find(asked, "SEC00/blue")->result, CheckResult::Fail) << shown(*find(asked, "SEC00/blue"));
    applyFix(*m_lab, find(asked, "SEC00/blue")->fix);
    CheckContext again;
    again.only = "SEC00";
    EXPECT_EQ(find(runChecks(Connector(weak, "tealdeck/lab/1"), again), "SEC00/blue")->result, CheckResult::Pass);

    ::kill(m_lab->pidOf("green-primary"), SIGSTOP);
    const Deadline bounded(Millis(15000));
    const std::vector<CheckState> frozen = run();
    EXPECT_FALSE(bounded.passed()) << "a hung server costs one time-out, not one for each check";
    ::kill(m_lab->pidOf("green-primary"), SIGCONT);
    for (const char* id :
         {"SRV02/green", "SRV03/green", "SEC01/green", "CMP01", "CMP02", "CMP03/shop", "CMP05/shop", "GRN01/shop", "CMP08/green"}) {
        ASSERT_NE(find(frozen, id), nullptr) << id;
        EXPECT_EQ(find(frozen, id)->result, CheckResult::Unknown) << shown(*find(frozen, id));
        EXPECT_FALSE(find(frozen, id)->actual.empty());
    }
    EXPECT_EQ(find(frozen, "SRV02/blue")->result, CheckResult::Pass);
    ::kill(m_lab->pidOf("pooler-1"), SIGKILL);
    ASSERT_TRUE(eventually(Millis(2000), [&] { return m_lab->ended("pooler-1"); }));
    const std::vector<CheckState> noPooler = run();
    EXPECT_EQ(find(noPooler, "PGB01/pooler-1")->result, CheckResult::Fail);
    EXPECT_EQ(find(noPooler, "PGB02/pooler-1")->result, CheckResult::Unknown);
}

TEST_F(Checks, MixedUpEndpointsAreFound) {
    ASSERT_NO_FATAL_FAILURE(startLab(1));
    const Plan good = m_plan;
    std::swap(m_plan.blue, m_plan.green);
    EXPECT_EQ(resultOf("CMP01"), CheckResult::Fail) << m_actual;
    m_plan = good;
    m_plan.blue.primary.port = good.blue.replicas[0].port;
    EXPECT_EQ(resultOf("CMP02"), CheckResult::Fail);
    EXPECT_NE(m_actual.find("blue primary is a standby"), std::string::npos) << m_actual;
    EXPECT_NE(m_actual.find("are the same server"), std::string::npos) << m_actual;
    EXPECT_EQ(resultOf("SRV01/blue"), CheckResult::Fail);
    m_plan = good;
    m_plan.green.replicas[0].port = good.blue.replicas[0].port;
    EXPECT_EQ(resultOf("CMP02"), CheckResult::Fail);
    EXPECT_NE(m_actual.find("another cluster"), std::string::npos) << m_actual;

    // Replicas are asked themselves.
    m_plan = good;
    EXPECT_EQ(resultOf("RPL01/green"), CheckResult::Pass) << m_actual;
    EXPECT_EQ(resultOf("RPL02"), CheckResult::Pass) << m_actual;
    const auto onReplica = [&](const char* sql) {
        Result<SqlClient> client = SqlClient::connect(labConnection(m_lab->state(), good.green.replicas[0].port, "tealdeck", "postgres"));
        ASSERT_TRUE(client.ok() && client->run(sql).ok()) << sql;
        ASSERT_TRUE(client->run("select pg_reload_conf()").ok());
    };
    onReplica("alter system set max_standby_streaming_delay = '77s'");
    EXPECT_TRUE(eventually(Millis(5000), [&] { return lineOf("RPL02").result == CheckResult::Fail; }));
    EXPECT_NE(lineOf("RPL02").actual.find("green replica-1: max_standby_streaming_delay = 77s"), std::string::npos)
        << lineOf("RPL02").actual;
    onReplica("alter system reset max_standby_streaming_delay");
    EXPECT_TRUE(eventually(Millis(5000), [&] { return lineOf("RPL02").result == CheckResult::Pass; }));

    // Patroni beside the servers, played by a server of HTTP.
    const std::string leader = R"({"state": "running", "role": "primary", "timeline": 1})";
    const std::string follower = R"({"state": "running", "role": "replica", "timeline": 1})";
    HttpServer blue(HttpServer::json(leader));
    HttpServer replica(HttpServer::json(follower));
    m_plan.blue.primary.patroni = blue.url();
    m_plan.blue.replicas[0].patroni = replica.url();
    EXPECT_EQ(resultOf("PAT01/blue"), CheckResult::Pass) << m_actual;
    CheckContext cutover;
    cutover.moment = CheckMoment::BeforeCutover;
    EXPECT_EQ(lineOf("PAT02/blue", cutover).result, CheckResult::Fail) << "not paused";
    blue.say(HttpServer::json(follower));
    replica.say(HttpServer::json(leader));
    EXPECT_EQ(resultOf("PAT01/blue"), CheckResult::Fail) << "a failover that the plan knows nothing of";
    EXPECT_NE(m_actual.find("primary: Patroni says replica, the server says primary"), std::string::npos) << m_actual;
    blue.say("");
    EXPECT_EQ(resultOf("PAT01/blue"), CheckResult::Unknown) << m_actual;
}

} // namespace
} // namespace tealdeck::test
