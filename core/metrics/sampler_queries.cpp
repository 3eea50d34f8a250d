// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/sampler_queries.h"

#include "core/postgres/sql.h"

#include <algorithm>
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

/// Read through JSON: 12 has no wal_status, and newer versions add columns.
constexpr const char* SLOT_SQL = R"(
select greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0), greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0), active,
       coalesce(to_jsonb(s)->>'wal_status', ''), coalesce(to_jsonb(s)->>'invalidation_reason', '')
  from pg_replication_slots s where slot_name = $1)";

/// Asked outside the database, because before replication it does not exist.
constexpr const char* EXISTS_SQL =
    "select 1 from pg_subscription s join pg_database d on d.oid = s.subdbid where s.subname = $1 and d.datname = $2";

constexpr const char* SUBSCRIPTION_SQL = R"(
select s.subenabled, count(r.srrelid) filter (where r.srsubstate = 'r'), count(r.srrelid),
       exists (select from pg_stat_subscription t where t.subid = s.oid and t.relid is null and t.pid is not null), coalesce(min(r.srrelid::regclass::text) filter (where r.srsubstate <> 'r'), '')
  from pg_subscription s left join pg_subscription_rel r on r.srsubid = s.oid
 where s.subname = $1 and s.subdbid = (select oid from pg_database where datname = current_database()) group by s.oid, s.subenabled)";

constexpr const char* ERRORS_SQL =
    "select apply_error_count from pg_stat_subscription_stats where subname = $1 and subid in "
    "(select oid from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()))";

void readSlot(const Rows& slot, ReplicationState& state, bool& active) {
    state.lagBytes = number(slot, 0);
    state.retainedBytes = number(slot, 1);
    active = slot.text(0, 2) == "t";
    const std::string status = slot.text(0, 3);
    state.slot = !slot.text(0, 4).empty() ? "lost" : status; // 12 does not tell
    if (status == "lost" || !slot.text(0, 4).empty()) {
        state.error = fmt::format("The slot is lost{}: the WAL it needs is gone, so this direction must be made again.",
                                  slot.text(0, 4).empty() ? "" : " (" + slot.text(0, 4) + ")");
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
    std::string names;
    for (const std::string& database : plan.databases) {
        names += (names.empty() ? "" : ", ") + quoteLiteral(database);
    }
    const Result<Rows> rows = sessions.query(
        side, plan.side(side).primary.database,
        fmt::format(
            "select (select coalesce(sum(xact_commit), 0) from pg_stat_database where datname in ({})), "
            "(select count(*) from pg_stat_activity where backend_type = 'client backend' and application_name not like 'tealdeck/%')",
            names));
    if (!rows) {
        return rows.error();
    }
    return SideSample{number(*rows, 0).value_or(0), number(*rows, 1).value_or(0)};
}

ReplicationState sampleLink(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database) {
    ReplicationState state;
    state.database = database;
    state.direction = directionName(direction);
    const std::string name = subscriptionName(plan, direction);
    const Side source = sourceOf(direction);
    const Side destination = destinationOf(direction);
    const Result<Rows> slot = sessions.query(source, plan.side(source).primary.database, SLOT_SQL, {slotName(plan, direction, database)});
    bool active = false;
    if (!slot) {
        state.error = slot.error().message;
    } else if (!slot->empty()) {
        readSlot(*slot, state, active);
    }
    const bool noSlot = slot && slot->empty();
    const Result<Rows> exists = sessions.query(destination, plan.side(destination).primary.database, EXISTS_SQL, {name, database});
    const Result<Rows> subscription = exists && !exists->empty() ? sessions.query(destination, database, SUBSCRIPTION_SQL, {name}) : exists;
    if (!subscription) {
        state.error = state.error.empty() ? subscription.error().message : state.error;
        state.state = "stopped";
        return state;
    }
    if (subscription->empty()) {
        state.state = slot && !slot->empty() ? "prepared" : "none";
        return state;
    }
    readSubscription(*subscription, active || !slot, state);
    if (noSlot) {
        state.slot = "missing";
        state.error = "The slot on the publisher is missing: this direction must be made again.";
        state.state = state.state == "prepared" ? "prepared" : "stopped";
    }
    if (state.error.empty() && state.state == "stopped" && sessions.serverVersion(destination, database) >= 150000) {
        const Result<Rows> errors = sessions.query(destination, database, ERRORS_SQL, {name});
        if (errors && !errors->empty() && errors->text(0, 0) != "0") {
            state.error = errors->text(0, 0) + " errors of apply; the subscriber's server log names the reason.";
        }
    }
    return state;
}

} // namespace tealdeck
