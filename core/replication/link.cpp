// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/link.h"

#include "core/postgres/sql.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

/// Roots of partition trees and plain tables; leaves follow their root, and inheritance children are named themselves.
constexpr const char* TABLES_SQL = R"(
select format('%s%I.%I', case when c.relkind = 'r' then 'only ' else '' end, n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition
   and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck')
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
   and not exists (select from pg_publication p join pg_publication_rel r on r.prpubid = p.oid where p.pubname = $1 and r.prrelid = c.oid)
 order by 1)";

constexpr const char* PUBLISHED_SQL = R"(
select format('%s%I.%I', case when c.relkind = 'r' then 'only ' else '' end, n.nspname, c.relname)
  from pg_publication p join pg_publication_rel r on r.prpubid = p.oid join pg_class c on c.oid = r.prrelid join pg_namespace n on n.oid = c.relnamespace
 where p.pubname = $1 order by 1)";

Status asStatus(const Result<Rows>& result) {
    return result.ok() ? Status() : Status(result.error());
}

} // namespace

Link::Link(const Plan& plan, Direction direction, std::string database, Connection& source, Connection& destination)
    : m_plan(plan), m_direction(direction), m_database(std::move(database)), m_source(source), m_destination(destination),
      m_subscription(subscriptionName(plan, direction)), m_slot(slotName(plan, direction, m_database)) {}

Status Link::publish() {
    return publish({});
}

Status Link::publish(const std::set<std::string>& except) {
    const std::string name = publicationName(m_plan);
    const Result<Rows> exists = m_source.query("select 1 from pg_publication where pubname = $1", {name});
    if (!exists) {
        return exists.error();
    }
    const Result<Rows> missing = m_source.query(TABLES_SQL, {name}, Millis(60000));
    if (!missing) {
        return missing.error();
    }
    std::string list;
    for (std::size_t i = 0; i < missing->size(); ++i) {
        if (except.count(missing->text(i, 0)) == 0) {
            list += (list.empty() ? "" : ", ") + missing->text(i, 0);
        }
    }
    if (exists->empty()) {
        if (list.empty()) {
            return Error{Error::Kind::Conflict, fmt::format("{} has no table to replicate.", m_source.label()), {}, {}};
        }
        return asStatus(m_source.batch(fmt::format("create publication {} for table {}", quoteIdentifier(name), list), Millis(60000)));
    }
    return list.empty()
               ? Status()
               : asStatus(m_source.batch(fmt::format("alter publication {} add table {}", quoteIdentifier(name), list), Millis(60000)));
}

Status Link::unpublishTables(const std::set<std::string>& entries) {
    const std::string name = publicationName(m_plan);
    const Result<Rows> published = m_source.query(PUBLISHED_SQL, {name}, Millis(60000));
    if (!published) {
        return published.error();
    }
    std::string list;
    for (std::size_t i = 0; i < published->size(); ++i) {
        if (entries.count(published->text(i, 0)) != 0) {
            list += (list.empty() ? "" : ", ") + published->text(i, 0);
        }
    }
    return list.empty()
               ? Status()
               : asStatus(m_source.batch(fmt::format("alter publication {} drop table {}", quoteIdentifier(name), list), Millis(60000)));
}

std::string Link::subscriberConninfo() const {
    const Endpoint& primary = m_plan.side(sourceOf(m_direction)).primary;
    const ReplicationPlan& r = m_plan.replication;
    const std::string& host = m_direction == Direction::Forward ? r.blueHost : r.greenHost;
    const int port = m_direction == Direction::Forward ? r.bluePort : r.greenPort;
    return conninfo({{"host", host.empty() ? primary.host : host},
                     {"port", std::to_string(port == 0 ? primary.port : port)},
                     {"user", r.user},
                     {"dbname", m_database},
                     {"passfile", r.passfile},
                     {"sslmode", r.sslmode},
                     {"sslrootcert", r.sslrootcert},
                     {"application_name", m_slot},
                     {"keepalives_idle", "10"},
                     {"keepalives_interval", "5"},
                     {"keepalives_count", "3"}});
}

