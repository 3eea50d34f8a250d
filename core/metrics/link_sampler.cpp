// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/link_sampler.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis LIMIT{1500};
constexpr std::chrono::seconds RETRY{2};

std::optional<double> number(const Rows& rows, std::size_t column) {
    if (rows.empty() || column >= rows.rows[0].size() || !rows.rows[0][column]) {
        return std::nullopt;
    }
    return std::stod(*rows.rows[0][column]);
}

int place(Side side) { return side == Side::Blue ? 0 : 1; }

// Columns by to_jsonb: wal_status came with 13, the error counts with 15.
constexpr const char* SLOT_SQL = R"(
select s.active, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.confirmed_flush_lsn), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.restart_lsn),
       coalesce(to_jsonb(s)->>'wal_status', ''), coalesce(to_jsonb(s)->>'invalidation_reason', '')
  from pg_replication_slots s where s.slot_name = $1)";

constexpr const char* SUBSCRIPTION_SQL = R"(
select s.subenabled, count(r.srrelid) filter (where r.srsubstate = 'r'), count(r.srrelid),
       exists (select from pg_stat_subscription st where st.subid = s.oid and st.relid is null and st.pid is not null),
       coalesce(min(r.srrelid::regclass::text) filter (where r.srsubstate <> 'r'), '')
  from pg_subscription s left join pg_subscription_rel r on r.srsubid = s.oid
 where s.subname = $1 and s.subdbid = (select oid from pg_database where datname = current_database()) group by s.oid, s.subenabled)";

constexpr const char* COPY_SQL = "select coalesce(sum(bytes_processed), 0) from pg_stat_progress_copy where datname = current_database()";

} // namespace

Connection* LinkSampler::session(Side side, const std::string& database) {
    const auto key = std::make_pair(side, database);
    std::unique_ptr<Connection>& open = m_sessions[key];
    if (open && !open->broken()) {
        return open.get();
    }
    open.reset();
    const auto now = std::chrono::steady_clock::now();
    if (m_retryAt[key] > now) {
        return nullptr;
    }
    auto opened = m_connector.primary(side, database, LIMIT);
    if (!opened) {
        m_retryAt[key] = now + RETRY;
        return nullptr;
    }
    open = std::move(*opened);
    return open.get();
}

void LinkSampler::sampleSide(Side side, LinkSample& sample) {
    Connection* admin = session(side, {});
    if (admin == nullptr) {
        return;
    }
    std::string databases;
    for (const std::string& name : m_connector.plan().databases) {
        databases += (databases.empty() ? "" : ",") + name;
    }
    const Result<Rows> rows = admin->query(R"(
select (select sum(xact_commit) from pg_stat_database where datname = any (string_to_array($1, ','))),
       (select count(*) from pg_stat_activity where backend_type = 'client backend' and datname = any (string_to_array($1, ',')) and pid <> all (string_to_array($3, ',')::int[])),
       (select sum(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)) from pg_replication_slots where slot_name like $2))",
                                           {databases, "tealdeck\\_" + m_connector.plan().deployment + "\\_%", [&] {
                                                std::string own;
                                                for (const int pid : m_connector.pids(side)) {
                                                    own += (own.empty() ? "" : ",") + std::to_string(pid);
                                                }
                                                return own;
                                            }()},
                                           LIMIT);
    if (!rows) {
        return;
    }
    sample.answered[place(side)] = true;
    sample.transactions[place(side)] = number(*rows, 0);
    sample.connections[place(side)] = number(*rows, 1);
    sample.retainedBytes[place(side)] = number(*rows, 2);
}

void LinkSampler::samplePublisher(ReplicationState& state, Direction direction, const std::string& database, bool& slotFound) {
    Connection* source = session(sourceOf(direction), {});
    if (source == nullptr) {
        state.error = fmt::format("{} does not answer.", sideName(sourceOf(direction)));
        return;
    }
    const Result<Rows> slot = source->query(SLOT_SQL, {slotName(m_connector.plan(), direction, database)}, LIMIT);
    if (!slot) {
        state.error = slot.error().message;
        return;
    }
    slotFound = !slot->empty();
    if (!slotFound) {
        return;
    }
    state.lagBytes = number(*slot, 1);
    state.retainedBytes = number(*slot, 2);
    if (slot->text(0, 3) == "lost" || !slot->text(0, 4).empty()) {
        state.error = fmt::format("The slot is lost ({}{}): the feed can't go on and has to be built again.", slot->text(0, 3), slot->text(0, 4).empty() ? "" : ", " + slot->text(0, 4));
    }
}

