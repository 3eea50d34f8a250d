// SPDX-License-Identifier: GPL-3.0-or-later
// Contracts of the routers of the writes against the real programs, and whole upgrades through each of them under load.
#include "core/traffic/dns_router.h"
#include "core/traffic/haproxy_writes.h"
#include "core/traffic/pgbouncer.h"
#include "core/util/files.h"
#include "tests/support/extended.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace tealdeck::test {
namespace {

constexpr Millis LIMIT{10000};

/// What it holds, or a failure that says why not.
template <typename T> T held(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().text();
        return T();
    }
    return *std::move(result);
}

LabOptions labThrough(const std::string& way) {
    LabOptions options;
    options.writeThrough = way;
    options.replicas = 0;
    return options;
}

TEST(WriteRouters, HaproxyHasOneServerReadyOrNoneAndKeepsThatOverARestart) {
    Result<std::unique_ptr<RealLab>> lab = RealLab::start(labThrough("haproxy"));
    ASSERT_TRUE(lab.ok()) << lab.error().text();
    const Plan& plan = (*lab)->plan();
    HaproxyWrites router(plan.routers.haproxies.at(0));
    const auto identity = [&](Side side) {
        return identityThrough(plan.side(side).primary, "postgres", **router.endpoint(LIMIT), LIMIT);
    };
    const std::string blue = (*lab)->value(Side::Blue, "postgres", "select system_identifier from pg_control_system()");
    const std::string green = (*lab)->value(Side::Green, "postgres", "select system_identifier from pg_control_system()");
    EXPECT_EQ(held(router.target(LIMIT)), Side::Blue);
    EXPECT_TRUE(router.obstacles(LIMIT).empty());
    EXPECT_TRUE(router.weaknesses(LIMIT).empty());
    EXPECT_EQ(held(identity(Side::Blue)), blue);
    const Result<Json> found = router.save(LIMIT);
    ASSERT_TRUE(found.ok());

    ASSERT_TRUE(router.close(LIMIT).ok());
    EXPECT_FALSE(held(router.target(LIMIT)).has_value());
    EXPECT_FALSE(identity(Side::Blue).ok()) << "who comes in the pause is turned away";
    ASSERT_TRUE(router.shift(Side::Blue, LIMIT).ok());
    Result<SqlClient> old = SqlClient::connect(labConnection((*lab)->state(), (*lab)->state().writePort, "tealdeck", "postgres"));
    ASSERT_TRUE(old.ok());
    ASSERT_TRUE(router.shift(Side::Green, LIMIT).ok());
    EXPECT_FALSE(old->run("select 1").ok()) << "its session on blue was ended";
    EXPECT_EQ(held(router.target(LIMIT)), Side::Green);
    EXPECT_EQ(held(identity(Side::Green)), green);

    // Killed and started again it reads the state file, not the "disabled" of its configuration.
    ::kill((*lab)->pidOf("balancer"), SIGKILL);
    EXPECT_TRUE(eventually(LIMIT, [&] { return !router.target(Millis(500)).ok(); }));
    const Status again = restartLabProcess((*lab)->state().options.dir, "balancer");
    ASSERT_TRUE(again.ok()) << again.error().text();
    EXPECT_TRUE(eventually(LIMIT, [&] { return router.target(Millis(500)).ok(); }));
    EXPECT_EQ(held(router.target(LIMIT)), Side::Green);
    EXPECT_EQ(held(identity(Side::Green)), green);

    // Both open is no target, and the next move mends it.
    HaproxyRuntime hand(plan.routers.haproxies.at(0));
    ASSERT_TRUE(hand.setServer("blue_primary", "ready", std::nullopt, LIMIT).ok());
    EXPECT_EQ(router.target(LIMIT).error().kind, Error::Kind::Conflict);
    ASSERT_TRUE(router.shift(Side::Green, LIMIT).ok());
    EXPECT_EQ(held(router.target(LIMIT)), Side::Green);
    ASSERT_TRUE(router.restore(*found, LIMIT).ok());
    EXPECT_EQ(held(router.save(LIMIT)), *found);
    EXPECT_EQ(held(identity(Side::Blue)), blue);
}

