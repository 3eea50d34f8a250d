// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/drift.h"

#include "core/postgres/sql.h"
#include "core/replication/link.h"
#include "core/replication/schema_copy.h"

#include <fmt/format.h>

namespace tealdeck::drift {
namespace {

constexpr Millis LOCK_LIMIT{5000};

/// With the rights of their owner, because the application's roles may not write into the log. What may carry a password is not recorded.
constexpr const char* GUARD_SQL = R"SQL(
create table if not exists tealdeck.ddl_log(
  id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(), who text, role text, application text,
  tag text not null, type text, schema text, object text, statement text);
create or replace function tealdeck.ddl_end() returns event_trigger language plpgsql security definer set search_path = pg_catalog as $f$
begin
  if current_setting('application_name') like 'tealdeck/%' or tg_tag ~ '(SUBSCRIPTION|USER MAPPING|SERVER|PUBLICATION|REFRESH MATERIALIZED VIEW)' then return; end if;
  begin
    insert into tealdeck.ddl_log(who, role, application, tag, type, schema, object, statement)
    select distinct session_user, case when current_setting('role') = 'none' then session_user else current_setting('role') end, current_setting('application_name'),
           tg_tag, c.object_type, c.schema_name, c.object_identity, current_query()
      from pg_event_trigger_ddl_commands() c
     where coalesce(c.schema_name, '') !~ '^pg_' and coalesce(c.schema_name, '') not in ('tealdeck', 'tealdeck_sync', 'information_schema')
       and (c.object_type not in ('index', 'sequence') or tg_tag like '%INDEX%' or tg_tag like '%SEQUENCE%'); -- a table brings its own
  exception when others then null;
  end;
end $f$;
create or replace function tealdeck.ddl_drop() returns event_trigger language plpgsql security definer set search_path = pg_catalog as $f$
begin
  if current_setting('application_name') like 'tealdeck/%' then return; end if;
  begin
    insert into tealdeck.ddl_log(who, role, application, tag, type, schema, object, statement)
    select session_user, case when current_setting('role') = 'none' then session_user else current_setting('role') end, current_setting('application_name'),
           tg_tag, d.object_type, d.schema_name, d.object_identity, current_query()
      from pg_event_trigger_dropped_objects() d
     where d.original and not d.is_temporary and tg_tag like 'DROP %' and coalesce(d.schema_name, '') !~ '^pg_' and coalesce(d.schema_name, '') not in ('tealdeck', 'tealdeck_sync');
  exception when others then null;
  end;
end $f$;
drop event trigger if exists tealdeck_ddl_end;
drop event trigger if exists tealdeck_ddl_drop;
create event trigger tealdeck_ddl_end on ddl_command_end execute function tealdeck.ddl_end();
create event trigger tealdeck_ddl_drop on sql_drop execute function tealdeck.ddl_drop();
)SQL";

Status asStatus(const Result<Rows>& result) {
    return result.ok() ? Status() : Status(result.error());
}

/// Published tables of blue that green's subscription does not know yet.
Result<bool> isBehind(Connection& blue, Connection& green, const Plan& plan) {
    const Result<Rows> published = blue.query(
        "select format('%I.%I', schemaname, tablename) from pg_publication_tables where pubname = $1 order by 1", {publicationName(plan)});
    const Result<Rows> known = green.query(
        "select format('%I.%I', n.nspname, c.relname) from pg_subscription_rel r join pg_subscription s on s.oid = r.srsubid join pg_class "
        "c on "
        "c.oid = r.srrelid join pg_namespace n on n.oid = c.relnamespace where s.subname = $1 and s.subdbid = (select oid from pg_database "
        "where datname = current_database()) order by 1",
        {subscriptionName(plan, Direction::Forward)});
    if (!published || !known) {
        return (published ? known : published).error();
    }
    return published->rows != known->rows;
}

/// Roots and plain tables of blue that are in no publication of ours, with the word for one without its children; partitions follow their
/// root.
constexpr const char* NEW_TABLES_SQL = R"(
select format('%I.%I', n.nspname, c.relname), case when c.relkind = 'r' then 'only ' else '' end
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and c.relpersistence = 'p' and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck')
   and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
   and not exists (select from pg_publication p join pg_publication_rel r on r.prpubid = p.oid where p.pubname = $1 and r.prrelid = c.oid)
 order by 1)";

