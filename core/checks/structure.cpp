// SPDX-License-Identifier: GPL-3.0-or-later
// Objects that replicate badly or not at all, and what they need on the other side.
#include "core/checks/catalogue.h"

#include <fmt/format.h>
#include <set>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

constexpr const char* FULL_SQL = R"(
select format('%I.%I', n.nspname, c.relname), c.reltuples::bigint || ' rows', 'ALTER TABLE ' || format('%I.%I', n.nspname, c.relname) || ' REPLICA IDENTITY USING INDEX ' || {key_index} || ';' as fix
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and c.relreplident = 'f' and c.relpersistence = 'p' and {users} order by c.reltuples desc)";

constexpr const char* SEQUENCE_ROOM_SQL = R"(
select format('%I.%I is at %s of %s', s.schemaname, s.sequencename, s.last_value, case when s.increment_by > 0 then s.max_value else s.min_value end),
       case when s.data_type <> 'bigint'::regtype then format('ALTER SEQUENCE %I.%I AS bigint;', s.schemaname, s.sequencename) end as fix
  from pg_sequences s join pg_namespace n on n.nspname = s.schemaname
 where {users} and not s.cycle and s.last_value is not null and
       case when s.increment_by > 0 then (s.last_value - s.min_value::numeric) / (s.max_value - s.min_value::numeric) else (s.max_value - s.last_value::numeric) / (s.max_value - s.min_value::numeric) end > 0.75)";

constexpr const char* SEARCH_PATH_SQL = R"(
select distinct p.oid::regprocedure::text, case d.classid when 'pg_constraint'::regclass then 'used by a constraint' when 'pg_class'::regclass then 'used by an index' when 'pg_attrdef'::regclass then
       'used by a default or generated column' else 'used by a trigger that always fires' end, format('ALTER FUNCTION %s SET search_path = %I, pg_catalog;', p.oid::regprocedure, n.nspname) as fix
  from pg_depend d join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid join pg_namespace n on n.oid = p.pronamespace
 where {users} and d.classid in ('pg_constraint'::regclass, 'pg_class'::regclass, 'pg_attrdef'::regclass, 'pg_trigger'::regclass)
   and p.prolang not in (select oid from pg_language where lanname in ('c', 'internal')) and not exists (select from unnest(p.proconfig) s where s like 'search\_path=%')
   and not exists (select from pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
   and (d.classid <> 'pg_trigger'::regclass or exists (select from pg_trigger t where t.oid = d.objid and t.tgenabled in ('A', 'R'))))";

constexpr const char* CATALOG_VIEWS_SQL = R"(
select distinct format('%I.%I reads %s', n.nspname, c.relname, x.relname), format('DROP %s %I.%I;', case c.relkind when 'm' then 'MATERIALIZED VIEW' else 'VIEW' end, n.nspname, c.relname) as fix
  from pg_rewrite w join pg_class c on c.oid = w.ev_class join pg_namespace n on n.oid = c.relnamespace, regexp_matches(w.ev_action::text, ':relid ([0-9]+)', 'g') m
  join pg_class x on x.oid = m[1]::oid and x.relnamespace = 'pg_catalog'::regnamespace where c.relkind in ('v', 'm') and {users} and {not_extension})";
constexpr const char* EVENT_TRIGGERS_SQL = R"(
select format('%s on %s', evtname, evtevent), format('ALTER EVENT TRIGGER %I DISABLE;', evtname) as fix from pg_event_trigger t
 where evtenabled <> 'D' and evtname not like 'tealdeck\_%' and not exists (select from pg_depend d where d.classid = 'pg_event_trigger'::regclass and d.objid = t.oid and d.deptype = 'e'))";

constexpr const char* EXTENSION_TABLES_SQL = R"(
select format('%I.%I of %s', n.nspname, c.relname, e.extname), format('ALTER EXTENSION %I DROP TABLE %I.%I;', e.extname, n.nspname, c.relname) as fix
  from pg_depend d join pg_class c on c.oid = d.objid and c.relkind in ('r', 'p') join pg_namespace n on n.oid = c.relnamespace join pg_extension e on e.oid = d.refobjid
 where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and pg_relation_size(c.oid) > 0)";

