// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/discovery/discovery.h"
#include "core/metrics/link_sampler.h"
#include "core/model/event.h"
#include "core/postgres/connection.h"
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace tealdeck {

/// Watches a deployment: metrics and feeds every second, servers and routers every two. It also writes the heartbeat row whose age on the
/// destination is the true lag. Has threads, sessions and routers' connections of its own, and never waits longer than its limits.
class Sampler {
  public:
    using Publish = std::function<void(EventKind, Json)>;
    /// clock: steady time of the session in microseconds. Everything is borrowed.
    Sampler(const Connector& connector, std::function<std::int64_t()> clock, Publish publish);
    ~Sampler();
    void start();
    /// Returns within about a second.
    void stop();
    /// Where the heartbeat is written; std::nullopt: nowhere.
    void setHeartbeat(std::optional<Side> source);
    /// The share of the reads that was asked for, to be shown beside the observed one.
    void setReadsTarget(double percent);
    /// Stops writing and asking the primaries for the seconds of a switch; returns when nothing of it is under way.
    void pause();
    void resume();
    void sampleTrafficSoon();

  private:
    void watchFeeds();
    void watchRouters();
    void sampleFeeds();
    void sampleSides();
    void sampleRouters();
    bool sleepFor(Millis time, const std::atomic<bool>* early);

    const Connector& m_connector;
    std::function<std::int64_t()> m_clock;
    Publish m_publish;
    Discovery m_discovery;
    LinkSampler m_links;
    std::vector<std::unique_ptr<PgBouncer>> m_poolers;
    std::vector<std::unique_ptr<Haproxy>> m_balancers;
    std::mutex m_busy; ///< held while the primaries are asked: pause() waits for it
    std::atomic<bool> m_paused{false};
    std::atomic<bool> m_trafficSoon{false};
    std::atomic<double> m_readsTarget{0};
    std::mutex m_mutex; ///< guards m_stopping
    std::condition_variable m_wake;
    bool m_stopping = false;
    struct Counter {
        std::optional<double> transactions;
        std::int64_t atUs = 0;
    };
    Counter m_last[2]; ///< by side, for rates
    std::int64_t m_answeredUs[2] = {-1, -1}; ///< by side: when the primary last answered
    std::thread m_feeds;
    std::thread m_routers;
};

} // namespace tealdeck
