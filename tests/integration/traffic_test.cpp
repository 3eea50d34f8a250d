// SPDX-License-Identifier: GPL-3.0-or-later
// Contracts of the routers, against the real programs.
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"
#include "core/util/files.h"
#include "tests/support/real_lab.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

namespace tealdeck::test {
namespace {

constexpr Millis LIMIT{2000};

class Traffic : public testing::Test {
  protected:
    void SetUp() override {
        Result<std::unique_ptr<RealLab>> lab = RealLab::start(LabOptions{});
        ASSERT_TRUE(lab.ok()) << lab.error().text();
        m_lab = std::move(*lab);
    }
    PgBouncer pooler() { return {m_lab->plan().pgbouncers.at(0), m_lab->plan()}; }
    std::string identity(SqlClient& client) {
        const Result<SqlClient::Rows> rows = client.query("select system_identifier from pg_control_system()");
        return rows ? rows->at(0).at(0) : rows.error().text();
    }
    std::unique_ptr<RealLab> m_lab;
};

TEST_F(Traffic, PauseWaitsForATransactionAndResumeComesFromAnotherSession) {
    PgBouncer router(m_lab->plan().pgbouncers.at(0), m_lab->plan());
    ASSERT_TRUE(router.warm(LIMIT).ok());
    ASSERT_EQ(*router.target(LIMIT), Side::Blue);
    Result<SqlClient> busy = m_lab->throughPooler("shop");
    ASSERT_TRUE(busy.ok()) << busy.error().text();
    ASSERT_TRUE(busy->run("begin; select 1").ok());

    ASSERT_TRUE(router.beginPause().ok());
    const Status paused = router.finishPause(Millis(300));
    ASSERT_FALSE(paused.ok());
    EXPECT_EQ(paused.error().kind, Error::Kind::Timeout) << paused.error().text();
    // A client that asks now waits until the pause is taken back.
    std::thread waiting([&] {
        Result<SqlClient> client = m_lab->throughPooler("shop");
        EXPECT_TRUE(client.ok() && client->run("select 1").ok());
    });
    EXPECT_TRUE(router.status(LIMIT)->databases.at(0).paused || router.status(LIMIT)->databases.at(1).paused);
    ASSERT_TRUE(router.resume(LIMIT).ok());
    waiting.join();
    EXPECT_TRUE(busy->run("select 1; commit").ok());
    // And the next pause works: nothing of the first is left.
    ASSERT_TRUE(router.warm(LIMIT).ok());
    ASSERT_TRUE(router.beginPause().ok());
    EXPECT_TRUE(router.finishPause(LIMIT).ok());
    EXPECT_TRUE(router.resume(LIMIT).ok());
    EXPECT_TRUE(router.resume(LIMIT).ok()) << "not paused is fine";
}

TEST_F(Traffic, APauseInTheMiddleOfALoginTurnsClientsAwaySoLoginsAreAwaited) {
    PgBouncer router(m_lab->plan().pgbouncers.at(0), m_lab->plan());
    ASSERT_TRUE(router.warm(LIMIT).ok());
    Result<SqlClient> busy = m_lab->throughPooler("shop");
    Result<SqlClient> next = m_lab->throughPooler("shop", "shop_app", 20);
    ASSERT_TRUE(busy.ok() && next.ok());
    ASSERT_TRUE(busy->run("begin; select 1").ok());
    ASSERT_TRUE(router.awaitLogins(LIMIT).ok());
    // The postmaster stands still: the kernel takes the pooler's new connection, and nobody answers it.
    ::kill(m_lab->pidOf("blue-primary"), SIGSTOP);
    std::thread waiting([&] { EXPECT_TRUE(next->run("select 1").ok()); });
    EXPECT_TRUE(eventually(LIMIT, [&] {
        const Status waited = router.awaitLogins(Millis(0));
        return !waited.ok() && waited.error().kind == Error::Kind::Timeout &&
               waited.error().message.find("logging in") != std::string::npos;
    }));
    // What it is good for: who pauses now has the pool taken for one that cannot log in.
    EXPECT_TRUE(router.beginPause().ok());
    EXPECT_TRUE(busy->run("commit").ok());
    EXPECT_TRUE(router.finishPause(LIMIT).ok());
    EXPECT_TRUE(router.resume(LIMIT).ok());
    const Status asked = busy->run("select 1");
    ::kill(m_lab->pidOf("blue-primary"), SIGCONT);
    waiting.join();
    ASSERT_FALSE(asked.ok()) << "PgBouncer has learned better: then nothing needs to be awaited";
    EXPECT_NE(asked.error().text().find("server login has been failing"), std::string::npos) << asked.error().text();
    EXPECT_TRUE(router.awaitLogins(LIMIT).ok());
}

TEST_F(Traffic, TellsWhoWaitsInAPause) {
    PgBouncer router(m_lab->plan().pgbouncers.at(0), m_lab->plan());
    router.askWhoWaits(); // no session yet: nothing is asked
    EXPECT_EQ(router.whoWaits(LIMIT)->waiting, 0);
    ASSERT_TRUE(router.warm(LIMIT).ok());
    Result<SqlClient> first = m_lab->throughPooler("shop", "shop_app", 20);
    Result<SqlClient> second = m_lab->throughPooler("shop", "shop_app", 20);
    ASSERT_TRUE(first.ok() && second.ok());
    ASSERT_TRUE(first->run("set application_name = 'checkout'; select 1").ok());
    ASSERT_TRUE(router.beginPause().ok());
    router.askWhoWaits(); // the session is taken by its PAUSE
    ASSERT_TRUE(router.finishPause(LIMIT).ok());
    std::thread one([&] { EXPECT_TRUE(first->run("select 1").ok()); });
    std::thread other([&] { EXPECT_TRUE(second->run("select 1").ok()); });
    Result<ClientPauses> waited(Error{});
    EXPECT_TRUE(eventually(LIMIT, [&] {
        router.askWhoWaits();
        router.askWhoWaits(); // once is enough
        waited = router.whoWaits(LIMIT);
        return !waited.ok() || (waited->waiting == 2 && waited->groups.back().longestMs >= 50);
    }));
    router.askWhoWaits();
    EXPECT_TRUE(router.resume(LIMIT).ok());
    one.join();
    other.join();
    ASSERT_TRUE(waited.ok()) << waited.error().text();
    EXPECT_EQ(waited->pooler, "pooler-1");
    ASSERT_EQ(waited->groups.size(), 2U) << dumpJson(toJson(*waited));
    EXPECT_EQ(waited->groups[0].clients, 1);
    EXPECT_EQ(waited->groups[0].user, "shop_app");
    EXPECT_EQ(waited->groups[0].database, "shop");
    EXPECT_EQ(waited->groups[0].address, "127.0.0.1");
    EXPECT_TRUE((waited->groups[0].application == "checkout") != (waited->groups[1].application == "checkout"));
    // The answer that nobody took is no obstacle to the next pause.
    ASSERT_TRUE(router.warm(LIMIT).ok());
    ASSERT_TRUE(router.beginPause().ok());
    EXPECT_TRUE(router.finishPause(LIMIT).ok());
    EXPECT_TRUE(router.resume(LIMIT).ok());
    EXPECT_EQ(router.whoWaits(LIMIT)->waiting, 0) << "what was asked in the pause before is no answer to this one";
}

TEST_F(Traffic, PublishAndReloadMoveTheTarget) {
    const std::string role = "create role shop_app login password '" + m_lab->password("shop_app") + "'";
    m_lab->run(Side::Green, "postgres", role);
    m_lab->run(Side::Green, "postgres", "create database shop");
    PgBouncer router(m_lab->plan().pgbouncers.at(0), m_lab->plan());
    const std::string file = router.instance().databasesFile;
    const std::string before = *readFile(file);
    const auto saved = m_lab->state().path("engine/original.ini");
    ASSERT_TRUE(router.saveOriginal(saved).ok());
    ASSERT_TRUE(router.saveOriginal(saved).ok());
    ASSERT_TRUE(router.stage(Side::Green).ok());
    EXPECT_EQ(*readFile(file), before);

    Result<SqlClient> client = m_lab->throughPooler("shop");
    ASSERT_TRUE(client.ok());
    const std::string blue = identity(*client);
    ASSERT_TRUE(router.warm(LIMIT).ok());
    ASSERT_TRUE(router.publish(Side::Green).ok());
    EXPECT_EQ(*router.target(LIMIT), Side::Blue) << "no reload yet";
    ASSERT_TRUE(router.beginPause().ok());
    ASSERT_TRUE(router.finishPause(LIMIT).ok());
    ASSERT_TRUE(router.reload(LIMIT).ok());
    ASSERT_TRUE(router.resume(LIMIT).ok());
    EXPECT_EQ(*router.target(LIMIT), Side::Green);
    const std::string green = identity(*client);
    EXPECT_NE(green, blue);
    EXPECT_EQ(green, m_lab->value(Side::Green, "postgres", "select system_identifier from pg_control_system()"));

    // Published without staging, as a guardian does after an edit by hand.
    ASSERT_TRUE(router.publish(Side::Blue).ok());
    EXPECT_EQ(*readFile(file), before);
    ASSERT_TRUE(router.publish(Side::Green).ok());
    struct stat mode {};
    ASSERT_EQ(::stat(file.c_str(), &mode), 0);
    EXPECT_EQ(mode.st_uid, m_lab->state().uid);
    EXPECT_EQ(mode.st_mode & 0777, 0600u);
    ASSERT_TRUE(router.restoreOriginal(saved, LIMIT).ok());
    EXPECT_EQ(*readFile(file), before);
    EXPECT_EQ(*router.target(LIMIT), Side::Blue);
    EXPECT_EQ(identity(*client), blue);
}

TEST_F(Traffic, NamesThatTheConsoleMustQuoteCanBePaused) {
    PgBouncerPlan instance = m_lab->plan().pgbouncers.at(0);
    instance.databases = {"Odd-na.me", "shop"};
    const std::string bytes = *readFile(instance.databasesFile);
    ASSERT_TRUE(writeFileAtomically(instance.databasesFile, bytes + "Odd-na.me = dbname=shop\n", 0600).ok());
    PgBouncer router(instance, m_lab->plan());
    ASSERT_TRUE(router.publish(Side::Blue).ok());
    ASSERT_TRUE(router.reload(LIMIT).ok());
    EXPECT_EQ(*router.target(LIMIT), Side::Blue);
    ASSERT_TRUE(router.beginPause().ok());
    const Status paused = router.finishPause(LIMIT);
    EXPECT_TRUE(paused.ok()) << paused.error().text();
    EXPECT_TRUE(router.resume(LIMIT).ok());
    EXPECT_TRUE(router.reconnect(LIMIT).ok());
}

TEST_F(Traffic, AMixedFileIsNoTarget) {
    PgBouncer router(m_lab->plan().pgbouncers.at(0), m_lab->plan());
    PgBouncerPlan half = router.instance();
    half.databases = {"shop"};
    PgBouncer halfRouter(half, m_lab->plan());
    ASSERT_TRUE(halfRouter.publish(Side::Green).ok());
    ASSERT_TRUE(router.reload(LIMIT).ok());
    const Result<Side> target = router.target(LIMIT);
    ASSERT_FALSE(target.ok());
    EXPECT_NE(target.error().message.find("both sides"), std::string::npos);
}

TEST_F(Traffic, AKilledPoolerIsNoticedAndANewOneIsFound) {
    PgBouncer router(m_lab->plan().pgbouncers.at(0), m_lab->plan());
    ASSERT_TRUE(router.warm(LIMIT).ok());
    ::kill(m_lab->pidOf("pooler-1"), SIGKILL);
    EXPECT_TRUE(eventually(LIMIT, [&] { return !router.status(Millis(500)).ok(); }));
    EXPECT_FALSE(router.warm(Millis(500)).ok());
    ASSERT_TRUE(restartLabProcess(m_lab->state().options.dir, "pooler-1").ok());
    EXPECT_TRUE(eventually(LIMIT, [&] { return router.warm(Millis(500)).ok(); }));
    EXPECT_EQ(*router.target(LIMIT), Side::Blue);
}

/// How many of the sessions through the balancer were answered by green, in percent.
double sharedSessions(const RealLab& lab, int count, const std::string& green) {
    int answeredByGreen = 0;
    for (int i = 0; i < count; ++i) {
        Result<SqlClient> client = SqlClient::connect(labConnection(lab.state(), lab.state().balancerPort, "tealdeck", "postgres"));
        if (!client) {
            ADD_FAILURE() << client.error().text();
            return -1;
        }
        const Result<SqlClient::Rows> rows = client->query("select system_identifier from pg_control_system()");
        answeredByGreen += rows && rows->at(0).at(0) == green ? 1 : 0;
    }
    return 100.0 * answeredByGreen / count;
}

TEST_F(Traffic, ReadsAreSharedAsAsked) {
    Haproxy router(m_lab->plan().haproxies.at(0));
    const std::string green = m_lab->value(Side::Green, "postgres", "select system_identifier from pg_control_system()");
    const Result<Json> found = router.save(LIMIT);
    ASSERT_TRUE(found.ok()) << found.error().text();
    EXPECT_EQ(router.observedGreenShare(LIMIT)->percent, 0);
    for (const double percent : {25.0, 60.0}) {
        const Status set = router.setGreenShare(percent, LIMIT);
        ASSERT_TRUE(set.ok()) << set.error().text();
        const ObservedShare expected = *router.observedGreenShare(LIMIT);
        EXPECT_FALSE(expected.measured);
        EXPECT_NEAR(expected.percent, percent, 0.1);
        // After a change of weights HAProxy needs some sessions until its round robin has found the new rhythm.
        EXPECT_NEAR(sharedSessions(*m_lab, 400, green), percent, 4);
        const ObservedShare counted = *router.observedGreenShare(LIMIT);
        EXPECT_TRUE(counted.measured);
        EXPECT_NEAR(counted.percent, percent, 4);
    }
    Result<SqlClient> old = SqlClient::connect(labConnection(m_lab->state(), m_lab->state().balancerPort, "tealdeck", "postgres"));
    ASSERT_TRUE(old.ok());
    ASSERT_TRUE(router.setGreenShare(100, LIMIT).ok());
    EXPECT_EQ(sharedSessions(*m_lab, 40, green), 100);
    ASSERT_TRUE(router.setGreenShare(0, LIMIT).ok());
    EXPECT_FALSE(old->run("select 1").ok()) << "its sessions on either side were shut down";
    EXPECT_EQ(sharedSessions(*m_lab, 40, green), 0);
    ASSERT_TRUE(router.setGreenShare(50, LIMIT).ok());
    ASSERT_TRUE(router.restore(*found, LIMIT).ok());
    EXPECT_EQ(*router.save(LIMIT), *found);
}

TEST_F(Traffic, ABalancerThatIsWrongOrAwaySaysSo) {
    HaproxyPlan wrong = m_lab->plan().haproxies.at(0);
    wrong.backend = "nothing";
    EXPECT_EQ(Haproxy(wrong).status(LIMIT).error().kind, Error::Kind::Conflict);
    wrong = m_lab->plan().haproxies.at(0);
    wrong.greenServers = {"nobody"};
    EXPECT_EQ(Haproxy(wrong).status(LIMIT).error().kind, Error::Kind::Conflict);
    EXPECT_FALSE(Haproxy(wrong).setGreenShare(50, LIMIT).ok());
    ::kill(m_lab->pidOf("balancer"), SIGSTOP);
    Haproxy router(m_lab->plan().haproxies.at(0));
    EXPECT_EQ(router.status(Millis(300)).error().kind, Error::Kind::Timeout);
    ::kill(m_lab->pidOf("balancer"), SIGCONT);
    EXPECT_TRUE(router.status(LIMIT).ok());
    ::kill(m_lab->pidOf("balancer"), SIGKILL);
    EXPECT_TRUE(eventually(
        LIMIT, [&] { return !router.status(Millis(300)).ok() && router.status(Millis(300)).error().kind == Error::Kind::Unavailable; }));
}

} // namespace
} // namespace tealdeck::test