constexpr const char* C_FUNCTIONS_SQL = R"(
select format('%s from %s', p.oid::regprocedure, p.probin) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where {users} and p.prolang = (select oid from pg_language where lanname = 'c') and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))";

constexpr const char* DOMAIN_CHECKS_SQL = R"(
select format('%s, %s', t.oid::regtype, k.conname), format('ALTER DOMAIN %s VALIDATE CONSTRAINT %I;', t.oid::regtype, k.conname) as fix
  from pg_constraint k join pg_type t on t.oid = k.contypid join pg_namespace n on n.oid = t.typnamespace where k.contype = 'c' and not k.convalidated and {users})";

/// Names of a statement's first column on the other side.
Result<std::set<std::string>> namesOn(const CheckSubject& s, Side side, const char* sql) {
    const Result<Rows> rows = s.sessions.query(side, "", sql);
    if (!rows) {
        return rows.error();
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        names.insert(rows->text(i, 0));
    }
    return names;
}

/// The schema copy names tablespaces; it stops at one that the other side does not have.
CheckAnswer tablespaces(const CheckSubject& s) {
    const Result<std::set<std::string>> there = namesOn(s, otherSide(s.side), "select spcname from pg_tablespace");
    const Result<Rows> used = s.sessions.query(
        s.side, s.database,
        "select distinct t.spcname, pg_tablespace_location(t.oid) from pg_class c join pg_tablespace t on t.oid = c.reltablespace where "
        "t.spcname not in ('pg_default', 'pg_global')");
    if (!there || !used) {
        return CheckAnswer::unknown((there ? used.error() : there.error()).text());
    }
    std::vector<std::string> missing;
    std::vector<FixStatement> fixes;
    for (std::size_t i = 0; i < used->size(); ++i) {
        if (there->count(used->text(i, 0)) == 0) {
            missing.push_back(fmt::format("{} ({})", used->text(i, 0), used->text(i, 1)));
        }
    }
    const Result<Rows> moves = s.sessions.query(s.side, s.database,
                                                "select format('ALTER %s %s SET TABLESPACE pg_default;', case when c.relkind in ('i', 'I') "
                                                "then 'INDEX' else 'TABLE' end, c.oid::regclass) "
                                                "from pg_class c join pg_tablespace t on t.oid = c.reltablespace where t.spcname not in "
                                                "('pg_default', 'pg_global') and c.relkind in "
                                                "('r', 'p', 'i', 'I', 'm')");
    for (std::size_t i = 0; !missing.empty() && moves && i < moves->size(); ++i) {
        fixes.push_back({moves->text(i, 0)});
    }
    return CheckAnswer::findings(missing, std::move(fixes));
}

/// Since 14 a column may name its compression; a server that was built without lz4 refuses the definition.
CheckAnswer compression(const CheckSubject& s) {
    const Result<Rows> methods = s.sessions.query(
        otherSide(s.side), "", "select array_to_string(enumvals, ' ') from pg_settings where name = 'default_toast_compression'");
    if (!methods) {
        return findingsOf(methods);
    }
    if (methods->text(0, 0).find("lz4") != std::string::npos) {
        return CheckAnswer::pass("the other side knows lz4");
    }
    return findingsOf(s.sessions.query(
        s.side, s.database,
        "select format('%s.%I', c.oid::regclass, a.attname), format('ALTER TABLE %s ALTER COLUMN %I SET COMPRESSION pglz;', "
        "c.oid::regclass, "
        "a.attname) as fix from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
        "where to_jsonb(a)->>'attcompression' = 'l' and n.nspname !~ '^pg_' and c.relkind in ('r', 'p', 'm') and not a.attisdropped"));
}

} // namespace