std::string Link::options(bool copy, bool originNone) const {
    std::string text = fmt::format("slot_name = {}, create_slot = {}, enabled = {}, copy_data = {}, synchronous_commit = off",
                                   quoteLiteral(m_slot), copy, copy, copy);
    const int subscriber = m_destination.serverVersion() / 10000;
    const int publisher = m_source.serverVersion() / 10000;
    if (subscriber >= 14 && publisher >= 14) {
        text += ", streaming = on"; // "parallel", the default of 18, may wait for itself on unique keys
    }
    if (subscriber >= 16 && publisher >= 16 && originNone) {
        text += ", origin = none"; // belt and braces: where the feed starts is what prevents loops
    }
    return text;
}

Status Link::createSubscription(const std::string& options, Millis limit) {
    return asStatus(
        m_destination.batch(fmt::format("create subscription {} connection {} publication {} with ({})", quoteIdentifier(m_subscription),
                                        quoteLiteral(subscriberConninfo()), quoteIdentifier(publicationName(m_plan)), options),
                            limit));
}

Status Link::createWithCopy(Millis limit) {
    return createSubscription(options(true, false), limit);
}

Status Link::createOnSlot(Millis limit) {
    // Not origin = none: what blue itself receives from elsewhere belongs to the data.
    return createSubscription(options(false, false), limit);
}

Status Link::enable() {
    return asStatus(m_destination.batch(fmt::format("alter subscription {} enable", quoteIdentifier(m_subscription))));
}

Status Link::refreshWithCopy(Millis limit) {
    return asStatus(m_destination.batch(
        fmt::format("alter subscription {} refresh publication with (copy_data = true)", quoteIdentifier(m_subscription)), limit));
}

Status Link::prepare(Millis limit) {
    if (const Status removed = retire(limit); !removed) {
        return removed;
    }
    if (const Status published = publish(); !published) {
        return published;
    }
    if (const Result<Rows> slot = m_source.query("select pg_create_logical_replication_slot($1, 'pgoutput')", {m_slot}, limit); !slot) {
        return slot.error();
    }
    // Without a copy the subscription still connects: its host, login, TLS and publication are proven here, by the server that will use
    // them.
    return createSubscription(options(false, true), limit);
}

Status Link::activate(const std::string& startLsn) {
    const Result<bool> running = enabled();
    if (!running) {
        return running.error();
    }
    if (*running) {
        return {}; // an active origin can't be advanced, and needs not
    }
    // Never backwards: a feed that has already run once stands behind its start.
    const Result<Rows> moved =
        m_destination.query("select pg_replication_origin_advance('pg_' || s.oid, $2::pg_lsn) from pg_subscription s "
                            "where s.subname = $1 and s.subdbid = (select oid from pg_database where datname = current_database()) "
                            "and coalesce(pg_replication_origin_progress('pg_' || s.oid, false), '0/0') < $2::pg_lsn",
                            {m_subscription, startLsn});
    if (!moved) {
        return moved.error();
    }
    return enable();
}

Status Link::disable() {
    const Result<bool> exists = subscriptionExists();
    if (!exists || !*exists) {
        return exists.ok() ? Status() : Status(exists.error());
    }
    return asStatus(m_destination.batch(fmt::format("alter subscription {} disable", quoteIdentifier(m_subscription))));
}

Status Link::retire(Millis limit) {
    const Result<bool> exists = subscriptionExists();
    if (!exists) {
        return exists.error();
    }
    const Result<Rows> number = m_destination.query(
        "select s.oid::text from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = current_database() and "
        "subname = $1",
        {m_subscription});
    if (!number) {
        return number.error();
    }
    if (*exists) {
        // Cut loose from the slot first: then neither a dead publisher nor a frozen sender can keep the subscription alive.
        const std::string name = quoteIdentifier(m_subscription);
        for (const std::string& statement :
             {fmt::format("alter subscription {} disable", name), fmt::format("alter subscription {} set (slot_name = none)", name),
              fmt::format("drop subscription {}", name)}) {
            if (const Result<Rows> done = m_destination.batch(statement, limit); !done) {
                return done.error();
            }
        }
    }
    if (!number->empty()) {
        if (const Status dropped = dropSyncSlots(number->text(0, 0), limit); !dropped) {
            return dropped;
        }
    }
    return dropSlot(limit);
}

