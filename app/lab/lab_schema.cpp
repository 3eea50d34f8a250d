// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_schema.h"

#include "app/lab/sql_client.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

/// One transaction of `many` stays far below what the lock table holds.
constexpr int TABLES_AT_ONCE = 500;

std::string pgbenchSql(int scale) {
    return fmt::format(R"(
create table public.pgbench_branches(bid int primary key, bbalance int, filler char(88));
create table public.pgbench_tellers(tid int primary key, bid int references public.pgbench_branches, tbalance int, filler char(84));
create table public.pgbench_accounts(aid int primary key, bid int references public.pgbench_branches, abalance int, filler char(84));
create table public.pgbench_history(tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
insert into public.pgbench_branches select i, 0, '' from generate_series(1, {0}) i;
insert into public.pgbench_tellers select i, (i - 1) / 10 + 1, 0, '' from generate_series(1, 10 * {0}) i;
insert into public.pgbench_accounts select i, (i - 1) / 100000 + 1, 0, '' from generate_series(1, 100000 * {0}) i;
)",
                       scale);
}

std::string manySql(int first, int last) {
    return fmt::format(R"(
do $$ begin
  for i in {}..{} loop
    execute format('create table public.%I(id bigint primary key, payload text, at timestamptz default now())', 't_' || lpad(i::text, 6, '0'));
    execute format('insert into public.%I select g, md5(g::text) from generate_series(1, 10) g', 't_' || lpad(i::text, 6, '0'));
  end loop;
end $$;
)",
                       first, last);
}

std::string grantsBefore(const std::string& database) {
    return fmt::format(R"(
grant connect on database {0} to tealdeck_repl, shop_app, shop_reader, shop_test;
set role shop_owner;
alter default privileges for role shop_owner grant select on tables to shop_reader, tealdeck_repl;
alter default privileges for role shop_owner grant select, insert, update, delete on tables to shop_app, shop_test;
alter default privileges for role shop_owner grant usage, select, update on sequences to shop_app, shop_test;
alter default privileges for role shop_owner grant usage on schemas to shop_app, shop_reader, shop_test, tealdeck_repl;
)",
                       database);
}

Status fill(SqlClient& sql, const LabState& state, const std::string& database) {
    if (database == "shop") {
        Status made = sql.run(shopSql());
        return made ? sql.run(shopRowsSql(state.options.scale)) : made;
    }
    if (database == "shop_audit") {
        return sql.run(shopAuditSql(state.options.scale));
    }
    if (database == "bench") {
        return sql.run(pgbenchSql(state.options.scale));
    }
    for (int first = 1; first <= state.options.tables; first += TABLES_AT_ONCE) {
        if (Status s = sql.run(manySql(first, std::min(first + TABLES_AT_ONCE - 1, state.options.tables))); !s) {
            return s;
        }
    }
    return {};
}

Status makeDatabase(const LabState& state, const std::string& database) {
    const int port = state.primary(Side::Blue).port;
    Result<SqlClient> server = SqlClient::connect(labConnection(state, port, "tealdeck", "postgres"));
    if (!server) {
        return server.error();
    }
    if (Status s = server->run("create database " + database + " owner shop_owner"); !s) {
        return s;
    }
    Result<SqlClient> sql = SqlClient::connect(labConnection(state, port, "tealdeck", database));
    if (!sql) {
        return sql.error();
    }
    // Before 15 everyone may create in public; a reader must not be able to write.
    if (Status s = sql->run("revoke create on schema public from public; grant create, usage on schema public to shop_owner; set "
                            "synchronous_commit = off;" +
                            grantsBefore(database));
        !s) {
        return s;
    }
    if (Status s = sql->run(loadTablesSql()); !s) {
        return s;
    }
    if (Status s = fill(*sql, state, database); !s) {
        return Error{s.error().kind, fmt::format("Database {}: {}", database, s.error().message), s.error().remedy, s.error().sqlstate};
    }
    return sql->run("reset role; analyze");
}

} // namespace

std::string loadTablesSql() {
    return R"(
create sequence public.load_id_seq;
create table public.load_write(
  client int not null, n bigint not null, id bigint not null default nextval('public.load_id_seq'), system_identifier text,
  at timestamptz not null default clock_timestamp(), primary key (client, n));
create index load_write_id on public.load_write(id);
comment on table public.load_write is 'One row for each acknowledged write of the load client; never changed.';
create table public.load_account(id int primary key, balance bigint not null default 0, updated_at timestamptz not null default now());
insert into public.load_account(id, balance) select i, 1000 from generate_series(1, 1000) i;
create table public.load_item(client int not null, n bigint not null, payload text not null, primary key (client, n));
)";
}

Status makeLabSchema(const LabState& state) {
    for (const std::string& database : state.databases) {
        if (Status s = makeDatabase(state, database); !s) {
            return s;
        }
    }
    return {};
}

} // namespace tealdeck
