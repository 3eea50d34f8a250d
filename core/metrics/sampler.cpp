// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/sampler.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis FEED_PERIOD{1000};
constexpr Millis ROUTER_PERIOD{2000};
constexpr Millis ROUTER_LIMIT{1000};

Json nodeList(const std::vector<Node>& nodes) {
    Json list = Json::array();
    for (const Node& node : nodes) {
        list.push_back(toJson(node));
    }
    return list;
}

std::optional<double> worst(const std::vector<ReplicationState>& links, const char* direction, std::optional<double> ReplicationState::*value) {
    std::optional<double> result;
    for (const ReplicationState& link : links) {
        if (link.direction != direction || link.state == "none") {
            continue;
        }
        if (!(link.*value)) {
            return std::nullopt; // one unknown makes the whole unknown
        }
        result = std::max(result.value_or(0), *(link.*value));
    }
    return result;
}

} // namespace

Sampler::Sampler(const Connector& connector, std::function<std::int64_t()> clock, Publish publish)
    : m_connector(connector), m_clock(std::move(clock)), m_publish(std::move(publish)), m_discovery(connector, m_clock), m_links(connector) {
    for (const PgBouncerPlan& pooler : connector.plan().pgbouncers) {
        m_poolers.push_back(std::make_unique<PgBouncer>(pooler, connector.plan()));
    }
    for (const HaproxyPlan& balancer : connector.plan().haproxies) {
        m_balancers.push_back(std::make_unique<Haproxy>(balancer));
    }
}

Sampler::~Sampler() { stop(); }

void Sampler::start() {
    m_feeds = std::thread([this] { watchFeeds(); });
    m_routers = std::thread([this] { watchRouters(); });
}

void Sampler::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    for (std::thread* thread : {&m_feeds, &m_routers}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

void Sampler::setHeartbeat(std::optional<Side> source) { m_links.setHeartbeat(source); }
void Sampler::setReadsTarget(double percent) { m_readsTarget = percent; }

void Sampler::pause() {
    m_paused = true;
    const std::lock_guard lock(m_busy); // what was under way has ended
}

void Sampler::resume() {
    m_paused = false;
    m_wake.notify_all();
}

void Sampler::sampleTrafficSoon() {
    m_trafficSoon = true;
    m_wake.notify_all();
}

/// False when the sampler is to stop.
bool Sampler::sleepFor(Millis time, const std::atomic<bool>* early) {
    std::unique_lock lock(m_mutex);
    m_wake.wait_for(lock, time, [&] { return m_stopping || (early != nullptr && *early); });
    return !m_stopping;
}

void Sampler::watchFeeds() {
    do {
        const std::lock_guard lock(m_busy);
        if (!m_paused) {
            sampleFeeds();
        }
    } while (sleepFor(FEED_PERIOD, nullptr));
}

void Sampler::watchRouters() {
    do {
        m_trafficSoon = false;
        sampleRouters();
        const std::lock_guard lock(m_busy);
        if (!m_paused) {
            sampleSides();
        }
    } while (sleepFor(ROUTER_PERIOD, &m_trafficSoon));
}

void Sampler::sampleFeeds() {
    const std::int64_t now = m_clock();
    const LinkSample sample = m_links.sample(now);
    for (const ReplicationState& link : sample.links) {
        m_publish(EventKind::Replication, toJson(link));
    }
    Json values = Json::object();
    const char* sides[] = {"blue", "green"};
    for (int i = 0; i < 2; ++i) {
        if (sample.answered[i]) {
            m_answeredUs[i] = now;
        }
        values[fmt::format("transactions.{}", sides[i])] = orNull(sample.transactions[i]);
        values[fmt::format("connections.{}", sides[i])] = orNull(sample.connections[i]);
        values[fmt::format("retained_bytes.{}", sides[i])] = orNull(sample.retainedBytes[i]);
        values[fmt::format("heartbeat_age.{}", sides[i])] = m_answeredUs[i] < 0 ? Json(nullptr) : Json(static_cast<double>(now - m_answeredUs[i]) / 1e6);
        std::optional<double> rate;
        if (sample.transactions[i] && m_last[i].transactions && now > m_last[i].atUs && *sample.transactions[i] >= *m_last[i].transactions) {
            rate = (*sample.transactions[i] - *m_last[i].transactions) * 1e6 / static_cast<double>(now - m_last[i].atUs);
        }
        m_last[i] = {sample.transactions[i], now};
        values[fmt::format("tps.{}", sides[i])] = orNull(rate);
    }
    for (const char* direction : {"forward", "reverse"}) {
        values[fmt::format("lag_bytes.{}", direction)] = orNull(worst(sample.links, direction, &ReplicationState::lagBytes));
        values[fmt::format("lag_seconds.{}", direction)] = orNull(worst(sample.links, direction, &ReplicationState::lagSeconds));
    }
    m_publish(EventKind::Metrics, {{"values", values}});
}

void Sampler::sampleSides() {
    for (const Side side : {Side::Blue, Side::Green}) {
        m_publish(EventKind::Topology, {{"side", sideName(side)}, {"nodes", nodeList(m_discovery.nodes(side))}});
    }
}

void Sampler::sampleRouters() {
    TrafficState traffic;
    traffic.sampledUs = m_clock();
    traffic.readsGreenTarget = m_readsTarget;
    traffic.writesTo = m_poolers.empty() ? "unknown" : "";
    for (const auto& pooler : m_poolers) {
        const Result<PoolerStatus> status = pooler->status(ROUTER_LIMIT);
        std::string to = "unknown";
        if (!status) {
            traffic.poolers.push_back(pooler->name() + ": " + status.error().message);
        } else {
            const Result<Side> side = pooler->targetOf(*status);
            to = side.ok() ? sideName(*side) : "unknown";
            for (const PoolerDatabase& database : status->databases) {
                const auto& ours = pooler->instance().databases;
                if (std::find(ours.begin(), ours.end(), database.name) == ours.end()) {
                    continue;
                }
                to = database.paused ? "paused" : to;
                traffic.poolers.push_back(fmt::format("{}: {} → {}:{}, {}", pooler->name(), database.name, database.host, database.port, database.paused ? "paused" : "active"));
            }
        }
        traffic.writesTo = traffic.writesTo.empty() || traffic.writesTo == to ? to : "unknown";
    }
    double share = 0;
    int known = 0;
    for (const auto& balancer : m_balancers) {
        if (const Result<ObservedShare> observed = balancer->observedGreenShare(ROUTER_LIMIT); observed.ok()) {
            share += observed->percent;
            ++known;
            traffic.detail = observed->measured ? "share counted from new sessions" : "share from the balancer's weights";
        } else {
            traffic.detail = observed.error().message;
        }
    }
    if (known > 0 && known == static_cast<int>(m_balancers.size())) {
        traffic.readsGreenPercent = share / known;
    }
    m_publish(EventKind::Traffic, toJson(traffic));
    m_publish(EventKind::Metrics, {{"values", {{"reads_green_percent", orNull(traffic.readsGreenPercent)}}}});
}

} // namespace tealdeck
