// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/postgres/sql.h"
#include "core/replication/schema_copy.h"

#include <fmt/format.h>
#include <set>

namespace tealdeck::schema_copy {
namespace {

constexpr const char* ROLES_SQL = R"(
select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolpassword, rolvaliduntil::text
  from pg_authid where rolname !~ '^pg_' order by oid)";
constexpr const char* MEMBERS_SQL = R"(
select distinct r.rolname, m.rolname, a.admin_option
  from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member where m.rolname !~ '^pg_' order by 1, 2)";
constexpr const char* ROLE_SETTINGS_SQL = R"(
select r.rolname, split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c
 where s.setdatabase = 0)";
constexpr const char* DATABASE_SETTINGS_SQL = R"(
select coalesce(r.rolname, ''), split_part(c, '=', 1), substr(c, strpos(c, '=') + 1) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
  left join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) c where d.datname = $1 and c not like 'default_transaction_read_only=%')";
constexpr const char* DATABASE_GRANTS_SQL = R"(
select coalesce(r.rolname, ''), x.privilege_type, x.is_grantable from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
  left join pg_roles r on r.oid = x.grantee where d.datname = $1)";

Result<std::set<std::string>> roleNames(Connection& session) {
    const Result<Rows> rows = session.query("select rolname from pg_roles");
    if (!rows) {
        return rows.error();
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        names.insert(rows->text(i, 0));
    }
    return names;
}

std::string createRole(const Rows& r, std::size_t i) {
    const auto flag = [&](std::size_t column, const char* word) {
        return (r.text(i, column) == "t" ? std::string(" ") : std::string(" no")) + word;
    };
    std::string sql = "create role " + quoteIdentifier(r.text(i, 0)) + flag(1, "superuser") + flag(2, "inherit") + flag(3, "createrole") +
                      flag(4, "createdb") + flag(5, "login") + flag(6, "replication") + flag(7, "bypassrls") + " connection limit " +
                      r.text(i, 8);
    if (!r.text(i, 9).empty()) {
        sql += " password " + quoteLiteral(r.text(i, 9)); // a hash is stored as it is
    }
    if (!r.text(i, 10).empty()) {
        sql += " valid until " + quoteLiteral(r.text(i, 10));
    }
    return sql;
}

/// Settings are taken over by SET FROM CURRENT: quoting lists such as search_path by hand goes wrong too easily.
Status setFromCurrent(Connection& session, const std::string& target, const std::string& name, const std::string& value) {
    if (const auto set = session.query("select set_config($1, $2, false)", {name, value}); !set) {
        return set.error();
    }
    const auto altered = session.batch(fmt::format("alter {} set {} from current; reset {}; set search_path = pg_catalog", target,
                                                   quoteIdentifier(name), quoteIdentifier(name)));
    return altered.ok() ? Status() : Status(altered.error());
}

} // namespace

Status copyRoles(Connection& blue, Connection& green) {
    const Result<Rows> roles = blue.query(ROLES_SQL);
    const Result<Rows> members = blue.query(MEMBERS_SQL);
    const Result<Rows> settings = blue.query(ROLE_SETTINGS_SQL);
    Result<std::set<std::string>> present = roleNames(green);
    for (const Result<Rows>* r : {&roles, &members, &settings}) {
        if (!r->ok()) {
            return r->error();
        }
    }
    if (!present) {
        return present.error();
    }
    std::set<std::string> created;
    for (std::size_t i = 0; i < roles->size(); ++i) {
        const std::string name = roles->text(i, 0);
        if (present->count(name) != 0) {
            continue;
        }
        if (const auto done = green.secretBatch(createRole(*roles, i)); !done) {
            return done.error();
        }
        created.insert(name);
        present->insert(name);
    }
    for (std::size_t i = 0; i < members->size(); ++i) {
        if (present->count(members->text(i, 0)) == 0 || created.count(members->text(i, 1)) == 0) {
            continue; // a predefined role that green does not have, or a role that green had before
        }
        const auto done =
            green.batch(fmt::format("grant {} to {}{}", quoteIdentifier(members->text(i, 0)), quoteIdentifier(members->text(i, 1)),
                                    members->text(i, 2) == "t" ? " with admin option" : ""));
        if (!done) {
            return done.error();
        }
    }
    for (std::size_t i = 0; i < settings->size(); ++i) {
        if (created.count(settings->text(i, 0)) == 0) {
            continue;
        }
        if (const Status done =
                setFromCurrent(green, "role " + quoteIdentifier(settings->text(i, 0)), settings->text(i, 1), settings->text(i, 2));
            !done) {
            return done;
        }
    }
    return {};
}

