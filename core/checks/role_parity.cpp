// SPDX-License-Identifier: GPL-3.0-or-later
// Roles on both sides: who may log in, with which rights and settings, and how the servers let them in.
#include "core/checks/catalogue.h"
#include "core/checks/runner.h"
#include "core/postgres/sql.h"

#include <fmt/format.h>
#include <map>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

/// Key → the other columns of its row.
Result<std::map<std::string, std::vector<std::string>>> keyed(const CheckSubject& s, Side side, const std::string& sql) {
    const Result<Rows> rows = s.sessions.query(side, "", sql);
    if (!rows) {
        return rows.error();
    }
    std::map<std::string, std::vector<std::string>> found;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        for (std::size_t c = 1; c < rows->columns.size(); ++c) {
            found[rows->text(i, 0)].push_back(rows->text(i, c));
        }
    }
    return found;
}

/// Rows of the source that the destination lacks or has otherwise. First column the key, second what is compared, third the statement that
/// makes the destination's like the source's; an empty second column there counts as missing. `onlyExisting`: what is missing there is no
/// finding.
CheckAnswer compareRows(const CheckSubject& s, const char* sql, bool onlyExisting, bool showValues) {
    const std::string filled = fillPlaceholders(sql, s.plan(), s.context);
    const auto here = keyed(s, s.side, filled);
    const auto there = keyed(s, otherSide(s.side), filled);
    if (!here || !there) {
        return CheckAnswer::unknown((here ? there : here).error().text());
    }
    const char* other = sideName(otherSide(s.side));
    std::vector<std::string> found;
    std::vector<FixStatement> fixes;
    for (const auto& [key, values] : *here) {
        const auto match = there->find(key);
        if (match == there->end() ? onlyExisting : match->second[0] == values[0]) {
            continue;
        }
        if (match == there->end()) {
            found.push_back(fmt::format("{} is missing on {}", key, other));
        } else {
            found.push_back(showValues ? fmt::format("{}: {} here, {} on {}", key, values[0], match->second[0], other) : key + " differs");
        }
        if (!values[1].empty()) {
            fixes.push_back({values[1], otherSide(s.side)});
        }
    }
    return CheckAnswer::findings(found, std::move(fixes));
}

constexpr const char* ROLES_SQL = R"(
select rolname, '', format('CREATE ROLE %I%s;', rolname, case when rolcanlogin then ' LOGIN' else '' end) from pg_roles where rolname !~ '^pg_' order by 1)";

constexpr const char* ATTRIBUTES_SQL = R"(
select rolname, concat_ws(' ', case when rolsuper then 'superuser' end, case when not rolinherit then 'noinherit' end, case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
       case when rolcanlogin then 'login' end, case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end, 'limit ' || rolconnlimit, 'until ' || nullif(rolvaliduntil, 'infinity')),
       format('ALTER ROLE %I %s CONNECTION LIMIT %s VALID UNTIL %L;', rolname, concat_ws(' ', case when rolsuper then 'SUPERUSER' else 'NOSUPERUSER' end, case when rolinherit then 'INHERIT' else 'NOINHERIT' end,
       case when rolcreaterole then 'CREATEROLE' else 'NOCREATEROLE' end, case when rolcreatedb then 'CREATEDB' else 'NOCREATEDB' end, case when rolcanlogin then 'LOGIN' else 'NOLOGIN' end,
       case when rolreplication then 'REPLICATION' else 'NOREPLICATION' end, case when rolbypassrls then 'BYPASSRLS' else 'NOBYPASSRLS' end), rolconnlimit, coalesce(rolvaliduntil::text, 'infinity'))
  from pg_roles where rolname !~ '^pg_' and rolname <> current_user and oid <> 10)";

/// Without the replication role: it is the deployment's own, and other checks ask what it needs.
constexpr const char* MEMBERS_SQL = R"(
select distinct format('%I in %I', m.rolname, r.rolname), 'member', format('GRANT %I TO %I;', r.rolname, m.rolname)
  from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member where m.rolname !~ '^pg_' and m.rolname <> {repl_role} order by 1)";