/// Since 14 the slots of unfinished table copies stay when a subscription without slot is dropped. They bear its number and the
/// subscriber's system identifier.
Status Link::dropSyncSlots(const std::string& subscription, Millis limit) {
    const Result<Rows> system = m_destination.query("select system_identifier::text from pg_control_system()");
    if (!system) {
        return system.error();
    }
    const std::string pattern = fmt::format("^pg_{}_sync_[0-9]+_{}$", subscription, system->text(0, 0));
    const Deadline deadline(limit);
    for (;;) {
        const Result<Rows> dropped =
            m_source.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name ~ "
                           "$1 and database = current_database()",
                           {pattern}, limit);
        if (dropped) {
            return {};
        }
        if (dropped.error().sqlstate != "55006" || deadline.passed()) {
            return Error{
                dropped.error().kind,
                fmt::format("Left over: slots pg_{}_sync_* on {}: {}", subscription, m_source.label(), dropped.error().message),
                fmt::format("Run there: select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name ~ '{}'",
                            pattern),
                dropped.error().sqlstate};
        }
        static_cast<void>(m_source.query("select pg_terminate_backend(active_pid), pg_sleep(0.05) from pg_replication_slots where "
                                         "slot_name ~ $1 and active_pid is not null",
                                         {pattern}));
    }
}

Status Link::dropSlot(Millis limit) {
    const Deadline deadline(limit);
    for (;;) {
        const Result<Rows> dropped =
            m_source.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1", {m_slot}, limit);
        if (dropped) {
            return {};
        }
        if (dropped.error().sqlstate != "55006" || deadline.passed()) {
            return Error{dropped.error().kind,
                         fmt::format("Left over: slot {} on {}: {}", m_slot, m_source.label(), dropped.error().message),
                         fmt::format("Run there: select pg_drop_replication_slot('{}')", m_slot), dropped.error().sqlstate};
        }
        static_cast<void>(m_source.query("select pg_terminate_backend(active_pid), pg_sleep(0.05) from pg_replication_slots where "
                                         "slot_name = $1 and active_pid is not null",
                                         {m_slot}));
    }
}

Result<bool> Link::subscriptionExists() {
    const Result<Rows> rows = m_destination.query(
        "select 1 from pg_subscription where subname = $1 and subdbid = (select oid from pg_database where datname = current_database())",
        {m_subscription});
    return rows.ok() ? Result<bool>(!rows->empty()) : Result<bool>(rows.error());
}

Result<bool> Link::enabled() {
    const Result<Rows> rows = m_destination.query("select subenabled from pg_subscription where subname = $1 and subdbid = (select oid "
                                                  "from pg_database where datname = current_database())",
                                                  {m_subscription});
    if (!rows) {
        return rows.error();
    }
    if (rows->empty()) {
        return Error{
            Error::Kind::Conflict, fmt::format("There is no subscription {} on {}.", m_subscription, m_destination.label()), {}, {}};
    }
    return rows->text(0, 0) == "t";
}

Result<LinkProgress> Link::progress() {
    const Result<Rows> rows = m_destination.query(R"(
select count(r.srrelid) filter (where r.srsubstate = 'r'), count(r.srrelid), coalesce(sum(pg_relation_size(r.srrelid)) filter (where r.srsubstate = 'r'), 0),
       coalesce(min(r.srrelid::regclass::text) filter (where r.srsubstate <> 'r'), ''),
       exists (select from pg_stat_subscription st where st.subid = s.oid and st.relid is null and st.pid is not null)
  from pg_subscription s left join pg_subscription_rel r on r.srsubid = s.oid
 where s.subname = $1 and s.subdbid = (select oid from pg_database where datname = current_database()) group by s.oid)",
                                                  {m_subscription});
    if (!rows) {
        return rows.error();
    }
    if (rows->empty()) {
        return Error{
            Error::Kind::Conflict, fmt::format("There is no subscription {} on {}.", m_subscription, m_destination.label()), {}, {}};
    }
    LinkProgress p;
    p.tablesReady = std::stoi(rows->text(0, 0));
    p.tablesTotal = std::stoi(rows->text(0, 1));
    p.bytesReady = std::stod(rows->text(0, 2));
    p.notReady = rows->text(0, 3);
    p.workerAlive = rows->text(0, 4) == "t";
    return p;
}

Result<bool> Link::confirmed(const std::string& lsn) {
    const Result<Rows> rows =
        m_source.query("select confirmed_flush_lsn >= $2::pg_lsn from pg_replication_slots where slot_name = $1", {m_slot, lsn});
    return rows.ok() ? Result<bool>(rows->text(0, 0) == "t") : Result<bool>(rows.error());
}

Status Link::unpublish(const Plan& plan, Connection& session) {
    return asStatus(session.batch("drop publication if exists " + quoteIdentifier(publicationName(plan))));
}

} // namespace tealdeck