void LinkSampler::sampleSubscriber(ReplicationState& state, Direction direction, const std::string& database, bool& subscriptionFound) {
    Connection* destination = session(destinationOf(direction), database);
    if (destination == nullptr) {
        // Before the copy green does not have the databases: then there is no feed, which is known and not unknown.
        Connection* admin = session(destinationOf(direction), {});
        const Result<Rows> there = admin != nullptr ? admin->query("select 1 from pg_database where datname = $1", {database}, LIMIT) : Result<Rows>(Error{});
        state.state = there.ok() && there->empty() ? "none" : "unknown";
        return;
    }
    const Result<Rows> rows = destination->query(SUBSCRIPTION_SQL, {subscriptionName(m_connector.plan(), direction)}, LIMIT);
    if (!rows) {
        state.state = "unknown";
        state.error = rows.error().message;
        return;
    }
    subscriptionFound = !rows->empty();
    if (!subscriptionFound) {
        return;
    }
    const bool enabled = rows->text(0, 0) == "t";
    state.tablesReady = std::stoi(rows->text(0, 1));
    state.tablesTotal = std::stoi(rows->text(0, 2));
    const bool worker = rows->text(0, 3) == "t";
    state.state = !enabled ? "prepared" : state.tablesReady < state.tablesTotal ? "copying" : worker ? "streaming" : "stopped";
    if (enabled && !worker && state.error.empty()) {
        state.error = "The apply worker does not run; the reason is in the subscriber's server log.";
    }
    if (state.state == "copying") {
        const Result<Rows> bytes = destination->query(COPY_SQL, {}, LIMIT);
        state.bytesCopied = bytes.ok() ? number(*bytes, 0) : std::nullopt; // 14 and newer
    }
}

void LinkSampler::beat(const std::string& database) {
    const int side = m_heartbeat;
    if (side < 0) {
        return;
    }
    if (Connection* source = session(side == 0 ? Side::Blue : Side::Green, database)) {
        static_cast<void>(source->query("select tealdeck.put_marker(3, null, null)", {}, LIMIT));
    }
}

std::optional<double> LinkSampler::heartbeatLag(Direction direction, const std::string& database) {
    Connection* source = session(sourceOf(direction), database);
    Connection* destination = session(destinationOf(direction), database);
    if (source == nullptr || destination == nullptr) {
        return std::nullopt;
    }
    const Result<Rows> seen = destination->query("select at::text from tealdeck_sync.marker where id = 3", {}, LIMIT);
    if (!seen || seen->empty()) {
        return std::nullopt;
    }
    // Both times are the source's clock. A heart that has beaten and is seen has no lag, however long ago that was.
    const Result<Rows> lag = source->query("select case when at = $1::timestamptz then 0 else greatest(extract(epoch from clock_timestamp() - $1::timestamptz), 0) end from tealdeck_sync.marker where id = 3", {seen->text(0, 0)}, LIMIT);
    return lag.ok() ? number(*lag, 0) : std::nullopt;
}

LinkSample LinkSampler::sample(std::int64_t nowUs) {
    LinkSample sample;
    for (const Side side : {Side::Blue, Side::Green}) {
        sampleSide(side, sample);
    }
    for (const std::string& database : m_connector.plan().databases) {
        for (const Direction direction : {Direction::Forward, Direction::Reverse}) {
            ReplicationState state;
            state.database = database;
            state.direction = directionName(direction);
            state.sampledUs = nowUs;
            bool slot = false;
            bool subscription = false;
            samplePublisher(state, direction, database, slot);
            sampleSubscriber(state, direction, database, subscription);
            if (subscription && !slot && state.state == "streaming") {
                state.state = "stopped";
                state.error = state.error.empty() ? "The slot is gone." : state.error;
            }
            const int source = sourceOf(direction) == Side::Blue ? 0 : 1;
            if (state.state == "streaming" && m_heartbeat == source) {
                state.lagSeconds = heartbeatLag(direction, database);
            }
            sample.links.push_back(std::move(state));
        }
        beat(database);
    }
    return sample;
}

} // namespace tealdeck
