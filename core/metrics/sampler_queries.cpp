// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/sampler_queries.h"

#include "core/postgres/sql.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

namespace tealdeck {
namespace {

std::int64_t nowUs() {
    return Clock::system().steadyUs();
}

std::optional<double> number(const Rows& rows, std::size_t column) {
    const std::string text = rows.text(0, column);
    return text.empty() ? std::nullopt : std::optional<double>(std::strtod(text.c_str(), nullptr));
}

/// One statement a side and sample. Slots are read through JSON: 12 has no wal_status, and newer versions add columns. Subscriptions are
/// named with their database, because that may not exist yet.
constexpr const char* SIDE_SQL = R"(
select (select coalesce(sum(xact_commit), 0) from pg_stat_database where datname in ({databases})),
       (select count(*) from pg_stat_activity where backend_type = 'client backend' and application_name not like 'tealdeck/%'),
       extract(epoch from clock_timestamp()),
       (select coalesce(json_object_agg(slot_name, json_build_array(
                 greatest(pg_wal_lsn_diff(w.lsn, confirmed_flush_lsn), 0), greatest(pg_wal_lsn_diff(w.lsn, restart_lsn), 0), active,
                 coalesce(to_jsonb(s)->>'wal_status', ''), coalesce(to_jsonb(s)->>'invalidation_reason', ''))), '{{}}')
          from pg_replication_slots s,
               (select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as lsn) w
         where slot_name in ({slots})),
       (select coalesce(json_agg(json_build_array(s.subname, d.datname)), '[]')
          from pg_subscription s join pg_database d on d.oid = s.subdbid where s.subname in ({subscriptions})))";

/// {} is the heartbeat that this side has seen, or null where the marker's table is not there.
constexpr const char* SUBSCRIPTION_SQL = R"(
select s.subenabled, count(r.srrelid) filter (where r.srsubstate = 'r'), count(r.srrelid),
       exists (select from pg_stat_subscription t where t.subid = s.oid and t.relid is null and t.pid is not null),
       coalesce(min(r.srrelid::regclass::text) filter (where r.srsubstate <> 'r'), ''), {}
  from pg_subscription s left join pg_subscription_rel r on r.srsubid = s.oid
 where s.subname = $1 and s.subdbid = (select oid from pg_database where datname = current_database()) group by s.oid, s.subenabled)";
constexpr const char* SEEN_SQL = "(select extract(epoch from at) from tealdeck_sync.marker where id = 3)";

void readSlot(const Json& slot, ReplicationState& state, bool& active) {
    const auto text = [&](std::size_t i) { return slot.at(i).is_string() ? slot.at(i).get<std::string>() : std::string(); };
    const auto bytes = [&](std::size_t i) { return slot.at(i).is_number() ? std::optional(slot.at(i).get<double>()) : std::nullopt; };
    state.lagBytes = bytes(0);
    state.retainedBytes = bytes(1);
    active = slot.at(2) == true;
    const std::string status = text(3);
    const std::string invalidated = text(4);
    state.slot = !invalidated.empty() ? "lost" : status; // 12 does not tell
    if (status == "lost" || !invalidated.empty()) {
        state.error = fmt::format("The slot is lost{}: the WAL it needs is gone, so this direction must be made again.",
                                  invalidated.empty() ? "" : " (" + invalidated + ")");
    } else if (status == "unreserved") {
        state.error = "The slot is about to be lost: it holds more WAL than max_slot_wal_keep_size allows.";
    }
}

void readSubscription(const Rows& subscription, bool slotActive, ReplicationState& state) {
    const bool enabled = subscription.text(0, 0) == "t";
    const bool worker = subscription.text(0, 3) == "t";
    state.tablesReady = static_cast<int>(number(subscription, 1).value_or(0));
    state.tablesTotal = static_cast<int>(number(subscription, 2).value_or(0));
    if (!enabled) {
        state.state = "prepared";
    } else if (state.tablesReady < state.tablesTotal) {
        state.state = "copying";
    } else {
        state.state = worker && slotActive ? "streaming" : "stopped";
    }
    if (enabled && !worker && state.error.empty()) {
        state.error = "The subscription's worker does not run" +
                      (subscription.text(0, 4).empty() ? std::string() : "; not ready: " + subscription.text(0, 4)) + ".";
    }
}

} // namespace

double millisSince(std::int64_t steadyUs) {
    return std::round(static_cast<double>(Clock::system().steadyUs() - steadyUs) / 100.0) / 10;
}

Result<Rows> SamplerSessions::query(Side side, const std::string& database, const std::string& sql, const Parameters& parameters,
                                    Millis limit) {
    const Deadline deadline(limit);
    const auto interrupted = [] { return Error{Error::Kind::Refused, "Sampling is halted.", {}, {}}; };
    if (const auto alone = m_leftAlone.find(side); alone != m_leftAlone.end() && nowUs() < alone->second.first) {
        return Error{Error::Kind::Unavailable, alone->second.second, {}, {}};
    }
    {
        const std::lock_guard lock(m_mutex);
        if (m_interrupted) {
            return interrupted();
        }
    }
    Entry& entry = m_entries[{side, database}];
    if (!entry.connection || entry.connection->broken()) {
        if (nowUs() < entry.notBeforeUs) {
            return Error{Error::Kind::Unavailable, entry.reason, {}, {}};
        }
        Result<std::unique_ptr<Connection>> opened = m_connector.primary(side, database, deadline.left());
        if (!opened) {
            entry.reason = opened.error().message;
            entry.notBeforeUs = nowUs() + entry.backOff.count() * 1000;
            entry.backOff = std::min(entry.backOff * 2, MAX_BACK_OFF);
            if (opened.error().kind == Error::Kind::Timeout) {
                m_leftAlone[side] = {entry.notBeforeUs, entry.reason}; // its other databases would hang as well
            }
            return opened.error();
        }
        entry.connection = std::move(*opened);
        entry.backOff = Millis(250);
    }
    {
        const std::lock_guard lock(m_mutex);
        if (m_interrupted) {
            return interrupted();
        }
        m_current = entry.connection;
    }
    Result<Rows> rows = entry.connection->query(sql, parameters, deadline.left());
    {
        const std::lock_guard lock(m_mutex);
        m_current.reset();
    }
    if (!rows && rows.error().kind == Error::Kind::Timeout) {
        m_leftAlone[side] = {nowUs() + 1'000'000, rows.error().message};
    }
    return rows;
}

