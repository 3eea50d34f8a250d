// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

/// What a reading role could write with, by itself or through a role that it is a member of. One row a reason; tables are counted.
constexpr const char* READ_ROLES_SQL = R"(
with wanted as (select unnest({read_roles}) as name),
     held as (select w.name, m.oid, m.rolname, m.rolsuper from wanted w join pg_roles r on r.rolname = w.name join pg_roles m on pg_has_role(r.oid, m.oid, 'MEMBER') where not r.rolsuper)
select w.name || ' does not exist', null::text as fix from wanted w where not exists (select from pg_roles r where r.rolname = w.name)
union all
select w.name || ' is a superuser', format('ALTER ROLE %I NOSUPERUSER;', w.name) from wanted w join pg_roles r on r.rolname = w.name where r.rolsuper
union all
select format('%s is a member of %s', name, rolname), format('REVOKE %I FROM %I;', rolname, name) from held where rolname <> name and (rolsuper or rolname in ('pg_write_all_data', 'pg_execute_server_program', 'pg_write_server_files', 'pg_maintain'))
union all
select format('%s may write to %s tables, such as %s (as %s)', h.name, count(*), min(format('%I.%I', n.nspname, c.relname)), h.rolname),
       case when h.rolname <> h.name then format('REVOKE %I FROM %I;', h.rolname, h.name) else string_agg(distinct format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA %I FROM %I;', n.nspname, h.name), ' ') end
  from held h, pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'f') and {users} and not h.rolsuper and has_schema_privilege(h.oid, n.oid, 'USAGE')
   and (has_table_privilege(h.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') or has_any_column_privilege(h.oid, c.oid, 'INSERT, UPDATE')) group by h.name, h.rolname
union all
select format('%s may advance %s sequences, such as %s (as %s)', h.name, count(*), min(format('%I.%I', n.nspname, c.relname)), h.rolname),
       case when h.rolname <> h.name then format('REVOKE %I FROM %I;', h.rolname, h.name) else string_agg(distinct format('REVOKE USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA %I FROM %I;', n.nspname, h.name), ' ') end
  from held h, pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'S' and {users} and not h.rolsuper and has_sequence_privilege(h.oid, c.oid, 'USAGE, UPDATE') group by h.name, h.rolname
union all
select format('%s owns %s objects, such as %s (as %s)', h.name, count(*), min(format('%I.%I', n.nspname, c.relname)), h.rolname), case when h.rolname <> h.name then format('REVOKE %I FROM %I;', h.rolname, h.name) end
  from held h join pg_class c on c.relowner = h.oid join pg_namespace n on n.oid = c.relnamespace where {users} and not h.rolsuper group by h.name, h.rolname
union all
select format('%s may create in schema %s (as %s)', h.name, n.nspname, h.rolname), case when h.rolname <> h.name then format('REVOKE %I FROM %I;', h.rolname, h.name) else format('REVOKE CREATE ON SCHEMA %I FROM %I, PUBLIC;', n.nspname, h.name) end from held h, pg_namespace n where {users} and not h.rolsuper and has_schema_privilege(h.oid, n.oid, 'CREATE')
union all
select format('%s may create schemas (as %s)', h.name, h.rolname), case when h.rolname <> h.name then format('REVOKE %I FROM %I;', h.rolname, h.name) else format('REVOKE CREATE ON DATABASE %I FROM %I, PUBLIC;', current_database(), h.name) end from held h where not h.rolsuper and has_database_privilege(h.oid, current_database(), 'CREATE'))";

} // namespace

std::vector<CheckDefinition> roleChecks() {
    const std::string family = "roles";
    return {
        {.id = "SEC00",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the console's role a superuser?",
         .why = "The fence, subscriptions and replication origins need it on every version; without it much of this list could only be "
                "guessed.",
         .expected = "superuser",
         .fix = "Make the user of blue.primary and green.primary in the plan a superuser.",
         .source = "PostgreSQL manual, CREATE SUBSCRIPTION (superuser up to 15)",
         .sql = "select current_user::text || ' is no superuser', format('ALTER ROLE %I SUPERUSER;', rolname) as fix from pg_roles where "
                "rolname = "
                "current_user and not rolsuper",
         .overridable = false},
        {.id = "SEC01",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the replication role complete?",
         .why = "The other side logs in with it to read changes and to copy tables, in both directions.",
         .expected = "LOGIN, REPLICATION and BYPASSRLS",
         .fix = "Give the user of [replication] in the plan what is missing; a new role needs its password too.",
         .source = "PostgreSQL manual, Logical Replication: Security",
         .sql = "select {repl_role} || ' ' || coalesce((select format('has login=%s, replication=%s, bypassrls=%s', rolcanlogin, "
                "rolreplication, rolbypassrls) from pg_roles where rolname = {repl_role}), 'does not exist'), "
                "format('%s ROLE %I LOGIN REPLICATION BYPASSRLS;', case when exists (select from pg_roles where rolname = {repl_role}) "
                "then 'ALTER' else 'CREATE' end, {repl_role}) as fix "
                "where not exists (select from pg_roles where rolname = {repl_role} and rolcanlogin and (rolsuper or (rolreplication and "
                "rolbypassrls)))",
         .overridable = false},
        {.id = "SEC02",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "May the replication role read every table?",
         .why = "The copy of a table that it can't read fails again and again.",
         .expected = "USAGE on schemas and SELECT on tables",
         .fix = "Let it read; from 14 on membership in pg_read_all_data is enough.",
         .source = "PostgreSQL manual, Logical Replication: Security",
         .sql =
             "select format('%I.%I', n.nspname, c.relname), format('GRANT USAGE ON SCHEMA %I TO {repl_name}; GRANT SELECT ON ALL TABLES IN "
             "SCHEMA %I TO {repl_name};', n.nspname, n.nspname) as fix from pg_roles r, pg_class c join pg_namespace n on n.oid = "
             "c.relnamespace "
             "where r.rolname = {repl_role} and c.relkind in ('r', 'p') and c.relpersistence = 'p' "
             "and {users} and not (has_table_privilege(r.oid, c.oid, 'SELECT') and has_schema_privilege(r.oid, n.oid, 'USAGE'))"},
        {.id = "SEC08",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are there other superusers that can log in?",
         .why = "Taking away CONNECT does not stop a superuser: the fence has to take its right to log in.",
         .expected = "none besides the console's role and postgres",
         .fix = "Take away the log-in, or the superuser right.",
         .source = "PostgreSQL manual, Role Attributes; tried",
         .sql = "select rolname, format('ALTER ROLE %I NOLOGIN;', rolname) as fix from pg_roles where rolsuper and rolcanlogin and rolname "
                "<> current_user and oid "
                "<> 10"},
        {.id = "SEC09",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .perDatabase = true,
         .question = "Can the reading roles really not write?",
         .why = "They stay connected to both sides during the whole deployment; whatever they write on the side that follows is lost or "
                "stops it.",
         .expected = "no privilege to write, no ownership, no membership in roles that have them",
         .fix = "Take the right away, or take the role out of roles.reads in the plan.",
         .source = "PostgreSQL manual, Privileges",
         .sql = READ_ROLES_SQL},
    };
}

} // namespace tealdeck
