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
select w.name || ' does not exist' from wanted w where not exists (select from pg_roles r where r.rolname = w.name)
union all
select w.name || ' is a superuser' from wanted w join pg_roles r on r.rolname = w.name where r.rolsuper
union all
select format('%s is a member of %s', name, rolname) from held where rolname <> name and (rolsuper or rolname in ('pg_write_all_data', 'pg_execute_server_program', 'pg_write_server_files', 'pg_maintain'))
union all
select format('%s may write to %s tables, such as %s (as %s)', h.name, count(*), min(format('%I.%I', n.nspname, c.relname)), h.rolname)
  from held h, pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'f') and {users} and not h.rolsuper and has_schema_privilege(h.oid, n.oid, 'USAGE')
   and (has_table_privilege(h.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') or has_any_column_privilege(h.oid, c.oid, 'INSERT, UPDATE')) group by h.name, h.rolname
union all
select format('%s may advance %s sequences, such as %s (as %s)', h.name, count(*), min(format('%I.%I', n.nspname, c.relname)), h.rolname)
  from held h, pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'S' and {users} and not h.rolsuper and has_sequence_privilege(h.oid, c.oid, 'USAGE, UPDATE') group by h.name, h.rolname
union all
select format('%s owns %s objects, such as %s (as %s)', h.name, count(*), min(format('%I.%I', n.nspname, c.relname)), h.rolname)
  from held h join pg_class c on c.relowner = h.oid join pg_namespace n on n.oid = c.relnamespace where {users} and not h.rolsuper group by h.name, h.rolname
union all
select format('%s may create in schema %s (as %s)', h.name, n.nspname, h.rolname) from held h, pg_namespace n where {users} and not h.rolsuper and has_schema_privilege(h.oid, n.oid, 'CREATE')
union all
select format('%s may create schemas (as %s)', h.name, h.rolname) from held h where not h.rolsuper and has_database_privilege(h.oid, current_database(), 'CREATE'))";

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
         .fix = "ALTER ROLE ... SUPERUSER; for the user of blue.primary and green.primary in the plan.",
         .source = "PostgreSQL manual, CREATE SUBSCRIPTION (superuser up to 15)",
         .sql = "select current_user::text || ' is no superuser' from pg_roles where rolname = current_user and not rolsuper"},
        {.id = "SEC01",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the replication role complete?",
         .why = "The other side logs in with it to read changes and to copy tables, in both directions.",
         .expected = "LOGIN, REPLICATION and BYPASSRLS",
         .fix =
             "CREATE ROLE ... LOGIN REPLICATION BYPASSRLS; or ALTER ROLE with what is missing; for the user of [replication] in the plan.",
         .source = "PostgreSQL manual, 31.9 Security",
         .sql = "select {repl_role} || ' ' || coalesce((select format('has login=%s, replication=%s, bypassrls=%s', rolcanlogin, "
                "rolreplication, rolbypassrls) from pg_roles where rolname = {repl_role}), 'does not exist') "
                "where not exists (select from pg_roles where rolname = {repl_role} and rolcanlogin and (rolsuper or (rolreplication and "
                "rolbypassrls)))"},
        {.id = "SEC02",
         .family = family,
         .scope = Source,
         .when = Always,
         .perDatabase = true,
         .question = "May the replication role read every table?",
         .why = "The copy of a table that it can't read fails again and again.",
         .expected = "USAGE on schemas and SELECT on tables",
         .fix = "GRANT pg_read_all_data TO ...; (14 and newer), or GRANT USAGE ON SCHEMA and SELECT ON ALL TABLES IN SCHEMA.",
         .source = "PostgreSQL manual, 31.9 Security",
         .sql = "select format('%I.%I', n.nspname, c.relname) from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace "
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
         .fix = "ALTER ROLE ... NOLOGIN; or NOSUPERUSER.",
         .source = "PostgreSQL manual, 22.2 Role Attributes; tried",
         .sql = "select rolname from pg_roles where rolsuper and rolcanlogin and rolname <> current_user and oid <> 10"},
        {.id = "SEC09",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .perDatabase = true,
         .question = "Can the reading roles really not write?",
         .why = "They stay connected to both sides during the whole deployment; whatever they write on the side that follows is lost or "
                "stops it.",
         .expected = "no privilege to write, no ownership, no membership in roles that have them",
         .fix = "REVOKE what is named, or take the role out of roles.reads in the plan.",
         .source = "PostgreSQL manual, 5.7 Privileges",
         .sql = READ_ROLES_SQL},
    };
}

} // namespace tealdeck
