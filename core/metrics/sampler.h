// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/discovery/discovery.h"
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
/// Metrics: lag_bytes.forward|reverse, retained_bytes.blue|green (bytes), lag_seconds.forward|reverse, heartbeat_age.blue|green (seconds;
/// time since that primary last answered), tps.blue|green (commits a second in the plan's databases), connections.blue|green,
/// reads_green_percent, sampler_ms (what one sample cost).
class Sampler {
  public:
    struct Options {
        Millis period{1000};
        std::function<std::int64_t()> steadyUs;       ///< the session's clock; empty: the machine's
        std::function<void(EventKind, Json)> publish; ///< called on the sampler's thread
        std::function<double()> readsGreenTarget;     ///< for Traffic; may be empty
    };
    /// The connector is borrowed and must outlive the sampler.
    Sampler(const Connector& connector, Options options);
    ~Sampler();
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;

    void start();
    /// Returns within a second, also while a server is frozen.
    void stop();
    /// 250 ms around a cutover, 1000 ms else.
    void setPeriod(Millis period);
    /// Where the heartbeat is written: the source of the active direction; std::nullopt: nowhere.
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
    void beat();
    [[nodiscard]] bool markerExists(Side side, const std::string& database);
    [[nodiscard]] std::optional<double> lagSeconds(Direction direction, const std::string& database);
    [[nodiscard]] bool halted() const { return m_stopping || m_paused; }
    void emit(EventKind kind, Json body) const;

    const Connector& m_connector;
    Options m_options;
    SamplerSessions m_sessions;
    Discovery m_discovery;
    std::vector<std::unique_ptr<PgBouncer>> m_poolers;
    std::vector<std::unique_ptr<Haproxy>> m_balancers;
    Json m_values;
    std::map<Side, CommitCount> m_commits;
    std::map<Side, std::int64_t> m_answeredUs;
    std::map<std::string, HeartbeatWatch> m_heartbeats; ///< by database, of the side where it is written
    std::optional<Side> m_beating;                      ///< that side
    std::set<std::pair<Side, std::string>> m_markers;   ///< databases where the marker table was found
    std::int64_t m_slowUs = 0;                          ///< when Topology and Traffic were last sampled
    std::int64_t m_startedUs = 0;

    std::thread m_thread;
    std::mutex m_mutex; ///< guards the period and the heartbeat
    std::condition_variable m_wake;
    Millis m_period;
    std::optional<Side> m_heartbeat;
    std::atomic<bool> m_stopping{false};
    std::atomic<bool> m_paused{false};
    std::atomic<bool> m_busy{false};
};

} // namespace tealdeck