constexpr const char* SETTINGS_SQL = R"(
select format('%s of %s', split_part(c, '=', 1), concat_ws(' in ', coalesce(r.rolname, 'all'), d.datname)), substr(c, strpos(c, '=') + 1),
       format('ALTER %s SET %I = %s;', case when r.oid is null then format('DATABASE %I', d.datname) when d.oid is null then format('ROLE %I', r.rolname) else format('ROLE %I IN DATABASE %I', r.rolname, d.datname) end,
       split_part(c, '=', 1), case when split_part(c, '=', 1) in ('search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries') then substr(c, strpos(c, '=') + 1) else quote_literal(substr(c, strpos(c, '=') + 1)) end)
  from pg_db_role_setting x left join pg_database d on d.oid = x.setdatabase left join pg_roles r on r.oid = x.setrole, unnest(x.setconfig) c
 where split_part(c, '=', 1) <> 'default_transaction_read_only')";

/// The secret itself never leaves the server: a digest is compared, and no statement is offered that would show it.
constexpr const char* PASSWORDS_SQL =
    "select rolname, coalesce(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), ''), '' from "
    "pg_authid where rolcanlogin and not rolreplication and rolname !~ '^pg_' and rolname <> current_user and oid <> 10";

constexpr const char* HBA_SQL = R"(
select concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), address, netmask), concat_ws(' ', auth_method, array_to_string(options, ' ')), ''
  from pg_hba_file_rules where error is null)";

/// Only before the copy: the roles that are there already keep what they have.
CheckAnswer attributesOfExisting(const CheckSubject& s) {
    return compareRows(s, ATTRIBUTES_SQL, true, true);
}
CheckAnswer rolesThere(const CheckSubject& s) {
    return compareRows(s, ROLES_SQL, false, true);
}
CheckAnswer membersThere(const CheckSubject& s) {
    return compareRows(s, MEMBERS_SQL, false, true);
}
CheckAnswer settingsThere(const CheckSubject& s) {
    return compareRows(s, SETTINGS_SQL, false, true);
}
CheckAnswer passwordsOfExisting(const CheckSubject& s) {
    return compareRows(s, PASSWORDS_SQL, true, false);
}
CheckAnswer hbaThere(const CheckSubject& s) {
    return compareRows(s, HBA_SQL, false, true);
}

constexpr const char* REPL_TIMEOUT_SQL = R"(
select format('%s of %s', c, concat_ws(' in ', coalesce(r.rolname, 'all'), d.datname)),
       format('ALTER ROLE {repl_name} SET %I = 0;', split_part(c, '=', 1)) as fix
  from pg_db_role_setting x left join pg_database d on d.oid = x.setdatabase left join pg_roles r on r.oid = x.setrole, unnest(x.setconfig) c
 where split_part(c, '=', 1) in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout') and split_part(c, '=', 2) not in ('0', '')
   and (r.rolname = {repl_role} or (r.oid is null and not exists (select from pg_db_role_setting y join pg_roles q on q.oid = y.setrole, unnest(y.setconfig) z where q.rolname = {repl_role} and y.setdatabase in (0, x.setdatabase)
        and split_part(z, '=', 1) = split_part(c, '=', 1)))))";

constexpr const char* SERVER_TIMEOUT_SQL = R"(
select format('%s = %s%s', name, reset_val, unit), format('ALTER ROLE {repl_name} SET %I = 0;', name) as fix from pg_settings
 where name in ('statement_timeout', 'transaction_timeout') and source <> 'default' and reset_val <> '0' and boot_val <> reset_val
   and not exists (select from pg_db_role_setting y join pg_roles q on q.oid = y.setrole, unnest(y.setconfig) z where q.rolname = {repl_role} and split_part(z, '=', 1) = name))";

} // namespace

