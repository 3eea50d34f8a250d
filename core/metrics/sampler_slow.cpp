// SPDX-License-Identifier: GPL-3.0-or-later
// What changes slowly, asked twice a minute.
#include "core/metrics/sampler.h"
#include "core/postgres/sql.h"

#include <cstdlib>
#include <sys/statvfs.h>

namespace tealdeck {
namespace {

constexpr Millis SLOW_LIMIT{2000};

/// mxid_age counts multixacts, which have a wraparound of their own at the same number.
constexpr const char* XID_SQL = "select greatest(max(age(datfrozenxid)), max(mxid_age(datminmxid))) from pg_database";

/// Ours are left out: a copy's snapshot is open as long as the copy takes.
constexpr const char* TRANSACTION_SQL = R"(
select coalesce(extract(epoch from clock_timestamp() - least(
         (select min(xact_start) from pg_stat_activity where backend_type = 'client backend' and application_name not like 'tealdeck/%'),
         (select min(prepared) from pg_prepared_xacts))), 0))";

/// Needs the rights of pg_monitor; without them it is unknown.
constexpr const char* WAL_SQL = "select coalesce(sum(size), 0) from pg_ls_waldir()";

/// Columns, indexes, constraints and functions of users as one number. Object identifiers may stand in it: a server is compared with
/// itself only.
constexpr const char* SCHEMA_SQL = R"(
with ours as (select oid from pg_namespace where nspname !~ '^(pg_|tealdeck)' and nspname <> 'information_schema')
select concat_ws(' ',
  (select sum(hashtextextended(concat_ws('|', a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attisdropped, c.relname), 0))
     from pg_attribute a join pg_class c on c.oid = a.attrelid
    where a.attnum > 0 and c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relnamespace in (select oid from ours)),
  (select sum(hashtextextended(concat_ws('|', i.indexrelid, i.indrelid, i.indkey), 0))
     from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace in (select oid from ours)),
  (select sum(hashtextextended(concat_ws('|', oid, conname, contype, convalidated), 0)) from pg_constraint where connamespace in (select oid from ours)),
  (select sum(hashtextextended(concat_ws('|', oid, proname, prosrc), 0)) from pg_proc where pronamespace in (select oid from ours))))";

/// A transaction that only writes WAL and waits for it, as each commit of a switch has to: what it costs is told before anything is paused.
/// It touches no table, and no slot of this deployment decodes this database (PostgreSQL manual, Replication Management Functions).
constexpr const char* COMMIT_SQL = "select set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'tealdeck', '')";

Json numberOf(const Result<Rows>& rows) {
    return rows && rows->single() ? Json(std::strtod(rows->single()->c_str(), nullptr)) : Json(nullptr);
}

} // namespace

void Sampler::sampleSlow() {
    Json values = Json::object();
    for (const Side side : {Side::Blue, Side::Green}) {
        sampleSlowSide(side, values);
        if (halted()) {
            return;
        }
    }
    struct statvfs disk {};
    values["recording_free_bytes"] = ::statvfs(m_diskFolder.c_str(), &disk) == 0
                                         ? Json(static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize))
                                         : Json(nullptr);
    // A message of its own: the fast sample begins each time with everything unknown.
    emit(EventKind::Metrics, {{"values", values}});
}

void Sampler::sampleSlowSide(Side side, Json& values) {
    const std::string suffix = std::string(".") + sideName(side);
    const std::string& database = m_connector.plan().side(side).primary.database;
    values["xid_age" + suffix] = numberOf(m_sessions.query(side, database, XID_SQL, {}, SLOW_LIMIT));
    values["transaction_seconds" + suffix] = numberOf(m_sessions.query(side, database, TRANSACTION_SQL, {}, SLOW_LIMIT));
    values["wal_bytes" + suffix] = numberOf(m_sessions.query(side, database, WAL_SQL, {}, SLOW_LIMIT));
    values["schema_changes" + suffix] = orNull(schemaChanges(side));
    const std::int64_t began = Clock::system().steadyUs();
    const bool committed = m_sessions.query(side, database, COMMIT_SQL, {}, SLOW_LIMIT).ok();
    values["commit_ms" + suffix] = committed ? Json(millisSince(began)) : Json(nullptr);
}

std::optional<double> Sampler::schemaChanges(Side side) {
    bool known = false;
    for (const std::string& database : m_connector.plan().databases) {
        const std::string exists = "select 1 from pg_database where datname = " + quoteLiteral(database);
        const Result<Rows> there = m_sessions.query(side, m_connector.plan().side(side).primary.database, exists);
        if (!there || there->empty()) {
            continue; // GREEN has no database before the copy
        }
        const Result<Rows> now = m_sessions.query(side, database, SCHEMA_SQL, {}, SLOW_LIMIT);
        if (!now || !now->single()) {
            return std::nullopt;
        }
        known = true;
        const auto [before, isNew] = m_schemas.emplace(std::pair{side, database}, *now->single());
        if (!isNew && before->second != *now->single()) {
            before->second = *now->single();
            m_schemaChanges[side] += 1;
        }
    }
    return known ? std::optional<double>(m_schemaChanges[side]) : std::nullopt;
}

} // namespace tealdeck
