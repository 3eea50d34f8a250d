// SPDX-License-Identifier: GPL-3.0-or-later
// The sampler against a lab with a real feed: values, lag that grows when apply is held, and no hang when a server freezes.
#include "core/control/schema_sql.h"
#include "core/metrics/sampler.h"
#include "tests/support/real_lab.h"

#include <csignal>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

namespace tealdeck::test {
namespace {

/// Keeps the newest of everything that was published.
class Published {
  public:
    void take(EventKind kind, const Json& body) {
        const std::lock_guard lock(m_mutex);
        ++m_count;
        if (kind == EventKind::Inventory) {
            m_inventory[body["side"].get<std::string>() + "/" + body["node"].get<std::string>()] = body;
            ++m_told;
        } else if (kind == EventKind::Metrics) {
            m_samples += body["values"].contains("sampler_ms") ? 1 : 0;
            m_values.update(body["values"]);
        } else if (kind == EventKind::Topology) {
            m_topology[body["side"]] = body;
        } else if (kind == EventKind::Traffic) {
            m_traffic = body;
        } else if (kind == EventKind::Replication) {
            m_replication[body["direction"].get<std::string>() + "/" + body["database"].get<std::string>()] = body;
        }
    }
    std::optional<double> value(const std::string& name) {
        const std::lock_guard lock(m_mutex);
        return optionalNumber(m_values, name.c_str());
    }
    std::string values() {
        const std::lock_guard lock(m_mutex);
        return m_values.dump();
    }
    std::string replication(const std::string& link, const char* member_) {
        const std::lock_guard lock(m_mutex);
        return member<std::string>(m_replication[link], member_, "");
    }
    std::string writesTo() {
        const std::lock_guard lock(m_mutex);
        return member<std::string>(m_traffic, "writes_to", "");
    }
    std::size_t nodes(const std::string& side) {
        const std::lock_guard lock(m_mutex);
        return m_topology.count(side) == 0 ? 0 : m_topology[side]["nodes"].size();
    }
    Json inventory(const std::string& server) {
        const std::lock_guard lock(m_mutex);
        return m_inventory[server];
    }
    int told() {
        const std::lock_guard lock(m_mutex);
        return m_told;
    }
    int samples() {
        const std::lock_guard lock(m_mutex);
        return m_samples;
    }
    int count() {
        const std::lock_guard lock(m_mutex);
        return m_count;
    }