/// Only those that green has already: another one would keep the subscription from going on. The lock waits for writers that are under way,
/// whose rows older versions could lose when the publication changes between them (fixed in the minor releases of May 2025).
Status publishNewTables(const Plan& plan, Connection& blue, Connection& green) {
    const Result<Rows> fresh = blue.query(NEW_TABLES_SQL, {publicationName(plan)}, Millis(60000));
    for (std::size_t i = 0; fresh && i < fresh->size(); ++i) {
        const Result<Rows> there = green.query("select to_regclass($1) is not null", {fresh->text(i, 0)});
        if (!there || there->text(0, 0) != "t") {
            continue;
        }
        const std::string table = fresh->text(i, 1) + fresh->text(i, 0);
        const auto added = blue.batch(fmt::format("begin; set local lock_timeout = '2s'; lock table {0} in share row exclusive mode; alter "
                                                  "publication {1} add table {0}; commit",
                                                  table, quoteIdentifier(publicationName(plan))),
                                      LOCK_LIMIT);
        if (!added) {
            return added.error();
        }
    }
    return asStatus(fresh);
}

Status refresh(const Plan& plan, Connection& green, Millis limit) {
    return asStatus(green.batch(fmt::format("alter subscription {} refresh publication with (copy_data = true)",
                                            quoteIdentifier(subscriptionName(plan, Direction::Forward))),
                                limit));
}

Status waitUntilReady(const Plan& plan, const std::string& database, Connection& blue, Connection& green, StepContext& context) {
    Link link(plan, Direction::Forward, database, blue, green);
    const Result<bool> ready = waitUntil(
        [&]() -> Result<bool> {
            const Result<LinkProgress> progress = link.progress();
            if (!progress) {
                return progress.error();
            }
            context.report(progress->notReady.empty() ? "the feed" : "the copy of " + progress->notReady);
            return progress->tablesTotal > 0 && progress->tablesReady == progress->tablesTotal;
        },
        context, Millis(200));
    if (!ready || !*ready) {
        return ready.ok()
                   ? Status(Error{
                         Error::Kind::Timeout, "The new tables did not get in step in time.", "Green's server log names the reason.", {}})
                   : Status(ready.error());
    }
    return {};
}

/// Adds to what has to be given back later; what is there already was first.
Status remember(Connection& session, const Json& identities) {
    return identities.empty() ? Status()
                              : asStatus(session.query("insert into tealdeck.saved(key, value) values ('replica_identity', $1::jsonb) on "
                                                       "conflict (key) do update set value = "
                                                       "excluded.value || saved.value",
                                                       {dumpJson(identities)}));
}

/// Past a quote, a comment or a dollar quote that begins at i: the place after it; i itself when none begins there.
std::size_t pastQuoted(const std::string& sql, std::size_t i) {
    const auto after = [&](const std::string& end, std::size_t from) {
        const std::size_t at = sql.find(end, from);
        return at == std::string::npos ? sql.size() : at + end.size();
    };
    if (sql[i] == '\'' || sql[i] == '"') {
        const bool escapes = sql[i] == '\'' && i > 0 && (sql[i - 1] == 'E' || sql[i - 1] == 'e');
        for (std::size_t at = i + 1; at < sql.size(); ++at) {
            if (escapes && sql[at] == '\\') {
                ++at;
            } else if (sql[at] == sql[i]) {
                return at + 1;
            }
        }
        return sql.size();
    }
    if (sql.compare(i, 2, "--") == 0) {
        return after("\n", i);
    }
    if (sql.compare(i, 2, "/*") == 0) {
        return after("*/", i + 2);
    }
    if (sql[i] == '$') {
        const std::size_t end = sql.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", i + 1);
        if (end != std::string::npos && sql[end] == '$') {
            return after(sql.substr(i, end - i + 1), end + 1);
        }
    }
    return i;
}

} // namespace

Status installGuard(Connection& session) {
    return asStatus(session.batch(fmt::format("SET client_min_messages = warning; BEGIN; {}; COMMIT", GUARD_SQL), Millis(15000)));
}

Status removeGuard(Connection& session) {
    return asStatus(session.batch(
        "SET client_min_messages = warning; drop event trigger if exists tealdeck_ddl_end; drop event trigger if exists tealdeck_ddl_drop",
        Millis(15000)));
}

Result<std::vector<DriftState>> readLog(Connection& session, const std::string& database, Side side, std::int64_t above) {
    const Result<Rows> there = session.query("select to_regclass('tealdeck.ddl_log') is not null");
    if (!there || there->text(0, 0) != "t") {
        return there.ok() ? Result<std::vector<DriftState>>(std::vector<DriftState>()) : Result<std::vector<DriftState>>(there.error());
    }
    const Result<Rows> rows = session.query(
        "select id, tag, object, left(statement, 20000), who || case when application <> '' then ' (' || application || ')' else '' end, "
        "(extract(epoch from at) * 1000000)::int8 from tealdeck.ddl_log where id > $1 order by id limit 200",
        {std::to_string(above)});
    if (!rows) {
        return rows.error();
    }
    std::vector<DriftState> found;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        DriftState d;
        d.id = std::strtoll(rows->text(i, 0).c_str(), nullptr, 10);
        d.database = database;
        d.side = sideName(side);
        d.tag = rows->text(i, 1);
        d.object = rows->text(i, 2);
        d.statement = rows->text(i, 3);
        d.who = rows->text(i, 4);
        d.wallUs = std::strtoll(rows->text(i, 5).c_str(), nullptr, 10);
        found.push_back(std::move(d));
    }
    return found;
}

