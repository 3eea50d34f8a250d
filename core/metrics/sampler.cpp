// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace tealdeck {
namespace {

constexpr std::int64_t SLOW_PERIOD_US = 2'000'000;
constexpr std::int64_t NONE_PERIOD_US = 5'000'000;
constexpr std::int64_t RARE_PERIOD_US = 30'000'000;
constexpr std::int64_t INVENTORY_PERIOD_US = 60'000'000;
constexpr Millis CLOSE_PERIOD{100};
constexpr Millis ROUTER_LIMIT{500};
constexpr Millis NODE_LIMIT{700};
/// Row 3 of this table is the heartbeat's; the cutover's markers are 1 and 2.
constexpr const char* TABLE_SQL = "select to_regclass('tealdeck_sync.marker') is not null";

/// The worst database speaks for a direction; one that is unknown makes the whole unknown.
void addUp(Json& values, std::set<std::string>& unknown, const std::string& name, std::optional<double> more) {
    if (!more) {
        unknown.insert(name);
    }
    const auto before = optionalNumber(values, name.c_str());
    values[name] = unknown.count(name) > 0 ? Json(nullptr) : Json(std::max(before.value_or(*more), *more));
}

} // namespace

Sampler::Sampler(const Connector& connector, std::function<std::int64_t()> clock, Publish publish)
    : m_connector(m_cost.counted(connector)), m_clock(std::move(clock)), m_publish(std::move(publish)), m_sessions(m_connector),
      m_discovery(m_connector, m_clock), m_routers(connector.plan()), m_reads(connector.plan()) {
    if (!m_clock) {
        m_clock = [] { return Clock::system().steadyUs(); };
    }
    m_diskFolder = connector.plan().engineFolder;
    for (const PgBouncerPlan& pooler : connector.plan().pgbouncers) {
        m_poolers.push_back(std::make_unique<PgBouncer>(pooler, connector.plan()));
    }
    for (const HaproxyPlan& balancer : connector.plan().haproxies) {
        m_balancers.push_back(std::make_unique<Haproxy>(balancer));
    }
}

Sampler::~Sampler() {
    stop();
}

void Sampler::start() {
    if (!m_thread.joinable()) {
        m_stopping = false;
        m_sessions.allow();
        m_thread = std::thread([this] { run(); });
    }
}

void Sampler::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    m_sessions.interrupt();
    if (m_thread.joinable()) {
        m_thread.join();
    }
}

void Sampler::setPeriod(Millis period) {
    {
        const std::lock_guard lock(m_mutex);
        m_period = period;
    }
    m_wake.notify_all();
}

void Sampler::watchClosely(Millis span) {
    {
        const std::lock_guard lock(m_mutex);
        m_closeUntil = std::chrono::steady_clock::now() + span;
        m_closeSoon = true;
    }
    m_wake.notify_all();
}

void Sampler::sampleTrafficSoon() {
    {
        const std::lock_guard lock(m_mutex);
        m_trafficSoon = true;
    }
    m_wake.notify_all();
}

void Sampler::setHeartbeat(std::optional<Side> source) {
    const std::lock_guard lock(m_mutex);
    m_heartbeat = source;
    m_rareSoon = true;
}

void Sampler::pause() {
    std::unique_lock lock(m_mutex);
    m_paused = true;
    if (m_wake.wait_for(lock, Millis(1000), [&] { return !m_busy || m_stopping; })) {
        m_sessions.close(); // the sampler's thread waits: it does not use them
    } else {
        m_sessions.interrupt();
    }
}

void Sampler::resume() {
    {
        const std::lock_guard lock(m_mutex);
        m_paused = false;
    }
    m_sessions.allow();
    m_wake.notify_all();
}

void Sampler::run() {
    m_startedUs = m_clock();
    auto next = std::chrono::steady_clock::now();
    for (;;) {
        {
            std::unique_lock lock(m_mutex);
            m_busy = false;
            m_wake.notify_all();
            const Millis period = m_period;
            m_wake.wait_until(lock, next, [&] { return m_stopping || m_period != period || m_trafficSoon || m_closeSoon; });
            m_closeSoon = false;
            m_wake.wait(lock, [&] { return m_stopping || !m_paused; });
            if (m_stopping) {
                return;
            }
            m_busy = true;
            // A sample that took longer than the period is not made up for.
            const auto now = std::chrono::steady_clock::now();
            const bool close = now < m_closeUntil;
            next = std::max((close ? std::min(next, now) : next) + (close ? CLOSE_PERIOD : m_period), now + Millis(50));
        }
        sample();
    }
}

void Sampler::emit(EventKind kind, Json body) const {
    if (!m_stopping && m_publish) {
        m_publish(kind, std::move(body));
    }
}

