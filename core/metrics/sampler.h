// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/discovery/discovery.h"
#include "core/metrics/apply_failure.h"
#include "core/metrics/read_probe.h"
#include "core/metrics/router_watch.h"
#include "core/metrics/sampler_cost.h"
#include "core/metrics/sampler_queries.h"
#include "core/model/event.h"
#include "core/postgres/connection.h"
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tealdeck {

/// Watches servers and routers on a thread of its own, with sessions of its own, and tells what it sees as events: Metrics and
/// Replication each period, Topology of both sides and Traffic every two seconds. A value that could not be asked is null, never zero.
/// No server or router can hang it: every statement has a limit, broken sessions are opened again with a growing pause.
///
/// Twice a minute: what changes slowly (see the second paragraph). Once a minute, and only when it changed: Inventory of each server.
///
/// Metrics: lag_bytes.forward|reverse, retained_bytes.blue|green (bytes), lag_seconds.forward|reverse, heartbeat_age.blue|green (seconds;
/// time since that primary last answered), tps.blue|green (commits a second in the plan's databases), connections.blue|green,
/// reads_green_percent, what core/metrics/read_probe.h tells while reads are shared, sampler_ms (how long one sample took),
/// sampler_cpu_percent (what sampling costs this machine, of one core, over ten seconds), router_up.NAME (1: it answered, 0: it did not),
/// pooler_ms.NAME (how long its answer took).
/// Slow ones: xid_age.blue|green (transactions; the worse of xid and multixact), transaction_seconds.blue|green (oldest open or prepared
/// transaction of others), wal_bytes.blue|green (pg_wal), schema_changes.blue|green (how often the definitions in the plan's databases
/// were seen to change since sampling began), commit_ms.blue|green (how long a commit took there, the way to it included),
/// recording_free_bytes (where the recording is written).
class Sampler {
  public:
    using Publish = std::function<void(EventKind, Json)>;
    /// clock: the session's steady time in microseconds; empty: the machine's. publish is called on the
    /// sampler's own thread.
    Sampler(const Connector& connector, std::function<std::int64_t()> clock, Publish publish);
    ~Sampler();
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;

    /// The folder whose free space is recording_free_bytes; the engine's own unless said otherwise. Before start().
    void watchDisk(std::filesystem::path folder) { m_diskFolder = std::move(folder); }
    void start();
    /// Returns within a second, also while a server is frozen.
    void stop();
    /// The time from one sample to the next, 1000 ms unless said otherwise.
    void setPeriod(Millis period);
    /// Ten samples a second for this long from now on: around a switch.
    void watchClosely(Millis span);
    /// The share of the reads that was asked for, shown beside the observed one.
    void setReadsTarget(double percent) { m_readsTarget = percent; }
    [[nodiscard]] double readsTarget() const { return m_readsTarget; }
    /// Asks the routers with the next sample, and takes that now.
    void sampleTrafficSoon();
    /// Where the heartbeat is written: the source of the active direction; std::nullopt: nowhere. The slow metrics are sampled with it, so
    /// that what changes from then on is seen.
    void setHeartbeat(std::optional<Side> source);
    /// For the seconds of a switch: waits until no statement of ours runs (at most a second), closes the sessions with the servers, which
    /// a fence would have to wait for, and asks nothing until resume().
    void pause();
    void resume();

  private:
    void run();
    void sample();
    void sampleSides();
    void sampleReplication();
    void sampleTopology();
    void sampleTraffic();
    void sampleSlow();
    void sampleInventory();
    void tellInventory(Side side, const Endpoint& endpoint, const std::vector<std::string>& databases);
    void sampleSlowSide(Side side, Json& values);
    [[nodiscard]] std::optional<double> schemaChanges(Side side);
    void beat();
    [[nodiscard]] bool markerExists(Side side, const std::string& database);
    [[nodiscard]] bool halted() const { return m_stopping || m_paused; }
    void emit(EventKind kind, Json body) const;

    SamplerCost m_cost;
    const Connector m_connector; ///< counts what it costs
    std::function<std::int64_t()> m_clock;
    Publish m_publish;
    std::filesystem::path m_diskFolder;
    std::atomic<double> m_readsTarget{0};
    std::atomic<bool> m_trafficSoon{false};
    std::atomic<bool> m_rareSoon{false};
    SamplerSessions m_sessions;
    Discovery m_discovery;
    std::vector<std::unique_ptr<PgBouncer>> m_poolers;
    std::vector<std::unique_ptr<Haproxy>> m_balancers;
    RouterWatch m_routers;
    ReadProbe m_reads;
    Json m_values;
    std::map<Side, Result<SideSample>> m_sides; ///< of this sample
    ApplyFailures m_applyFailures;
    std::map<std::pair<Direction, std::string>, std::int64_t> m_noneToldUs; ///< feeds that do not exist: when that was said last
    std::map<Side, CommitCount> m_commits;
    std::map<Side, std::int64_t> m_answeredUs;
    std::map<std::string, HeartbeatWatch> m_heartbeats; ///< by database, of the side where it is written
    std::optional<Side> m_beating;                      ///< that side
    std::set<std::pair<Side, std::string>> m_markers;   ///< databases where the marker table was found
    std::int64_t m_slowUs = 0;                          ///< when Topology and Traffic were last sampled
    std::int64_t m_startedUs = 0;
    std::int64_t m_rareUs = 0;                                     ///< when the slow metrics were last sampled
    std::map<std::pair<Side, std::string>, std::string> m_schemas; ///< fingerprint by database
    std::map<Side, double> m_schemaChanges;
    std::int64_t m_inventoryUs = 0; ///< when the servers' inventories were last asked for
    std::map<std::pair<Side, std::string>, Inventory> m_inventory;

    std::thread m_thread;
    std::mutex m_mutex; ///< guards the period and the heartbeat
    std::condition_variable m_wake;
    Millis m_period{1000};
    std::chrono::steady_clock::time_point m_closeUntil{};
    bool m_closeSoon = false;
    std::optional<Side> m_heartbeat;
    std::atomic<bool> m_stopping{false};
    std::atomic<bool> m_paused{false};
    std::atomic<bool> m_busy{false};
};

} // namespace tealdeck