std::vector<CheckDefinition> structureChecks() {
    const std::string family = "structure";
    return {
        {.id = "OBJ02",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .when = BeforeReplication,
         .perDatabase = true,
         .question = "Does a key identify the rows of every large table?",
         .why = "With REPLICA IDENTITY FULL each UPDATE and DELETE writes the whole old row into the WAL and looks for it without a "
                "primary key: before 16 by reading the whole table.",
         .expected = "no REPLICA IDENTITY FULL",
         .fix = "Give the table a primary key; where it has a unique index of NOT NULL columns, let that identify the rows.",
         .source = "PostgreSQL 16 release notes; manual, Logical Replication: Publication",
         .sql = FULL_SQL},
        {.id = "OBJ05",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Does the database stand alone, without foreign servers?",
         .why =
             "Only definitions are carried over: green needs the way there, the wrapper's library and the passwords of the user mappings.",
         .expected = "none",
         .fix = "Prove from green's hosts that each can be reached; drop what nobody uses.",
         .source = "PostgreSQL manual, CREATE USER MAPPING",
         .sql = "select format('%s through %s', srvname, fdwname), format('DROP SERVER %I CASCADE;', srvname) as fix from "
                "pg_foreign_server s join "
                "pg_foreign_data_wrapper f on f.oid = s.srvfdw"},
        {.id = "OBJ08",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .when = Always,
         .perDatabase = true,
         .question = "Have all sequences room?",
         .why = "At the switch every sequence skips a gap; one that is nearly used up ends sooner.",
         .expected = "at most three quarters used",
         .fix = "Widen the sequence, and the column that it feeds; one that is bigint already needs other numbers.",
         .source = "PostgreSQL manual, ALTER SEQUENCE; cutover.sequence_gap of the plan",
         .sql = SEQUENCE_ROOM_SQL},
        {.id = "OBJ11",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .perDatabase = true,
         .question = "Is every materialized view filled?",
         .why = "Contents are not replicated: those that are filled are refreshed on green after the copy, the others stay empty, as here.",
         .expected = "all populated",
         .fix = "Fill it, or drop it if nobody reads it.",
         .source = "PostgreSQL manual, Logical Replication: Restrictions",
         .sql = "select format('%I.%I', n.nspname, c.relname), format('REFRESH MATERIALIZED VIEW %I.%I;', n.nspname, c.relname) as fix "
                "from pg_class c join pg_namespace n on "
                "n.oid = c.relnamespace where c.relkind = 'm' and not c.relispopulated and {users}"},
        {.id = "OBJ15",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .perDatabase = true,
         .question = "Are tables free of rules?",
         .why = "Apply bypasses rules: what they write is replicated from the source, but they do not run on the other side.",
         .expected = "none besides those of views",
         .fix = "See that nothing else depends on them; triggers are the better way.",
         .source = "PostgreSQL manual, Logical Replication: Architecture",
         .sql = "select format('%s on %I.%I', rulename, n.nspname, c.relname), format('DROP RULE %I ON %I.%I;', rulename, n.nspname, "
                "c.relname) as fix from pg_rewrite w join "
                "pg_class c on c.oid = w.ev_class join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and {users}"},
        {.id = "OBJ16",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .perDatabase = true,
         .question = "Are there no event triggers of others?",
         .why = "They fire during the schema copy and may change, log or refuse what it makes.",
         .expected = "none that is enabled",
         .fix = "Disable them for the time of the deployment.",
         .source = "PostgreSQL manual, Event Triggers",
         .sql = EVENT_TRIGGERS_SQL},
        {.id = "OBJ18",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Are the rows of extensions' own tables made by the extension?",
         .why = "Tables that belong to an extension are not replicated; rows that users added to them are missing on green.",
         .expected = "no extension table with rows",
         .fix = "Copy such rows by hand after CREATE EXTENSION on green; or take the table out of the extension.",
         .source = "PostgreSQL manual, Extension Configuration Tables",
         .sql = EXTENSION_TABLES_SQL},
        {.id = "OBJ20",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .perDatabase = true,
         .question = "Are all indexes valid?",
         .why = "An invalid index is not used, costs writes, and may hide that a unique one failed to be built.",
         .expected = "all",
         .fix = "Build it again; if that fails, mend the rows that it names.",
         .source = "PostgreSQL manual, CREATE INDEX CONCURRENTLY",
         .sql = "select i.indexrelid::regclass::text, format('REINDEX INDEX %s;', i.indexrelid::regclass) as fix from pg_index i join "
                "pg_class c on c.oid = i.indexrelid join "
                "pg_namespace n on n.oid = c.relnamespace where not i.indisvalid and {users} and c.relkind = 'i'"},
        {.id = "OBJ21",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Do functions of constraints, indexes and defaults bring their own search_path?",
         .why = "Copy and apply run with an empty search_path, and since 17 maintenance with a safe one: names without a schema are not "
                "found.",
         .expected = "a search_path of its own for each",
         .fix = "Give each the path that it was written for.",
         .source = "PostgreSQL 17 release notes, Migration; tried",
         .sql = SEARCH_PATH_SQL},
        {.id = "OBJ22",
         .family = family,
         .scope = Pair,
         .perDatabase = true,
         .question = "Does the other side have every tablespace in use?",
         .why = "The schema copy names them and stops at the first that is missing.",
         .expected = "each tablespace by the same name",
         .fix = "CREATE TABLESPACE on green with a folder there, or move the objects as here.",
         .source = "PostgreSQL manual, pg_dump --no-tablespaces",
         .evaluate = tablespaces},
        {.id = "OBJ26",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Do views leave the system's catalogs alone?",
         .why =
             "Columns of catalogs and statistics views come and go with major versions: such a view may not restore, or answer otherwise.",
         .expected = "none that reads pg_catalog",
         .fix = "Try it on green's version and rewrite it there; drop those that nobody uses.",
         .source = "PostgreSQL release notes 14 to 18, Migration: pg_stat_* columns",
         .sql = CATALOG_VIEWS_SQL},
        {.id = "OBJ27",
         .family = family,
         .severity = Severity::Info,
         .scope = Source,
         .when = Always,
         .perDatabase = true,
         .question = "Do sequences hand out their values one by one?",
         .why = "With CACHE each session takes a block: numbers that sessions hold at the switch are skipped for good.",
         .expected = "CACHE 1",
         .fix = "Nothing, if gaps do not matter.",
         .source = "PostgreSQL manual, CREATE SEQUENCE, CACHE",
         .sql = "select format('%I.%I, cache %s', s.schemaname, s.sequencename, s.cache_size), format('ALTER SEQUENCE %I.%I CACHE 1;', "
                "s.schemaname, s.sequencename) as fix from "
                "pg_sequences s join pg_namespace n on n.nspname = s.schemaname where s.cache_size > 1 and {users}"},
        {.id = "OBJ28",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .perDatabase = true,
         .question = "Do all functions in C belong to extensions?",
         .why = "A library of your own must be on green's hosts, built for its version; otherwise the schema copy stops.",
         .expected = "none outside of extensions",
         .fix = "Install the library for green's version, or drop the function.",
         .source = "PostgreSQL manual, C-Language Functions",
         .sql = C_FUNCTIONS_SQL},
        {.id = "OBJ29",
         .family = family,
         .scope = Pair,
         .perDatabase = true,
         .question = "Can the other side hold every column's compression?",
         .why = "A server built without lz4 refuses the definition of a column that uses it.",
         .expected = "lz4 there, or not used here",
         .fix = "Install a build with lz4 on green, or use pglz.",
         .source = "PostgreSQL manual, default_toast_compression",
         .evaluate = compression},
        {.id = "OBJ30",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are all constraints of domains validated?",
         .why = "The copy enforces them, so an old value that violates one stops it.",
         .expected = "all",
         .fix = "Mend the values that violate it, then validate.",
         .source = "PostgreSQL manual, ALTER DOMAIN, NOT VALID",
         .sql = DOMAIN_CHECKS_SQL},
    };
}

} // namespace tealdeck