void Sampler::sample() {
    const std::int64_t began = Clock::system().steadyUs();
    static const std::vector<std::string> names = {
        "lag_bytes.forward",    "lag_bytes.reverse",  "lag_seconds.forward", "lag_seconds.reverse", "retained_bytes.blue",
        "retained_bytes.green", "tps.blue",           "tps.green",           "connections.blue",    "connections.green",
        "heartbeat_age.blue",   "heartbeat_age.green"};
    const Json reads = m_values.contains("reads_green_percent") ? m_values["reads_green_percent"] : Json(nullptr);
    m_values = Json::object();
    for (const std::string& name : names) {
        m_values[name] = nullptr; // unknown until somebody said otherwise
    }
    m_values["reads_green_percent"] = reads;
    beat();
    for (const auto part : {&Sampler::sampleSides, &Sampler::sampleReplication}) {
        if (!halted()) {
            (this->*part)();
        }
    }
    const bool soon = m_trafficSoon.exchange(false);
    if (soon) {
        m_routers.soon();
    }
    if (!halted() && (soon || m_slowUs == 0 || began - m_slowUs >= SLOW_PERIOD_US)) {
        m_slowUs = began;
        sampleTraffic();
        if (!halted()) {
            sampleTopology();
        }
    }
    if (halted()) {
        return; // half a sample would show servers as silent that were not asked
    }
    if (m_rareSoon.exchange(false) || m_rareUs == 0 || began - m_rareUs >= RARE_PERIOD_US) {
        m_rareUs = began;
        sampleSlow();
    }
    m_values["sampler_cpu_percent"] = orNull(m_cost.percent(Clock::system().steadyUs()));
    m_values["sampler_ms"] = static_cast<double>(Clock::system().steadyUs() - began) / 1000.0;
    emit(EventKind::Metrics, {{"values", m_values}});
    if (m_inventoryUs == 0 || began - m_inventoryUs >= INVENTORY_PERIOD_US) {
        sampleInventory();
        m_inventoryUs = halted() ? 0 : began;
    }
}

void Sampler::sampleSides() {
    for (const Side side : {Side::Blue, Side::Green}) {
        const std::string suffix = std::string(".") + sideName(side);
        m_sides.insert_or_assign(side, sampleSide(m_sessions, m_connector.plan(), side));
        const Result<SideSample>& now = m_sides.at(side);
        const std::int64_t at = m_clock();
        if (now) {
            m_values["connections" + suffix] = now->connections;
            const auto before = m_commits.find(side);
            // Counters fall when statistics are reset or the server crashed.
            if (before != m_commits.end() && at > before->second.atUs && now->commits >= before->second.commits) {
                const double tps = (now->commits - before->second.commits) * 1e6 / static_cast<double>(at - before->second.atUs);
                m_values["tps" + suffix] = std::round(tps * 1000) / 1000; // more digits say nothing and fill the recording
            }
            m_commits[side] = {now->commits, at};
            m_answeredUs[side] = at;
        } else {
            m_commits.erase(side);
        }
        const auto answered = m_answeredUs.find(side);
        m_values["heartbeat_age" + suffix] =
            static_cast<double>(at - (answered != m_answeredUs.end() ? answered->second : m_startedUs)) / 1e6;
    }
}

bool Sampler::markerExists(Side side, const std::string& database) {
    if (m_markers.count({side, database}) == 0) {
        const Result<Rows> there = m_sessions.query(side, database, TABLE_SQL);
        if (!there || there->text(0, 0) != "t") {
            return false;
        }
        m_markers.insert({side, database});
    }
    return true;
}

void Sampler::beat() {
    std::optional<Side> source;
    {
        const std::lock_guard lock(m_mutex);
        source = m_heartbeat;
    }
    if (source != m_beating) {
        m_heartbeats.clear();
        m_beating = source;
    }
    for (const std::string& database : m_connector.plan().databases) {
        if (!source || halted() || !markerExists(*source, database)) {
            continue;
        }
        // Asynchronous: the beat must not wait for a disk or a standby, and a lost beat is followed by the next.
        const Result<Rows> at = m_sessions.query(*source, database,
                                                 "with s as materialized (select set_config('synchronous_commit', 'off', false)) insert "
                                                 "into tealdeck_sync.marker(id, at) select 3, clock_timestamp() from s "
                                                 "on conflict (id) do update set at = excluded.at returning extract(epoch from at)");
        if (at && at->single()) {
            m_heartbeats[database].written(std::strtod(at->single()->c_str(), nullptr));
        } else if (!at && at.error().sqlstate == "42P01") {
            m_markers.erase({*source, database});
        }
    }
}

