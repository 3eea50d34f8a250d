// SPDX-License-Identifier: GPL-3.0-or-later
// Problems to plant in a lab, each with the line of the checklist that must find it. One entry makes one more check proven.
#pragma once
#include "core/plan/plan.h"

#include <vector>

namespace tealdeck::test {

/// Statements are separated by ";;". The fix that the check offers is run to mend it; only where that is no SQL does `mend` say how.
struct Plant {
    const char* line; ///< "OBJ04/blue/shop"
    Side side;
    const char* database;
    const char* plant;
    const char* names;             ///< must be in what the check found
    const char* mend = nullptr;    ///< on the same side and database
    const char* after = nullptr;   ///< what else is to be taken away, once the check passed
    const char* onOther = nullptr; ///< planted on the other side first, in database postgres
};

/// In the file of rules that this server reads.
#define TEALDECK_HBA(line)                                                                                                                 \
    "do $$ begin execute format('copy (select 1) to program %L', 'cat > /dev/null; echo \"" line                                           \
    "\" >> ' || current_setting('hba_file')); end $$"
#define TEALDECK_HBA_MEND                                                                                                                  \
    "do $$ begin execute format('copy (select 1) to program %L', 'cat > /dev/null; sed -i /bad_db/d ' || current_setting('hba_file')); "   \
    "end $$"

/// For a lab of 15 and 18 with schema shop, without replicas, with databases shop, shop_audit and bad_icu.
inline const std::vector<Plant>& plants() {
    using enum Side;
    static const std::vector<Plant> list = {
        // capacity and configuration
        {"SRV07/blue", Blue, "postgres", "alter system set max_slot_wal_keep_size = '64MB'", "64 MB", nullptr,
         "alter system reset max_slot_wal_keep_size"},
        {"SRV08/green", Green, "postgres", "alter system set idle_replication_slot_timeout = '1h'", "1h"},
        {"SRV09/blue", Blue, "postgres", "alter system set wal_sender_timeout = '5s'", "wal_sender_timeout"},
        {"SRV11/blue", Blue, "postgres", "alter system set full_page_writes = off", "full_page_writes"},
        {"SRV12/blue", Blue, "postgres", "alter system set synchronous_standby_names = 'nobody'", "nobody"},
        {"SRV14/blue", Blue, "postgres",
         "update pg_database set datfrozenxid = ((pg_current_xact_id()::text::bigint - 600000000 + 4294967296) % 4294967296)::text::xid "
         "where datname = 'shop_audit'",
         "shop_audit"},
        {"SRV20/green", Green, "postgres", "alter system set max_slot_wal_keep_size = -1", "-1", nullptr,
         "alter system reset max_slot_wal_keep_size"},
        {"SRV22/green", Green, "postgres", "alter system set autovacuum = off", "autovacuum"},
        {"SRV24/blue", Blue, "postgres", "alter system set max_sync_workers_per_subscription = 0", "= 0"},
        {"SRV27/blue", Blue, "postgres", "alter system set max_files_per_process = 1234", "max_files_per_process",
         "alter system set max_files_per_process = 1000"},
        // who else follows, and whom
        {"CDC01/blue", Blue, "shop", "select pg_create_logical_replication_slot('bad_slot', 'pgoutput')", "bad_slot"},
        {"CDC02/blue/shop", Blue, "shop", "create publication bad_pub for table load_item", "bad_pub"},
        {"CDC03/blue/shop", Blue, "shop",
         "create subscription bad_sub connection 'host=127.0.0.1 dbname=nothing' publication nothing with (connect = false)", "bad_sub"},
        {"CDC04/blue", Blue, "postgres",
         "alter system set max_slot_wal_keep_size = '1MB';;select pg_reload_conf(), pg_sleep(0.1);;select "
         "pg_create_physical_replication_slot('bad_lost', true);;"
         "do $$ begin for i in 1..12 loop perform pg_logical_emit_message(false, 'x', 'y'); perform pg_switch_wal(); end loop; end "
         "$$;;checkpoint",
         "bad_lost", nullptr, "alter system reset max_slot_wal_keep_size"},
        {"CDC05/blue", Blue, "postgres", "select pg_create_physical_replication_slot('bad_physical', true)", "bad_physical"},
        // tables and what hangs on them
        {"OBJ03/blue/shop", Blue, "shop",
         "create table bad_json(a int not null unique, j json);;alter table bad_json replica identity full", "bad_json.j"},
        {"OBJ02/blue/shop", Blue, "shop", "create table bad_full(a int not null unique, b int);;alter table bad_full replica identity full",
         "bad_full"},
        {"OBJ01/blue/shop", Blue, "shop", "create table bad_keyless(a int);;create table bad_unique(a int not null unique)", "bad_unique",
         nullptr, "drop table bad_keyless"},
        {"OBJ04/blue/shop", Blue, "shop", "create unlogged table \"Bad \"\"unlogged\"\"\"(a int primary key)", "Bad \"\"unlogged"},
        {"OBJ05/blue/shop", Blue, "shop",
         "create foreign data wrapper bad_wrapper;;create server bad_server foreign data wrapper bad_wrapper", "bad_server"},
        {"OBJ06/blue/shop_audit", Blue, "shop_audit", "select lo_create(4711)", "1 large"},
        {"OBJ08/blue/shop", Blue, "shop", "create sequence bad_sequence as int;;select setval('bad_sequence', 2000000000)", "bad_sequence"},
        {"OBJ10/blue/shop", Blue, "shop",
         "create table bad_generated(a int not null unique, b int generated always as (a + 1) stored, primary key (a, b))",
         "bad_generated.b"},
        {"OBJ11/blue/shop", Blue, "shop", "create materialized view bad_view as select 1 as a with no data", "bad_view"},
        {"OBJ13/blue/shop", Blue, "shop",
         "create table bad_check(a int primary key);;alter table bad_check add constraint positive check (a > 0) not valid", "positive"},
        {"OBJ14/blue/shop", Blue, "shop",
         "create table bad_trigger(a int primary key);;create trigger \"all ways\" before insert on bad_trigger for each row execute "
         "function suppress_redundant_updates_trigger();;"
         "alter table bad_trigger enable always trigger \"all ways\"",
         "all ways"},
        {"OBJ15/blue/shop", Blue, "shop", "create rule bad_rule as on update to bad_trigger do also nothing", "bad_rule"},
        {"OBJ16/blue/shop", Blue, "shop",
         "create function bad_event() returns event_trigger language plpgsql as 'begin end';;create event trigger bad_event on "
         "ddl_command_end execute function bad_event()",
         "bad_event"},
        {"OBJ17/blue/shop", Blue, "shop",
         "create table bad_rls(a int primary key);;alter table bad_rls enable row level security;;alter role tealdeck_repl nobypassrls",
         "bad_rls"},
        {"OBJ18/blue/shop", Blue, "shop",
         "create table bad_member(a int primary key);;insert into bad_member values (1);;alter extension plpgsql add table bad_member",
         "bad_member"},
        {"OBJ20/blue/shop", Blue, "shop",
         "create index bad_index on bad_check(a);;update pg_index set indisvalid = false where indexrelid = 'bad_index'::regclass",
         "bad_index"},
        {"OBJ21/blue/shop", Blue, "shop",
         "create function bad_path(int) returns int language sql immutable as 'select $1';;create table bad_user(a int primary key check "
         "(public.bad_path(a) > 0))",
         "bad_path"},
        {"OBJ22/shop", Blue, "shop",
         "set allow_in_place_tablespaces = on;;create tablespace bad_space location '';;create table bad_place(a int primary key) "
         "tablespace bad_space;;create index bad_place_a on bad_place(a) tablespace "
         "bad_space",
         "bad_space", nullptr, "drop tablespace bad_space"},
        {"OBJ26/blue/shop", Blue, "shop", "create view bad_sessions as select pid from pg_stat_activity",
         "bad_sessions reads pg_stat_activity"},
        {"OBJ27/blue/shop", Blue, "shop", "create sequence bad_cache cache 50", "bad_cache"},
        {"OBJ28/blue/shop", Blue, "shop",
         "create function bad_c(internal) returns internal language c as '$libdir/dict_snowball', 'dsnowball_init'", "bad_c",
         "drop function bad_c(internal)"},
        {"OBJ29/shop", Blue, "shop", "create table bad_lz4(a text compression lz4)", "bad_lz4.a", nullptr, "drop table bad_lz4"},
        {"OBJ30/blue/shop", Blue, "shop",
         "create domain bad_domain as int;;alter domain bad_domain add constraint positive check (value > 0) not valid", "bad_domain"},
        // extensions
        {"CMP05/shop", Blue, "shop", "create extension adminpack", "adminpack", "drop extension adminpack"},
        {"EXT01/shop", Blue, "shop", "create extension pg_trgm;;update pg_extension set extversion = '9.9' where extname = 'pg_trgm'",
         "pg_trgm: 9.9", "update pg_extension set extversion = '1.6' where extname = 'pg_trgm'", "drop extension pg_trgm"},
        {"EXT02/blue/shop", Blue, "shop", "create extension pg_trgm version '1.5'", "pg_trgm is 1.5", nullptr, "drop extension pg_trgm"},
        {"EXT03/blue/shop", Blue, "shop", "create extension citext;;update pg_extension set extname = 'pg_cron' where extname = 'citext'",
         "pg_cron", "update pg_extension set extname = 'citext' where extname = 'pg_cron'", "drop extension citext"},
        // encodings and collations
        {"LOC02/blue/shop_audit", Blue, "postgres", "update pg_database set encoding = 0 where datname = 'shop_audit'", "SQL_ASCII",
         "update pg_database set encoding = 6 where datname = 'shop_audit'"},
        {"LOC03/blue/bad_icu", Blue, "postgres", "update pg_database set datcollversion = '1' where datname = 'bad_icu'", "recorded 1"},
        {"LOC04/blue/shop", Blue, "shop", "update pg_collation set collversion = '1' where collname = 'und-x-icu'", "recorded 1"},
        {"LOC05/shop", Green, "postgres", "create database shop locale_provider icu icu_locale 'und' template template0", "ICU"},
        {"LOC06/shop", Blue, "shop", "create table bad_order(a text collate \"de-x-icu\")", "de-x-icu", "drop table bad_order"},
        {"CMP03/shop", Green, "postgres", "create database shop encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0",
         "LATIN1"},
        {"CMP03b/shop", Green, "postgres", "create database shop encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0",
         "C.UTF-8"},
        // versions
        {"VER04/shop", Blue, "shop", "create language bad_language handler plpgsql_call_handler", "bad_language",
         "drop language bad_language"},
        {"VER05/blue/shop", Blue, "shop", "grant create on schema public to public", "PUBLIC"},
        {"VER06/blue/shop", Blue, "shop",
         "create function bad_backup() returns void language plpgsql as 'begin perform pg_start_backup(''x''); end'", "pg_start_backup",
         "drop function bad_backup()"},
        {"VER07/blue/shop", Blue, "shop", "create table bad_char(a int primary key, c \"char\")", "bad_char.c"},
        {"VER08/blue/shop", Blue, "shop", "create table bad_oid(a int primary key, o regclass)", "bad_oid.o"},
        {"VER09/blue", Blue, "postgres", "set password_encryption = md5;;create role bad_md5 login password 'x'", "bad_md5"},
        {"VER10/shop", Blue, "shop", "create function uuidv7() returns uuid language sql as 'select gen_random_uuid()'", "uuidv7()"},
        {"VER11/blue/shop", Blue, "shop", "create unlogged table bad_partitioned(a int) partition by range (a)", "bad_partitioned",
         "drop table bad_partitioned"},
        {"VER13/blue", Blue, "postgres", "create role bad_creator createrole", "bad_creator"},
        {"VER14", Blue, "postgres", "alter role shop_app set force_parallel_mode = off", "force_parallel_mode (of shop_app)"},
        {"VER15", Blue, "postgres", "alter system set vacuum_defer_cleanup_age = 1", "vacuum_defer_cleanup_age"},
        {"VER16/blue/shop", Blue, "shop",
         "create constraint trigger bad_deferred after insert on bad_trigger deferrable initially deferred for each row execute function "
         "suppress_redundant_updates_trigger()",
         "bad_deferred"},
        // roles
        {"SEC01/green", Green, "postgres", "alter role tealdeck_repl noreplication", "replication=f"},
        {"SEC02/blue/shop", Blue, "shop",
         "revoke pg_read_all_data from tealdeck_repl;;create schema bad_schema;;create table bad_schema.bad_hidden(a int primary key)",
         "bad_"},
        {"SEC03/blue", Blue, "postgres", "alter role tealdeck_repl set statement_timeout = '10s'", "statement_timeout=10s"},
        {"SEC03/green", Green, "postgres", "alter system set statement_timeout = '10s'", "statement_timeout", nullptr,
         "alter system reset statement_timeout"},
        {"SEC08/blue", Blue, "postgres", "create role bad_admin superuser login", "bad_admin"},
        {"SEC09/blue/shop", Blue, "shop",
         "create role bad_writers;;grant create on schema public to bad_writers;;grant bad_writers to shop_reader", "bad_writers"},
        {"SEC10", Blue, "postgres", TEALDECK_HBA("host bad_db bad_user 10.0.0.0/8 md5"), "bad_user", TEALDECK_HBA_MEND},
        {"SEC11/blue", Blue, "postgres", TEALDECK_HBA("local bad_db bad_user trust"), "bad_user", TEALDECK_HBA_MEND},
        {"SEC12/green", Green, "postgres", TEALDECK_HBA("host bad_db bad_user nonsense"), "line", TEALDECK_HBA_MEND},
        {"ROL02", Green, "postgres", "alter role tealdeck_repl createdb", "tealdeck_repl"},
        {"ROL05", Blue, "postgres", "create role bad_secret login password 'a'", "bad_secret", "drop role bad_secret", nullptr,
         "create role bad_secret login password 'b'"},
        {"ROL06/blue", Blue, "postgres",
         "do $$ begin execute format('create role bad_expiring login valid until %L', now() + interval '1 day'); end $$", "bad_expiring"},
        {"CMP08/green", Blue, "postgres", "alter role tealdeck_repl nologin", "tealdeck_repl", "alter role tealdeck_repl login"},
        // green like blue
        {"PAR01", Blue, "postgres", "alter system set timezone = 'Europe/Paris'", "TimeZone: Europe/Paris", nullptr,
         "alter system set timezone = 'UTC'"},
        {"PAR03", Blue, "postgres", "alter system set work_mem = '64MB'", "work_mem: 65536kB"},
        {"PAR04", Blue, "postgres", "alter system set lock_timeout = '30s'", "lock_timeout: 30000ms"},
        {"PAR05", Blue, "postgres", "alter system set session_preload_libraries = 'auto_explain'", "auto_explain"},
        {"PAR06", Blue, "postgres", "alter system set synchronous_commit = 'local'", "synchronous_commit"},
        {"PAR07", Blue, "postgres", "alter system set ssl_min_protocol_version = 'TLSv1.3'", "TLSv1.3"},
        {"PAR08", Blue, "postgres", "alter system set log_min_duration_statement = 1000", "log_min_duration_statement"},
        {"PAR12", Blue, "postgres", "alter system set synchronous_standby_names = 'nobody'", "nobody",
         "alter system reset synchronous_standby_names"},
        // sessions
        {"SES02/blue", Blue, "shop", "begin;;select pg_current_xact_id();;prepare transaction 'bad'", "bad"},
    };
    return list;
}

} // namespace tealdeck::test