Result<bool> createDatabase(Connection& blue, Connection& green, const std::string& database, const std::string& as) {
    const std::string& target = as.empty() ? database : as;
    const Result<Rows> there = green.query("select 1 from pg_database where datname = $1", {target});
    if (!there) {
        return there.error();
    }
    // Columns by to_jsonb: datlocprovider came with 15, daticulocale was renamed in 17.
    const Result<Rows> found = blue.query("select pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, r.rolname, d.datconnlimit, "
                                          "coalesce(to_jsonb(d)->>'datlocprovider', 'c'), "
                                          "coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale', '') from pg_database d join "
                                          "pg_roles r on r.oid = d.datdba where d.datname = $1",
                                          {database});
    const Result<Rows> grants = blue.query(DATABASE_GRANTS_SQL, {database});
    const Result<Rows> settings = blue.query(DATABASE_SETTINGS_SQL, {database});
    for (const Result<Rows>* r : {&found, &grants, &settings}) {
        if (!r->ok()) {
            return r->error();
        }
    }
    if (found->empty()) {
        return Error{
            Error::Kind::Invalid, fmt::format("BLUE has no database {}.", database), "Correct deployment.databases in the plan.", {}};
    }
    const std::string name = quoteIdentifier(target);
    if (there->empty()) {
        std::string sql =
            fmt::format("create database {} template template0 encoding {} lc_collate {} lc_ctype {} owner {} connection limit {}", name,
                        quoteLiteral(found->text(0, 0)), quoteLiteral(found->text(0, 1)), quoteLiteral(found->text(0, 2)),
                        quoteIdentifier(found->text(0, 3)), found->text(0, 4));
        if (green.serverVersion() >= 150000) {
            sql += found->text(0, 5) == "i" ? " locale_provider icu icu_locale " + quoteLiteral(found->text(0, 6))
                                            : std::string(" locale_provider libc");
        }
        if (const auto done = green.batch(sql, Millis(60000)); !done) {
            return done.error();
        }
    }
    // CONNECT is not given yet: the database is opened to clients only by the switch.
    std::string sql = fmt::format("revoke all on database {} from public", name);
    for (std::size_t i = 0; i < grants->size(); ++i) {
        if (grants->text(i, 1) != "CONNECT") {
            sql += fmt::format("; grant {} on database {} to {}{}", grants->text(i, 1), name,
                               grants->text(i, 0).empty() ? std::string("public") : quoteIdentifier(grants->text(i, 0)),
                               grants->text(i, 2) == "t" && !grants->text(i, 0).empty() ? " with grant option" : "");
        }
    }
    if (const auto done = green.batch(sql); !done) {
        return done.error();
    }
    for (std::size_t i = 0; i < settings->size(); ++i) {
        const std::string role = settings->text(i, 0);
        const std::string where = role.empty() ? "database " + name : fmt::format("role {} in database {}", quoteIdentifier(role), name);
        if (const Status done = setFromCurrent(green, where, settings->text(i, 1), settings->text(i, 2)); !done) {
            return done.error();
        }
    }
    return there->empty();
}

} // namespace tealdeck::schema_copy