void Sampler::sampleReplication() {
    std::set<std::string> unknown;
    for (const Direction direction : {Direction::Forward, Direction::Reverse}) {
        const std::string suffix = std::string(".") + directionName(direction);
        for (const std::string& database : m_connector.plan().databases) {
            if (halted()) {
                return;
            }
            // Without a heartbeat on this way its last beat only grows old.
            const bool beats = m_beating == sourceOf(direction) && markerExists(destinationOf(direction), database);
            const Result<SideSample>& source = m_sides.at(sourceOf(direction));
            const LinkSample link =
                sampleLink(m_sessions, m_connector.plan(), direction, database, source, m_sides.at(destinationOf(direction)), beats);
            ReplicationState state = link.state;
            if (state.state == "stopped" && source && state.slot != "missing" && state.slot != "lost") {
                const ApplyFailure failure = m_applyFailures.describe(m_sessions, m_connector.plan(), direction, database);
                state.error = failure.text.empty() ? state.error : failure.text;
                state.failedLsn = failure.lsn;
            } else if (state.state == "streaming") {
                m_applyFailures.recovered(direction, database);
            }
            if (link.markerGone) {
                m_markers.erase({destinationOf(direction), database});
            } else if (beats && source && state.state != "none" && state.state != "prepared") {
                // Both times are the source's, so that the clocks of two machines are never compared.
                state.lagSeconds = m_heartbeats[database].lag(link.seen, clockNow(*source));
            }
            state.sampledUs = m_clock();
            if (halted()) {
                return;
            }
            if (state.state == "none") {
                // That there is still nothing need not be told each second.
                std::int64_t& told = m_noneToldUs[{direction, database}];
                if (told != 0 && state.sampledUs - told < NONE_PERIOD_US) {
                    continue;
                }
                told = state.sampledUs;
            } else {
                m_noneToldUs.erase({direction, database});
                addUp(m_values, unknown, "lag_bytes" + suffix, state.lagBytes);
                addUp(m_values, unknown, "lag_seconds" + suffix, state.lagSeconds);
                addUp(m_values, unknown, std::string("retained_bytes.") + sideName(sourceOf(direction)), state.retainedBytes);
            }
            emit(EventKind::Replication, toJson(state));
        }
    }
}

void Sampler::sampleTopology() {
    for (const Side side : {Side::Blue, Side::Green}) {
        Json nodes = Json::array();
        for (const Node& node : m_discovery.nodes(side, NODE_LIMIT)) {
            nodes.push_back(toJson(node));
        }
        if (halted()) {
            return;
        }
        emit(EventKind::Topology, {{"side", sideName(side)}, {"nodes", nodes}});
    }
}

void Sampler::sampleTraffic() {
    TrafficState traffic;
    std::set<std::string> targets;
    for (const auto& pooler : m_poolers) {
        if (halted()) {
            return;
        }
        const std::int64_t asked = Clock::system().steadyUs();
        const Result<std::vector<PoolerDatabase>> databases = pooler->databases(ROUTER_LIMIT);
        m_values["pooler_ms." + pooler->name()] = databases ? Json(millisSince(asked)) : Json(nullptr);
        m_values["router_up." + pooler->name()] = databases.ok() ? 1 : 0;
        if (!databases) {
            targets.insert("unknown");
            traffic.poolers.push_back(fmt::format("{}: {}", pooler->name(), databases.error().message));
            continue;
        }
        bool paused = false;
        for (const PoolerDatabase& database : *databases) {
            const auto& ours = pooler->instance().databases;
            if (std::find(ours.begin(), ours.end(), database.name) != ours.end()) {
                paused = paused || database.paused;
                traffic.poolers.push_back(fmt::format("{}: {} → {}:{}, {}", pooler->name(), database.name, database.host, database.port,
                                                      database.paused     ? "paused"
                                                      : database.disabled ? "disabled"
                                                                          : "active"));
            }
        }
        const Result<Side> target = pooler->targetOf(*databases);
        targets.insert(paused ? "paused" : target ? sideName(*target) : "unknown");
        traffic.detail = target ? traffic.detail : target.error().message;
    }
    m_routers.look(m_clock(), ROUTER_LIMIT,
                   [&](const std::string& name, const Result<std::optional<Side>>& target, const std::string& line) {
                       m_values["router_up." + name] = target.ok() ? 1 : 0;
                       targets.insert(!target ? "unknown" : *target ? sideName(**target) : "paused");
                       traffic.poolers.push_back(line);
                       traffic.detail = target ? traffic.detail : target.error().message;
                   });
    traffic.writesTo = targets.size() == 1 ? *targets.begin() : "unknown";
    std::optional<double> share;
    for (const auto& balancer : m_balancers) {
        const Result<ObservedShare> observed = balancer->observedGreenShare(ROUTER_LIMIT);
        m_values["router_up." + balancer->name()] = observed.ok() ? 1 : 0;
        if (!observed) {
            share.reset();
            traffic.detail = observed.error().message;
            break;
        }
        share = std::max(share.value_or(0), observed->percent);
    }
    traffic.readsGreenPercent = share;
    traffic.readsGreenTarget = m_readsTarget;
    traffic.sampledUs = m_clock();
    m_values["reads_green_percent"] = orNull(share);
    m_reads.look(m_readsTarget, m_clock(), m_values);
    if (!halted()) {
        emit(EventKind::Traffic, toJson(traffic));
    }
}

} // namespace tealdeck