  private:
    std::mutex m_mutex;
    int m_count = 0, m_told = 0, m_samples = 0;
    std::map<std::string, Json> m_inventory;
    Json m_values = Json::object(), m_traffic;
    std::map<std::string, Json> m_topology, m_replication;
};

TEST(Sampler, SeesAFeedAndSurvivesAFrozenServer) {
    Result<std::unique_ptr<RealLab>> started = RealLab::start(LabOptions{});
    ASSERT_TRUE(started.ok()) << started.error().text();
    const RealLab& lab = **started;
    // A feed of the marker alone, by hand: what the engine makes is more of the same.
    const Plan& plan = lab.plan();
    for (const std::string& database : plan.databases) {
        const std::string slot = database == "shop" ? "tealdeck_lab_forward_1" : "tealdeck_lab_forward_2";
        lab.run(Side::Blue, database, CONTROL_SCHEMA_SQL);
        lab.run(Side::Blue, database, "create publication tealdeck_lab for table tealdeck_sync.marker");
        lab.run(Side::Green, "postgres", "create database " + database);
        lab.run(Side::Green, database, CONTROL_SCHEMA_SQL);
        lab.run(Side::Green, database,
                "create subscription tealdeck_lab_forward connection 'host=127.0.0.1 port=" + std::to_string(plan.blue.primary.port) +
                    " user=tealdeck_repl dbname=" + database + " sslmode=verify-full sslrootcert=" + plan.replication.sslrootcert +
                    " passfile=" + plan.replication.passfile + "' publication tealdeck_lab with (slot_name = '" + slot + "')");
    }

    Connector connector(plan, "tealdeck/lab/1");
    Published published;
    Sampler sampler(
        connector, [] { return Clock::system().steadyUs(); }, [&](EventKind kind, Json body) { published.take(kind, body); });
    sampler.setPeriod(Millis(250));
    sampler.setHeartbeat(Side::Blue);
    sampler.start();
    EXPECT_TRUE(eventually(Millis(10000), [&] { return published.replication("forward/shop", "state") == "streaming"; }))
        << published.replication("forward/shop", "error");
    EXPECT_TRUE(eventually(Millis(5000), [&] { return published.value("lag_seconds.forward").value_or(99) < 0.5; }));
    EXPECT_TRUE(eventually(Millis(5000), [&] {
        return published.value("lag_bytes.forward") && published.value("retained_bytes.blue") && published.value("tps.blue") &&
               published.value("connections.green");
    })) << published.values();
    EXPECT_LT(published.value("heartbeat_age.blue").value_or(99), 1.0);
    EXPECT_EQ(published.replication("reverse/shop", "state"), "none");
    EXPECT_EQ(published.writesTo(), "blue");
    EXPECT_EQ(published.value("reads_green_percent"), 0.0);
    EXPECT_EQ(published.nodes("blue"), 2u);

    // What the servers have: once, not with each sample; replicas as well.
    EXPECT_TRUE(eventually(Millis(10000), [&] { return published.told() == 4; })) << published.told();
    const Json blue = published.inventory("blue/primary");
    EXPECT_GE(blue["slots"].size(), plan.databases.size()) << blue.dump(1);
    EXPECT_EQ(blue["publications"].size(), plan.databases.size()) << blue.dump(1);
    EXPECT_EQ(published.inventory("green/primary")["subscriptions"].size(), plan.databases.size());
    EXPECT_TRUE(published.inventory("green/replica-1")["settings"].contains("hot_standby_feedback"));
    for (const char* server : {"blue/primary", "blue/replica-1", "green/primary", "green/replica-1"}) {
        EXPECT_TRUE(published.inventory(server)["unknown"].empty()) << published.inventory(server).dump(1);
        EXPECT_TRUE(published.inventory(server)["disk_free_bytes"].is_number());
    }

    // Around a switch it looks ten times a second, and then no more.
    sampler.setPeriod(Millis(600'000));
    EXPECT_TRUE(eventually(Millis(5000), [&] {
        const int before = published.samples();
        return !eventually(Millis(700), [&] { return published.samples() != before; });
    }));
    const int slow = published.samples();
    sampler.watchClosely(Millis(60'000));
    EXPECT_TRUE(eventually(Millis(20'000), [&] { return published.samples() >= slow + 10; }));
    EXPECT_TRUE(eventually(Millis(20'000), [&] { return published.value("sampler_cpu_percent").has_value(); })) << "it shows its own cost";
    sampler.watchClosely(Millis(0));
    sampler.setPeriod(Millis(250));

    // Apply is held by a lock: the lag grows although the worker receives.
    Result<SqlClient> holder = SqlClient::connect(labConnection(lab.state(), lab.state().primary(Side::Green).port, "tealdeck", "shop"));
    ASSERT_TRUE(holder.ok() && holder->run("begin; lock table tealdeck_sync.marker in share row exclusive mode").ok());
    EXPECT_TRUE(eventually(Millis(6000), [&] { return published.value("lag_seconds.forward").value_or(0) > 1.5; }));
    ASSERT_TRUE(holder->run("rollback").ok());
    EXPECT_TRUE(eventually(Millis(6000), [&] { return published.value("lag_seconds.forward").value_or(99) < 0.5; }));

    // A row that is already there: the transaction that fails is named with its table and its end. Mended, the feed goes on.
    for (const Side side : {Side::Blue, Side::Green}) {
        lab.run(side, "shop", "create table public.clash(id int primary key)");
    }
    lab.run(Side::Green, "shop", "insert into public.clash values (1)");
    lab.run(Side::Blue, "shop", "alter publication tealdeck_lab add table public.clash");
    lab.run(Side::Green, "shop", "alter subscription tealdeck_lab_forward refresh publication with (copy_data = false)");
    lab.run(Side::Blue, "shop", "insert into public.clash values (1)");
    EXPECT_TRUE(eventually(Millis(60000), [&] {
        const std::string error = published.replication("forward/shop", "error");
        return error.find("it changes public.clash and ends at ") != std::string::npos &&
               error.find("\"tealctl skip\" with --lsn ") != std::string::npos;
    })) << published.replication("forward/shop", "error");
    lab.run(Side::Green, "shop", "delete from public.clash");
    EXPECT_TRUE(eventually(Millis(60000), [&] { return published.replication("forward/shop", "state") == "streaming"; }));

    sampler.pause();
    const int quiet = published.count();
    EXPECT_EQ(lab.value(Side::Blue, "shop",
                        "select count(*) from pg_stat_activity where datname = 'shop' and application_name = 'tealdeck/lab/1'"),
              "0");
    EXPECT_FALSE(eventually(Millis(1500), [&] { return published.count() != quiet; })) << "it was to be silent";
    sampler.resume();
    EXPECT_TRUE(eventually(Millis(3000), [&] { return published.count() > quiet; }));

    lab.signalAll("blue-primary", SIGSTOP);
    EXPECT_TRUE(eventually(Millis(10000), [&] {
        return published.value("heartbeat_age.blue").value_or(0) > 1.5 && !published.value("lag_bytes.forward");
    })) << published.values();
    EXPECT_TRUE(published.value("connections.green").has_value()) << "green is still asked";
    const Deadline prompt(Millis(10000)); // a hang would be a hang for ever; how fast it is on a busy machine is no test's business
    sampler.stop();
    EXPECT_FALSE(prompt.passed());
    lab.signalAll("blue-primary", SIGCONT);
    sampler.start();
    EXPECT_TRUE(eventually(Millis(15000), [&] { return published.value("lag_bytes.forward").has_value(); }));
    sampler.stop();
}

} // namespace
} // namespace tealdeck::test