std::vector<CheckDefinition> roleParityChecks() {
    const std::string family = "roles";
    return {
        {.id = "SEC03",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the replication role free of time-outs?",
         .why = "A statement_timeout ends the copy of every table that takes longer, and the copy begins again and again.",
         .expected = "no time-out for the role of [replication], nor for all roles",
         .fix = "Take the time-out away from that role.",
         .source = "PostgreSQL manual, statement_timeout; Logical Replication: Initial Snapshot",
         .sql = std::string(REPL_TIMEOUT_SQL) + " union all " + SERVER_TIMEOUT_SQL,
         .blocksRollback = false},
        {.id = "SEC10",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Does the other side let in the same clients in the same way?",
         .why = "A line of pg_hba.conf that is missing refuses its clients after the switch.",
         .expected = "each rule there too, with the same method",
         .fix = "Add the lines to pg_hba.conf there and SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, pg_hba_file_rules",
         .evaluate = hbaThere},
        {.id = "SEC11",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Does everybody need a password or a certificate?",
         .why = "A rule \"trust\" lets anyone in as anyone, past the fence's intent too.",
         .expected = "no rule with method trust",
         .fix = "Use scram-sha-256 in pg_hba.conf and SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, Trust Authentication",
         .sql = "select format('line %s: %s %s %s', line_number, type, array_to_string(database, ','), array_to_string(user_name, ',')) "
                "from pg_hba_file_rules where auth_method = 'trust'"},
        {.id = "SEC12",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is pg_hba.conf free of errors?",
         .why = "With an error the old rules stay in force, and a restart does not come up.",
         .expected = "no line with an error",
         .fix = "Correct the line and SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, The pg_hba.conf File",
         .sql = "select format('line %s: %s', line_number, error) from pg_hba_file_rules where error is not null",
         .blocksRollback = false},
        {.id = "ROL02",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Have roles that exist on both sides the same attributes?",
         .why = "The copy of the roles leaves alone what is there already; a role with other rights works otherwise after the switch.",
         .expected = "equal attributes, limits and ends of validity",
         .fix = "Make the other side's role like this one.",
         .source = "PostgreSQL manual, Role Attributes",
         .evaluate = attributesOfExisting},
        {.id = "ROL05",
         .family = family,
         .severity = Severity::Info,
         .scope = Pair,
         .when = Always,
         .question = "Have clients' roles that exist on both sides the same stored secret?",
         .why = "Two SCRAM secrets may hold the same password with another salt, but a pooler that passes SCRAM on needs the very same "
                "one. A digest is compared that the servers compute.",
         .expected = "equal secrets",
         .fix = "Set the password of one side's pg_authid on the other; where clients log in by themselves, only see that they know the "
                "password.",
         .source = "PostgreSQL manual, pg_authid; pgbouncer(5), auth_file",
         .evaluate = passwordsOfExisting},
        {.id = "ROL01",
         .family = family,
         .scope = Pair,
         .when = BeforeCutover,
         .question = "Is every role on the other side?",
         .why = "A role that was created after the copy can't log in after the switch.",
         .expected = "all",
         .fix = "Create it there, with its attributes and its password.",
         .source = "PostgreSQL manual, Logical Replication: Restrictions",
         .evaluate = rolesThere,
         .blocksRollback = false,
         .validForSeconds = 120},
        {.id = "ROL03",
         .family = family,
         .scope = Pair,
         .when = BeforeCutover,
         .question = "Are roles members of the same roles?",
         .why = "Rights that come by membership are missing after the switch.",
         .expected = "each membership there too",
         .fix = "Grant it there.",
         .source = "PostgreSQL manual, Role Membership",
         .evaluate = membersThere,
         .blocksRollback = false,
         .validForSeconds = 120},
        {.id = "ROL04",
         .family = family,
         .scope = Pair,
         .when = BeforeCutover,
         .question = "Have roles and databases the same settings?",
         .why = "A search_path or a time-out of a role changes what its statements mean.",
         .expected = "equal settings of roles and databases",
         .fix = "Set it there.",
         .source = "PostgreSQL manual, ALTER ROLE, SET",
         .evaluate = settingsThere,
         .blocksRollback = false,
         .validForSeconds = 120},
        {.id = "ROL06",
         .family = family,
         .severity = Severity::Warning,
         .scope = Source,
         .when = Always,
         .question = "Stay all roles valid during the deployment?",
         .why = "A password that expires in these days looks like a fault of the upgrade.",
         .expected = "no VALID UNTIL within two weeks from now",
         .fix = "Extend it on both sides.",
         .source = "PostgreSQL manual, CREATE ROLE, VALID UNTIL",
         .sql = "select format('%s until %s', rolname, rolvaliduntil), format('ALTER ROLE %I VALID UNTIL ''infinity'';', rolname) as fix "
                "from pg_roles where rolcanlogin and rolvaliduntil < now() + interval '14 days'"},
    };
}

} // namespace tealdeck
