// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"
#include "core/checks/known_defects.h"

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

CheckAnswer minorRelease(const CheckSubject& s) {
    const Result<Rows> rows = s.sessions.query(s.side, "", "select current_setting('server_version_num')");
    return rows ? CheckAnswer::findings(knownDefects(std::atoi(rows->text(0, 0).c_str()))) : findingsOf(rows);
}

constexpr const char* TIMEOUTS_SQL = R"(
select format('%s = %s ms', name, setting), format('ALTER SYSTEM SET %I = ''60s''; SELECT pg_reload_conf();', name) as fix from pg_settings
 where name in ('wal_sender_timeout', 'wal_receiver_timeout') and setting::bigint between 1 and 59999)";

constexpr const char* SYNC_SQL = R"(
select 'synchronous_standby_names = ' || current_setting('synchronous_standby_names') || ', and no standby is synchronous',
       'ALTER SYSTEM SET synchronous_standby_names = ''''; SELECT pg_reload_conf();' as fix
 where current_setting('synchronous_standby_names') <> '' and not exists (select from pg_stat_replication where sync_state in ('sync', 'quorum')))";

constexpr const char* AGE_SQL = R"(
select format('%s: %s transactions, %s multixacts', datname, age(datfrozenxid), mxid_age(datminmxid)), 'VACUUM (FREEZE);' as fix, datname as fix_in
  from pg_database where datallowconn and (age(datfrozenxid) > 500000000 or mxid_age(datminmxid) > 500000000) order by age(datfrozenxid) desc)";

constexpr const char* LOCKS_SQL = R"(
with room as (select current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) as locks),
     used as (select count(*) as tables from pg_class where relkind in ('r', 'p', 'm') and oid >= 16384)
select format('%s has %s tables, the lock table has room for %s locks', current_database(), tables, locks),
       format('ALTER SYSTEM SET max_locks_per_transaction = %s;', 2 * tables / (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) + 64) as fix
  from room, used where tables * 2 > locks)";

constexpr const char* HEADROOM_SQL = R"(
with room as (select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as places, count(*) as taken from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid())
select format('%s of %s places are taken', taken, places), format('ALTER SYSTEM SET max_connections = %s;', taken * 2 + 20) as fix from room where taken * 10 > places * 9)";

constexpr const char* SLOT_ROOM_SQL = R"(
select format('max_slot_wal_keep_size = %s MB, max_wal_size = %s MB', k.setting, w.setting), format('ALTER SYSTEM SET max_slot_wal_keep_size = %L; SELECT pg_reload_conf();', w.setting::bigint * 16 || 'MB') as fix
  from pg_settings k, pg_settings w where k.name = 'max_slot_wal_keep_size' and w.name = 'max_wal_size' and k.setting::bigint >= 0 and k.setting::bigint < 4 * w.setting::bigint)";

} // namespace

std::vector<CheckDefinition> capacityChecks() {
    const std::string family = "capacity";
    return {
        {.id = "SRV07",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "May a slot that falls behind keep its WAL for a while?",
         .why = "A slot that reaches max_slot_wal_keep_size is lost, and every table must be copied again.",
         .expected = "max_slot_wal_keep_size -1, or at least four times max_wal_size",
         .fix = "Give it room for the longest outage that the feed shall outlive, as far as the disk allows.",
         .source = "PostgreSQL manual, max_slot_wal_keep_size",
         .sql = SLOT_ROOM_SQL,
         .minVersion = 13},
        {.id = "SRV20",
         .family = family,
         .severity = Severity::Info,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is there an end to what a forgotten slot keeps?",
         .why = "With -1 a slot whose reader is gone keeps WAL until the disk is full, and a full disk stops production.",
         .expected = "max_slot_wal_keep_size above 0, or a watch over pg_replication_slots",
         .fix = "Set a bound well above the longest outage.",
         .fixSql = "ALTER SYSTEM SET max_slot_wal_keep_size = '100GB'; SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, max_slot_wal_keep_size",
         .sql = "select 'max_slot_wal_keep_size = -1' where current_setting('max_slot_wal_keep_size') = '-1'",
         .minVersion = 13},
        {.id = "SRV09",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are the time-outs of the replication connections long enough?",
         .why = "Large transactions and slow apply keep a connection silent; below 60 s it is cut and begins again and again.",
         .expected = "wal_sender_timeout and wal_receiver_timeout 0 or at least 60 s",
         .fix = "Raise them to the default of 60 s.",
         .source = "PostgreSQL manual, wal_sender_timeout and wal_receiver_timeout",
         .sql = TIMEOUTS_SQL},
        {.id = "SRV12",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the synchronous standby there on which commits wait?",
         .why = "Without it every commit hangs, that of the fence and that of the promotion too.",
         .expected = "synchronous_standby_names empty, or at least one synchronous standby",
         .fix = "Start the standby, or do not wait for it.",
         .source = "PostgreSQL manual, synchronous_standby_names",
         .sql = SYNC_SQL,
         .validForSeconds = 60},
        {.id = "SRV14",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .question = "Is there room before transaction numbers wrap around?",
         .why = "Slots hold back the horizon, so the age grows as long as the deployment lasts.",
         .expected = "ages below 500 million in every database",
         .fix = "Freeze before the copy begins.",
         .source = "PostgreSQL manual, Preventing Transaction ID Wraparound Failures",
         .sql = AGE_SQL},
        {.id = "SRV17",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .question = "Is the minor release free of known defects of logical replication?",
         .why = "Decoding and apply had defects that lose data silently; each is mended in a minor release.",
         .expected = "at least the minor release that mends each of them",
         .fix = "Install the newest minor release and restart the server; a slot survives that.",
         .source = "PostgreSQL release notes of each minor, named with the finding",
         .evaluate = minorRelease},
        {.id = "SRV21",
         .family = family,
         .scope = Source,
         .perDatabase = true,
         .question = "Has the lock table room for a lock on every table?",
         .why = "The schema copy locks all tables in one transaction; beyond the room it ends with \"out of shared memory\".",
         .expected = "max_locks_per_transaction * max_connections at least twice the tables",
         .fix = "Raise max_locks_per_transaction and restart the server, its standbys first.",
         .source = "PostgreSQL manual, max_locks_per_transaction; pg_dump, Notes",
         .sql = LOCKS_SQL},
        {.id = "SRV22",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Does autovacuum run?",
         .why = "Green gets its visibility map and its later statistics from it; without it queries slow down after the switch.",
         .expected = "autovacuum = on, track_counts = on",
         .fix = "Turn both on.",
         .fixSql = "ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, Automatic Vacuuming",
         .sql = "select name || ' = off' from pg_settings where name in ('autovacuum', 'track_counts') and setting = 'off'"},
        {.id = "SRV24",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "May tables be copied at all?",
         .why = "With max_sync_workers_per_subscription = 0 the copy of a table never begins, and nothing says why.",
         .expected = "at least 1",
         .fix = "Set the default.",
         .fixSql = "ALTER SYSTEM SET max_sync_workers_per_subscription = 2; SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, max_sync_workers_per_subscription",
         .sql = "select 'max_sync_workers_per_subscription = 0' where current_setting('max_sync_workers_per_subscription') = '0'",
         .blocksRollback = false},
        {.id = "SRV25",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are connections left for the deployment?",
         .why =
             "The engine, the servers and the poolers connect besides today's clients; a server that is full refuses them in the middle.",
         .expected = "at least a tenth of max_connections free",
         .fix = "End idle sessions, or raise max_connections and restart the server, its standbys first.",
         .source = "PostgreSQL manual, max_connections",
         .sql = HEADROOM_SQL,
         .validForSeconds = 60},
        {.id = "SRV26",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .question = "Are data checksums on?",
         .why = "Without them a damaged page is copied as if it were right; 18 turns them on for new clusters.",
         .expected = "data_checksums = on",
         .fix = "Stop the server and run pg_checksums --enable; on green before it is filled.",
         .source = "PostgreSQL 18 release notes, Migration; manual, Data Checksums",
         .sql = "select 'data_checksums = off' where current_setting('data_checksums') = 'off'"},
        {.id = "SRV27",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the configuration file in force as it is written?",
         .why = "A line with an error, or one that waits for a restart, takes effect at the next restart: perhaps in the middle of the "
                "deployment.",
         .expected = "no errors in the files, no setting that waits for a restart",
         .fix = "Correct the file, or restart the server now.",
         .source = "PostgreSQL manual, pg_file_settings; pg_settings.pending_restart",
         .sql = "select format('%s:%s: %s', sourcefile, sourceline, error) from pg_file_settings where error is not null and error <> "
                "'setting could not be applied' "
                "union all select name || ' waits for a restart' from pg_settings where pending_restart"},
    };
}

} // namespace tealdeck