bool isSeveralStatements(const std::string& sql) {
    bool ended = false;
    for (std::size_t i = 0; i < sql.size();) {
        if (const std::size_t past = pastQuoted(sql, i); past != i) {
            const bool comment = sql[i] == '-' || sql[i] == '/';
            if (ended && !comment) {
                return true;
            }
            i = past;
            continue;
        }
        const char c = sql[i++];
        if (c == ';') {
            ended = true;
        } else if (ended && c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            return true;
        }
    }
    return false;
}

Status applyOn(Connection& green, Connection& blue, std::int64_t id, const std::string& statement, Millis limit) {
    const Result<Rows> entry =
        blue.query("select coalesce(schema, ''), coalesce(role, ''), statement from tealdeck.ddl_log where id = $1", {std::to_string(id)});
    if (!entry) {
        return entry.error();
    }
    if (entry->empty()) {
        return Error{
            Error::Kind::Invalid, fmt::format("Nothing is recorded under number {}.", id), "\"tealctl drift list\" shows what is.", {}};
    }
    const std::string sql = statement.empty() ? entry->text(0, 2) : statement;
    if (statement.empty() && isSeveralStatements(sql)) {
        return Error{Error::Kind::Invalid,
                     "The change was sent together with other statements, which need not be repeated.",
                     "Give the one to run with --statement.",
                     {}};
    }
    const std::string schema = entry->text(0, 0);
    const std::string role = entry->text(0, 1);
    const Result<Rows> known = green.query("select 1 from pg_roles where rolname = $1", {role});
    if (!known) {
        return known.error();
    }
    std::string before = fmt::format("set search_path = {}public", schema.empty() ? "" : quoteIdentifier(schema) + ", ");
    before += known->empty() ? "" : "; set role " + quoteIdentifier(role);
    if (const auto ready = green.batch(before); !ready) {
        return ready.error();
    }
    const Result<Rows> ran = green.batch(sql, limit);
    if (const auto back = green.batch("reset role; set search_path = pg_catalog"); !back && !green.broken()) {
        return back.error();
    }
    return asStatus(ran);
}

Status followNewTables(const Plan& plan, const std::string& database, Connection& blue, Connection& green, StepContext& context) {
    if (plan.replication.identityFull) {
        for (Connection* side : {&blue, &green}) {
            const Result<Json> given = schema_copy::addReplicaIdentities(*side);
            const Status kept = given.ok() ? remember(*side, *given) : Status(given.error());
            if (!kept) {
                return kept;
            }
        }
    }
    if (const Status published = publishNewTables(plan, blue, green); !published) {
        return published;
    }
    const Result<bool> behind = isBehind(blue, green, plan);
    if (!behind) {
        return behind.error();
    }
    if (*behind) {
        if (const Status refreshed = refresh(plan, green, context.deadline().left()); !refreshed) {
            return refreshed;
        }
    }
    return waitUntilReady(plan, database, blue, green, context);
}

Status resync(const Plan& plan, const std::string& database, const std::string& table, Connection& blue, Connection& green,
              StepContext& context) {
    const Result<Rows> found = blue.query("select format('%I.%I', n.nspname, c.relname), c.relispartition or c.relkind = 'p' from pg_class "
                                          "c join pg_namespace n on n.oid = c.relnamespace "
                                          "where c.oid = to_regclass($1)",
                                          {table});
    if (!found) {
        return found.error();
    }
    if (found->empty() || found->text(0, 1) == "t") {
        return Error{Error::Kind::Invalid,
                     found->empty() ? "There is no such table." : "A partition has no place of its own in the feed.",
                     found->empty() ? "Write schema.table, as the server spells it."
                                    : "Mend its rows by hand; \"tealctl verify --show-values\" names them.",
                     {}};
    }
    const std::string name = found->text(0, 0);
    const std::string publication = quoteIdentifier(publicationName(plan));
    context.report(name + " leaves the feed");
    const auto out = blue.batch(fmt::format("alter publication {} drop table only {}", publication, name), LOCK_LIMIT);
    if (!out) {
        return out.error();
    }
    if (const Status refreshed = refresh(plan, green, context.deadline().left()); !refreshed) {
        return refreshed;
    }
    context.report(name + " is emptied on GREEN");
    const auto emptied = green.batch(fmt::format("begin; set local session_replication_role = replica; delete from only {}; commit", name),
                                     context.deadline().left());
    if (!emptied) {
        return emptied.error();
    }
    return followNewTables(plan, database, blue, green, context);
}

} // namespace tealdeck::drift
