// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cutover/witness.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// Insert, update, delete and truncate messages of pgoutput, with the number of the relation. Our own marker is written by us.
constexpr const char* LEAKED_SQL = R"(
with change as (
  select get_byte(data, 0) as kind, (get_byte(data, 1)::bigint << 24) + (get_byte(data, 2) << 16) + (get_byte(data, 3) << 8) + get_byte(data, 4) as relation
    from pg_logical_slot_peek_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', $2)
   where get_byte(data, 0) in (73, 85, 68, 84) and lsn > (select lsn from tealdeck.side))
select count(*), coalesce(string_agg(distinct case when kind = 84 then 'a truncate' else relation::oid::regclass::text end, ', '), '')
  from change where kind = 84 or relation <> 'tealdeck_sync.marker'::regclass::oid::bigint)";

} // namespace

std::string Witness::slot(std::size_t database) const {
    return witnessName(m_plan, m_plan.databases[database]);
}

Status Witness::create(Millis limit) {
    if (const Status gone = dismiss(limit); !gone) {
        return gone;
    }
    for (std::size_t i = 0; i < m_fenced.size(); ++i) {
        const Result<Rows> made = m_fenced[i].query("select pg_create_logical_replication_slot($1, 'pgoutput')", {slot(i)}, limit);
        if (!made) {
            return Error{made.error().kind, fmt::format("No witness on {}: {}", m_fenced[i].label(), made.error().message),
                         "Each database needs one free replication slot more, and no transaction that stays open.", made.error().sqlstate};
        }
    }
    return {};
}

Status Witness::hear(Millis limit) {
    for (std::size_t i = 0; i < m_fenced.size(); ++i) {
        if (const Status heard = hearOne(i, limit); !heard) {
            return heard;
        }
    }
    return dismiss(limit);
}

Status Witness::hearOne(std::size_t database, Millis limit) {
    Connection& session = m_fenced[database];
    const Result<Rows> there = session.query("select 1 from pg_replication_slots where slot_name = $1", {slot(database)});
    if (!there || there->empty()) {
        return there.ok() ? Status() : Status(there.error());
    }
    const Result<Rows> leaked = session.query(LEAKED_SQL, {slot(database), publicationName(m_plan)}, limit);
    if (!leaked) {
        return leaked.error();
    }
    if (leaked->text(0, 0) == "0") {
        return {};
    }
    return Error{
        Error::Kind::Conflict,
        fmt::format("{}: {} rows were changed behind the fence, in {}.", session.label(), leaked->text(0, 0), leaked->text(0, 1)),
        fmt::format("The way back stays closed. Bring these rows over by hand; then remove slot {} there: the engine goes on by itself.",
                    slot(database)),
        {}};
}

Status Witness::dismiss(Millis limit) {
    Status status;
    for (std::size_t i = 0; i < m_fenced.size(); ++i) {
        const Result<Rows> dropped = m_fenced[i].query(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1", {slot(i)}, limit);
        status = dropped.ok() ? status : Status(dropped.error());
    }
    return status;
}

} // namespace tealdeck