TEST(WriteRouters, DnsIsUpdatedWithTheKeyAndGivenBackExactly) {
    Result<std::unique_ptr<RealLab>> lab = RealLab::start(labThrough("dns"));
    ASSERT_TRUE(lab.ok()) << lab.error().text();
    const Plan& plan = (*lab)->plan();
    DnsRouter router(plan.routers.dns.at(0));
    EXPECT_EQ(held(router.target(LIMIT)), Side::Blue);
    EXPECT_TRUE(router.obstacles(LIMIT).empty()) << router.obstacles(LIMIT).front();
    EXPECT_TRUE(router.weaknesses(LIMIT).empty());
    // An older state that is neither of ours: two addresses and a long TTL.
    ASSERT_TRUE(router.restore({{"values", {"127.0.0.21", "127.0.0.20"}}, {"ttl", 77}}, LIMIT).ok());
    EXPECT_EQ(router.target(LIMIT).error().kind, Error::Kind::Conflict);
    EXPECT_FALSE(router.weaknesses(LIMIT).empty()) << "77 s is more than the plan allows";
    const Result<Json> found = router.save(LIMIT);
    ASSERT_TRUE(found.ok());
    ASSERT_TRUE(router.shift(Side::Green, LIMIT).ok());
    EXPECT_EQ(held(router.target(LIMIT)), Side::Green);
    EXPECT_EQ(held(identityThrough(plan.green.primary, "postgres", **router.endpoint(LIMIT), LIMIT)),
              (*lab)->value(Side::Green, "postgres", "select system_identifier from pg_control_system()"));
    ASSERT_TRUE(router.restore(*found, LIMIT).ok());
    EXPECT_EQ(held(router.save(LIMIT)), *found);
    EXPECT_FALSE(router.restore({{"values", {"127.0.0.1\nupdate delete lab.test."}}, {"ttl", 1}}, LIMIT).ok());

    // Another key is refused, an open one not even tried.
    DnsPlan wrong = plan.routers.dns.at(0);
    wrong.keyFile = (*lab)->state().path("engine/wrong.key").string();
    ASSERT_TRUE(writeFileAtomically(wrong.keyFile, "key \"tealdeck-lab\" { algorithm hmac-sha256; secret \"AAAA\"; };\n", 0600).ok());
    EXPECT_FALSE(DnsRouter(wrong).shift(Side::Blue, LIMIT).ok());
    EXPECT_FALSE(DnsRouter(wrong).obstacles(LIMIT).empty());
    ASSERT_EQ(::chmod(wrong.keyFile.c_str(), 0644), 0);
    EXPECT_NE(DnsRouter(wrong).obstacles(LIMIT).front().find("chmod 600"), std::string::npos);
    EXPECT_EQ(held(router.save(LIMIT)), *found) << "nothing of that came through";

    ::kill((*lab)->pidOf("name-server"), SIGKILL);
    EXPECT_TRUE(eventually(LIMIT, [&] { return !router.target(Millis(300)).ok(); }));
    ASSERT_TRUE(restartLabProcess((*lab)->state().options.dir, "name-server").ok());
    EXPECT_EQ(held(router.save(LIMIT)), *found) << "the name server's journal kept the updates";
}

TEST(WriteRouters, APoolersFileIsPushedByAProgramAndItsServerIsKnownThroughIt) {
    LabOptions options;
    options.replicas = 0;
    Result<std::unique_ptr<RealLab>> lab = RealLab::start(options);
    ASSERT_TRUE(lab.ok()) << lab.error().text();
    PgBouncerPlan instance = (*lab)->plan().pgbouncers.at(0);
    const std::string remote = instance.databasesFile; // the pooler's own; ours is a copy elsewhere
    instance.databasesFile = (*lab)->state().path("engine/copy.ini").string();
    ASSERT_TRUE(writeFileAtomically(instance.databasesFile, *readFile(remote), 0600).ok());
    const std::string program = (*lab)->state().path("engine/push").string();
    ASSERT_TRUE(writeFileAtomically(program,
                                    "#!/usr/bin/python3\nimport json, sys\norder = json.load(sys.stdin)\nassert order['action'] == 'push'\n"
                                    "open(sys.argv[1], 'w').write(order['content'])\n",
                                    0700)
                    .ok());
    instance.push = {program, {remote}, {}, Millis(10000)};
    PgBouncer router(instance, (*lab)->plan());
    EXPECT_EQ(held(router.identity(LIMIT)), (*lab)->value(Side::Blue, "postgres", "select system_identifier from pg_control_system()"));
    ASSERT_TRUE(router.publish(Side::Green).ok());
    ASSERT_TRUE(router.reload(LIMIT).ok());
    EXPECT_EQ(held(router.target(LIMIT)), Side::Green);
    ASSERT_TRUE(writeFileAtomically(program, "#!/bin/sh\nexit 1\n", 0700).ok());
    EXPECT_FALSE(router.publish(Side::Blue).ok()) << "a push that fails is no success";
}

/// What counts here is where the clients arrive, not how fast a busy machine gets them there.
void allowTime(const std::string& planFile) {
    std::string text = *readFile(planFile);
    for (const auto& [from, to] : std::map<std::string, std::string>{{"budget_ms = 2000", "budget_ms = 20000"},
                                                                     {"drain_ms = 1000", "drain_ms = 4000"},
                                                                     {"kill_ms = 500", "kill_ms = 5000"},
                                                                     {"receive_ms = 1000", "receive_ms = 10000"},
                                                                     {"max_lag_seconds = 1.0", "max_lag_seconds = 20.0"}}) {
        const std::size_t at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        text.replace(at, from.size(), to);
    }
    ASSERT_TRUE(writeFileAtomically(planFile, text).ok());
}

