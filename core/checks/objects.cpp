// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

std::vector<CheckDefinition> objectChecks() {
    const std::string family = "objects";
    return {
        {.id = "OBJ01",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Does every table have a key that identifies its rows?",
         .why = "As soon as a table without one is published, UPDATE and DELETE on it fail; with identity_full of the plan it gets REPLICA "
                "IDENTITY FULL, which is slow for large tables.",
         .expected = "a primary key, or a replica identity",
         .fix = "Best is a primary key (ALTER TABLE ... ADD PRIMARY KEY); without one, let a unique index of NOT NULL columns or the whole "
                "row identify it.",
         .source = "PostgreSQL manual, Logical Replication: Publication; tried",
         .sql = "select format('%I.%I', n.nspname, c.relname), pg_size_pretty(pg_total_relation_size(c.oid)), format('ALTER TABLE %I.%I "
                "REPLICA IDENTITY %s;', "
                "n.nspname, c.relname, coalesce('USING INDEX ' || {key_index}, 'FULL')) as fix from pg_class c join "
                "pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind in ('r', 'p') and c.relpersistence = 'p' and {users} and {not_extension} and {no_key} order by "
                "pg_total_relation_size(c.oid) desc",
         .severityFor = [](const Plan& plan) { return plan.replication.identityFull ? Severity::Warning : Severity::Blocking; },
         .overridable = false},
        {.id = "OBJ03",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Can rows without a key be compared?",
         .why = "With REPLICA IDENTITY FULL apply compares whole rows, and stops at a type without an equality operator, such as json, xml "
                "or point.",
         .expected = "an equality operator for each column of such tables",
         .fix = "Give each a primary key (ALTER TABLE ... ADD PRIMARY KEY), or let a unique index of NOT NULL columns identify its rows.",
         .source = "PostgreSQL manual, Logical Replication: Publication; tried",
         .sql = "select format('%I.%I.%I', n.nspname, c.relname, a.attname), t.typname, 'ALTER TABLE ' || format('%I.%I', n.nspname, "
                "c.relname) || ' REPLICA IDENTITY "
                "USING INDEX ' || {key_index} || ';' as fix from pg_class c join pg_namespace n on n.oid = "
                "c.relnamespace "
                "join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped join pg_type t on t.oid = a.atttypid "
                "where c.relkind in ('r', 'p') and c.relpersistence = 'p' and {users} and {not_extension} and (c.relreplident = 'f' or "
                "({identity_full} and {no_key})) and t.typtype = 'b' and t.typcategory <> 'A' "
                "and not exists (select from pg_opclass o where (o.opcintype = t.oid or exists (select from pg_cast k where k.castsource = "
                "t.oid and k.casttarget = o.opcintype and k.castmethod = 'b' "
                "and k.castcontext = 'i')) and o.opcdefault and o.opcmethod in (403, 405))",
         .overridable = false},
        {.id = "OBJ04",
         .family = family,
         .scope = Source,
         .when = Always,
         .perDatabase = true,
         .question = "Are there unlogged tables?",
         .why = "They are not in the WAL and can't be published: on the other side they would be empty.",
         .expected = "none",
         .fix = "Log them, or drop those whose rows nobody needs.",
         .source = "PostgreSQL manual, CREATE PUBLICATION",
         .sql =
             "select format('%I.%I', n.nspname, c.relname), pg_size_pretty(pg_total_relation_size(c.oid)), format('ALTER TABLE %I.%I SET "
             "LOGGED;', n.nspname, c.relname) as fix from pg_class c join pg_namespace n on n.oid = c.relnamespace "
             "where c.relkind = 'r' and c.relpersistence = 'u' and {users}"},
        {.id = "OBJ06",
         .family = family,
         .scope = Source,
         .when = Always,
         .perDatabase = true,
         .question = "Are there large objects?",
         .why = "Logical replication does not carry them at all.",
         .expected = "none",
         .fix = "Move into bytea columns what is needed; only then remove them all.",
         .fixSql = "SELECT lo_unlink(oid) FROM pg_largeobject_metadata;",
         .source = "PostgreSQL manual, Logical Replication: Restrictions",
         .sql = "select count(*) || ' large objects' from pg_largeobject_metadata having count(*) > 0"},
        {.id = "OBJ10",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Is a generated column part of what identifies a row?",
         .why =
             "A server of 18 or newer refuses UPDATE and DELETE once such a table is published for the way back, and apply stops with it.",
         .expected = "none",
         .fix = "Let a unique index of NOT NULL columns identify the rows, without generated ones; where no statement follows, make such "
                "an index first.",
         .source = "PostgreSQL 18 manual, Logical Replication: Generated Column Replication; tried",
         .sql = "select format('%I.%I.%I', n.nspname, c.relname, a.attname), 'ALTER TABLE ' || format('%I.%I', n.nspname, c.relname) || ' "
                "REPLICA IDENTITY "
                "USING INDEX ' || {key_index} || ';' as fix from pg_attribute a join pg_class c on c.oid = a.attrelid join "
                "pg_namespace n on n.oid = c.relnamespace "
                "where a.attgenerated <> '' and c.relkind in ('r', 'p') and c.relpersistence = 'p' and {users} and (c.relreplident = 'f' "
                "or ({identity_full} and {no_key}) or exists (select from pg_index i where i.indrelid = c.oid "
                "and ((c.relreplident = 'd' and i.indisprimary) or (c.relreplident = 'i' and i.indisreplident)) and a.attnum = "
                "any(i.indkey::int2[])))",
         .overridable = false},
        {.id = "OBJ13",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are all CHECK constraints validated?",
         .why = "The copy enforces them, so an old row that violates one stops it.",
         .expected = "all",
         .fix = "Mend the rows that violate it, then validate.",
         .source = "tried: the table copy fails",
         .sql = "select format('%I.%I', n.nspname, c.relname), conname, pg_get_constraintdef(k.oid), format('ALTER TABLE %I.%I VALIDATE "
                "CONSTRAINT %I;', n.nspname, c.relname, conname) as fix from pg_constraint k join pg_class c "
                "on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace "
                "where k.contype = 'c' and not k.convalidated and {users}"},
        {.id = "OBJ14",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Are there triggers that fire for replicated rows?",
         .why = "ENABLE ALWAYS and ENABLE REPLICA triggers fire once more on the other side: effects happen twice, and fail while it is "
                "read-only.",
         .expected = "none",
         .fix = "Let them fire for clients only, for the time of the deployment.",
         .source = "PostgreSQL manual, Logical Replication: Architecture; tried",
         .sql = "select format('%I.%I', n.nspname, c.relname), tgname, case tgenabled when 'A' then 'ALWAYS' else 'REPLICA' end, "
                "format('ALTER TABLE %I.%I ENABLE TRIGGER %I;', n.nspname, c.relname, tgname) as fix from "
                "pg_trigger t join pg_class c on c.oid = t.tgrelid "
                "join pg_namespace n on n.oid = c.relnamespace where not tgisinternal and tgenabled in ('A', 'R') and {users}"},
        {.id = "OBJ17",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Does the replication role see every row of tables with row security?",
         .why = "Without BYPASSRLS only the visible rows are copied, silently: 100 of 1000 in a trial.",
         .expected = "the replication role has BYPASSRLS, or no table has row security",
         .fix = "Let the role of [replication] in the plan see every row.",
         .fixSql = "ALTER ROLE {repl_name} BYPASSRLS;",
         .source = "PostgreSQL manual, Logical Replication: Security; tried",
         .sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where "
                "c.relrowsecurity and {users} "
                "and not exists (select from pg_roles where rolname = {repl_role} and (rolbypassrls or rolsuper))"},
    };
}

} // namespace tealdeck