void SamplerSessions::interrupt() {
    const std::lock_guard lock(m_mutex);
    m_interrupted = true;
    if (m_current) {
        m_current->breakOff();
    }
}

void SamplerSessions::allow() {
    const std::lock_guard lock(m_mutex);
    m_interrupted = false;
}

void SamplerSessions::close() {
    m_entries.clear();
}

int SamplerSessions::serverVersion(Side side, const std::string& database) const {
    const auto it = m_entries.find({side, database});
    return it != m_entries.end() && it->second.connection ? it->second.connection->serverVersion() : 0;
}

void HeartbeatWatch::written(double at) {
    unseen.push_back(at);
    if (unseen.size() > 10000) { // the oldest is what counts; those in the middle can go
        unseen.erase(unseen.begin() + 1);
    }
}

std::optional<double> HeartbeatWatch::lag(std::optional<double> seen, double now) {
    std::optional<double> newest;
    while (seen && !unseen.empty() && unseen.front() <= *seen) {
        newest = unseen.front();
        unseen.pop_front();
    }
    if (!unseen.empty()) {
        return std::max(0.0, now - unseen.front());
    }
    // All have arrived: since the newest was written no more than this has passed.
    return newest ? std::optional<double>(std::max(0.0, now - *newest)) : seen ? std::optional<double>(0.0) : std::nullopt;
}

Result<SideSample> sampleSide(SamplerSessions& sessions, const Plan& plan, Side side) {
    std::string databases;
    std::string slots;
    std::string subscriptions;
    const auto add = [](std::string& list, const std::string& name) { list += (list.empty() ? "" : ", ") + quoteLiteral(name); };
    for (const Direction direction : {Direction::Forward, Direction::Reverse}) {
        add(subscriptions, subscriptionName(plan, direction));
        for (const std::string& database : plan.databases) {
            add(slots, slotName(plan, direction, database));
        }
    }
    for (const std::string& database : plan.databases) {
        add(databases, database);
    }
    SideSample sample;
    sample.askedUs = nowUs();
    const Result<Rows> rows = sessions.query(side, plan.side(side).primary.database,
                                             fmt::format(fmt::runtime(SIDE_SQL), fmt::arg("databases", databases), fmt::arg("slots", slots),
                                                         fmt::arg("subscriptions", subscriptions)));
    if (!rows) {
        return rows.error();
    }
    sample.commits = number(*rows, 0).value_or(0);
    sample.connections = number(*rows, 1).value_or(0);
    sample.clock = number(*rows, 2).value_or(0);
    sample.slots = parseJson(rows->text(0, 3)).value_or(Json::object());
    sample.subscriptions = parseJson(rows->text(0, 4)).value_or(Json::array());
    return sample;
}

double clockNow(const SideSample& sample) {
    return sample.clock + static_cast<double>(nowUs() - sample.askedUs) / 1e6;
}

LinkSample sampleLink(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database,
                      const Result<SideSample>& source, const Result<SideSample>& destination, bool withMarker) {
    LinkSample sample;
    ReplicationState& state = sample.state;
    state.database = database;
    state.direction = directionName(direction);
    const std::string name = subscriptionName(plan, direction);
    const Side to = destinationOf(direction);
    const std::string slot = slotName(plan, direction, database);
    const bool hasSlot = source.ok() && source->slots.contains(slot);
    bool active = false;
    if (!source) {
        state.error = source.error().message;
    } else if (hasSlot) {
        readSlot(source->slots.at(slot), state, active);
    }
    if (!destination) {
        state.error = state.error.empty() ? destination.error().message : state.error;
        state.state = "stopped";
        return sample;
    }
    const Json subscribed = Json::array({name, database});
    if (std::find(destination->subscriptions.begin(), destination->subscriptions.end(), subscribed) == destination->subscriptions.end()) {
        state.state = hasSlot ? "prepared" : "none";
        return sample;
    }
    const auto ask = [&](bool marker) {
        return sessions.query(to, database, fmt::format(fmt::runtime(SUBSCRIPTION_SQL), marker ? SEEN_SQL : "null"), {name});
    };
    Result<Rows> subscription = ask(withMarker);
    if (withMarker && !subscription && subscription.error().sqlstate == "42P01") {
        sample.markerGone = true;
        subscription = ask(false);
    }
    if (!subscription) {
        state.error = state.error.empty() ? subscription.error().message : state.error;
        state.state = "stopped";
        return sample;
    }
    if (subscription->empty()) {
        state.state = hasSlot ? "prepared" : "none";
        return sample;
    }
    sample.seen = number(*subscription, 5);
    readSubscription(*subscription, active || !source, state);
    if (source && !hasSlot) {
        state.slot = "missing";
        state.error = "The slot on the publisher is missing: this direction must be made again.";
        state.state = state.state == "prepared" ? "prepared" : "stopped";
    }
    return sample;
}

} // namespace tealdeck