/// To green, back, and given back: nothing lost, nothing doubled, and no other errors than lost connections.
void upgradeThrough(const LabOptions& options) {
    UpgradeRun run(options);
    ASSERT_TRUE(run.ok());
    allowTime(run.lab().plan());
    const Result<Plan> plan = readPlan(run.lab().plan());
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    const WriteRouters routers = makeWriteRouters(*plan);
    const auto states = [&routers] {
        Json all = Json::array();
        for (const auto& router : routers) {
            all.push_back(router->save(LIMIT).valueOr("unknown"));
        }
        return all;
    };
    const Json found = states();
    run.startLoad(6);
    CtlResult up = run.ctl({"run", "--until", "observe"}, {}, Millis(300000));
    ASSERT_EQ(up.exitCode, 0) << up.errors << up.report.dump();
    ASSERT_TRUE(run.writesGoOn(Millis(20000))) << "on green";
    CtlResult back = run.ctl({"rollback"});
    ASSERT_EQ(back.exitCode, 0) << back.errors;
    ASSERT_TRUE(run.writesGoOn(Millis(20000))) << "on blue again";
    CtlResult given = run.ctl({"abort"});
    EXPECT_EQ(given.exitCode, 0) << given.errors;
    EXPECT_EQ(states(), found) << "every router has what it had";
    ASSERT_TRUE(run.writesGoOn(Millis(20000))) << "after the abort";
    HistoryVerdict verdict;
    const LoadReport report = run.endLoad("blue", 2, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump();
    EXPECT_GT(report.writesBySide.count("green") != 0 ? report.writesBySide.at("green") : 0, 20U);
    for (const auto& [sqlstate, count] : report.errors) {
        // Classes 08 (connection) and 57 (ended by the operator); a log-in that the fence refuses is 28000, 42501 or 53300.
        const std::string kind = sqlstate.substr(0, 2);
        EXPECT_TRUE(kind == "08" || kind == "57" || sqlstate == "28000" || sqlstate == "42501" || sqlstate == "53300")
            << sqlstate << ": " << report.examples.at(sqlstate);
    }
}

/// Reads on green only while green is fresh: its apply worker is stopped, and the reads go back by themselves.
TEST(Ramp, StaleReadsGoBackByThemselvesAndComeAgainWhenFresh) {
    TEALDECK_LONG_TEST();
    UpgradeRun run(labThrough("service"));
    ASSERT_TRUE(run.ok());
    run.startLoad(4);
    ASSERT_EQ(run.ctl({"run", "--until", "validate"}, {}, Millis(300000)).exitCode, 0);
    // The first heartbeat may still be on its way.
    ASSERT_TRUE(eventually(Millis(60000), [&] { return run.ctl({"ramp", "--percent", "50"}).exitCode == 0; }));
    const auto traffic = [&](const char* key) {
        return member<double>(member<Json>(run.ctl({"status"}).report, "traffic", Json::object()), key, -1);
    };
    EXPECT_TRUE(eventually(
        Millis(60000), [&] { return member<Json>(run.ctl({"status"}).report, "metrics", Json::object()).contains("read_p95_ms.green"); }));
    const std::string worker =
        run.lab().ask(Side::Green, "postgres",
                      "select pid from pg_stat_activity where datname = 'shop' and backend_type like 'logical replication%' "
                      "order by backend_start limit 1");
    ASSERT_GT(std::atoi(worker.c_str()), 1);
    ASSERT_EQ(::kill(std::atoi(worker.c_str()), SIGSTOP), 0);
    EXPECT_TRUE(eventually(Millis(60000), [&] { return traffic("reads_green_target") == 0.0; }));
    ASSERT_EQ(::kill(std::atoi(worker.c_str()), SIGCONT), 0);
    EXPECT_TRUE(eventually(Millis(60000), [&] { return run.ctl({"ramp", "--percent", "20"}).exitCode == 0; }));
    EXPECT_TRUE(eventually(Millis(20000), [&] { return traffic("reads_green_target") == 20.0; }));
    EXPECT_EQ(run.ctl({"ramp", "--back"}).exitCode, 0);
    EXPECT_TRUE(eventually(Millis(20000), [&] { return traffic("reads_green_target") == 10.0; }));
    EXPECT_EQ(run.ctl({"ramp", "--hold"}).exitCode, 0);
    EXPECT_EQ(run.ctl({"ramp", "--percent", "50"}).exitCode, 3);
    EXPECT_EQ(run.ctl({"abort"}).exitCode, 0);
    HistoryVerdict verdict;
    run.endLoad("blue", 0, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump();
}

TEST(UpgradeThrough, Haproxy) {
    TEALDECK_LONG_TEST();
    upgradeThrough(labThrough("haproxy"));
}
TEST(UpgradeThrough, Dns) {
    TEALDECK_LONG_TEST();
    upgradeThrough(labThrough("dns"));
}
TEST(UpgradeThrough, ServiceFile) {
    TEALDECK_LONG_TEST();
    upgradeThrough(labThrough("service"));
}
TEST(UpgradeThrough, Command) {
    TEALDECK_LONG_TEST();
    upgradeThrough(labThrough("command"));
}
TEST(UpgradeThrough, TwoPoolers) {
    TEALDECK_LONG_TEST();
    LabOptions options;
    options.poolers = 2;
    options.replicas = 0;
    upgradeThrough(options);
}

} // namespace
} // namespace tealdeck::test
