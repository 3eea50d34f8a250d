// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

#include <sstream>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

CheckAnswer pgoutputAllowed(const CheckSubject& s) {
    const Result<Rows> rows = s.sessions.query(s.side, "", "select current_setting('output_plugin_libraries', true)");
    return rows ? outputPlugins(rows->single()) : findingsOf(rows);
}

} // namespace

CheckAnswer outputPlugins(const std::optional<std::string>& setting) {
    if (!setting) {
        return CheckAnswer::pass("this release has no such setting");
    }
    std::stringstream list(*setting);
    for (std::string name; std::getline(list, name, ',');) {
        std::erase_if(name, [](char c) { return c == ' ' || c == '"' || c == '\''; });
        if (name == "pgoutput" || name == "*") {
            return CheckAnswer::pass("output_plugin_libraries = " + *setting);
        }
    }
    return CheckAnswer::fail("output_plugin_libraries = " + *setting);
}

std::vector<CheckDefinition> serverChecks() {
    const std::string family = "server";
    return {
        {.id = "SRV01",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Is the server named as primary a primary?",
         .why = "Publications, slots and fences need a server that accepts writes.",
         .expected = "not in recovery",
         .fix = "Name the primary in the plan, or promote this server: SELECT pg_promote();",
         .source = "PostgreSQL manual, Logical Replication: Restrictions; pg_is_in_recovery()",
         .sql = "select 'in recovery: this is a standby' where pg_is_in_recovery()",
         .overridable = false},
        {.id = "SRV02",
         .family = family,
         .scope = EachPrimary,
         .question = "Is wal_level logical?",
         .why = "Nothing can be decoded otherwise; green needs it for the way back.",
         .expected = "logical",
         .fix = "Set wal_level, then restart the server.",
         .fixSql = "ALTER SYSTEM SET wal_level = 'logical';",
         .source = "PostgreSQL manual, wal_level",
         // 19 decodes with "replica" too and says so in effective_wal_level.
         .sql = "select 'wal_level = ' || current_setting('wal_level') where coalesce(current_setting('effective_wal_level', true), "
                "current_setting('wal_level')) <> 'logical' "
                "and current_setting('server_version_num')::int < 190000",
         .overridable = false},
        {.id = "SRV03",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are enough replication slots free?",
         .why = "Each subscription takes a slot, and so does each table that is being copied.",
         .expected = "three for each database before replication, one before a cutover",
         .fix = "Drop slots that nobody uses, or allow more and restart the server.",
         .source = "PostgreSQL manual, max_replication_slots",
         .sql = "select format('%s of %s are free, {slots} are needed', current_setting('max_replication_slots')::int - count(*), "
                "current_setting('max_replication_slots')), format('ALTER SYSTEM SET max_replication_slots = %s;', count(*) + {slots} + 2) "
                "as fix "
                "from pg_replication_slots where slot_name not like 'tealdeck\\_%' having current_setting('max_replication_slots')::int - "
                "count(*) < {slots}"},
        {.id = "SRV04",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are enough WAL senders free?",
         .why = "Each subscription and each table that is being copied holds one, besides the standbys.",
         .expected = "three for each database before replication, one before a cutover",
         .fix = "Allow more WAL senders and restart the server, its standbys first.",
         .source = "PostgreSQL manual, max_wal_senders",
         .sql = "select format('%s of %s are free, {slots} are needed', current_setting('max_wal_senders')::int - count(*), "
                "current_setting('max_wal_senders')), format('ALTER SYSTEM SET max_wal_senders = %s;', count(*) + {slots} + 2) as fix "
                "from pg_stat_replication where application_name not like 'tealdeck%' having current_setting('max_wal_senders')::int - "
                "count(*) < {slots}"},
        {.id = "SRV05",
         .family = family,
         .scope = EachPrimary,
         .question = "Are there enough logical replication workers?",
         .why = "Apply and table copy workers come out of max_logical_replication_workers, and those out of max_worker_processes.",
         .expected = "two for each database, and max_worker_processes above that",
         .fix = "Allow more workers and restart the server, its standbys first.",
         .source = "PostgreSQL manual, Logical Replication: Subscribers",
         .sql = "select format('max_logical_replication_workers = %s, max_worker_processes = %s, needed {workers}', "
                "current_setting('max_logical_replication_workers'), current_setting('max_worker_processes')), "
                "format('ALTER SYSTEM SET max_logical_replication_workers = %s; ALTER SYSTEM SET max_worker_processes = %s;', "
                "greatest({workers} + 2, current_setting('max_logical_replication_workers')::int), greatest({workers} + 10, "
                "current_setting('max_worker_processes')::int)) as fix "
                "where current_setting('max_logical_replication_workers')::int < {workers} or current_setting('max_worker_processes')::int "
                "<= {workers}"},
        {.id = "SRV06",
         .family = family,
         .scope = EachPrimary,
         .question = "Are there enough replication origins?",
         .why = "Since 18 the origins have a setting of their own; each subscription and each table that is being copied needs one.",
         .expected = "three for each database",
         .fix = "Allow more origins and restart the server.",
         .fixSql = "ALTER SYSTEM SET max_active_replication_origins = 20;",
         .source = "PostgreSQL 18 release notes; manual, max_active_replication_origins",
         .sql = "select 'max_active_replication_origins = ' || current_setting('max_active_replication_origins') where "
                "current_setting('max_active_replication_origins')::int < {databases} * 3",
         .minVersion = 18},
        {.id = "SRV08",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Are idle replication slots kept?",
         .why = "The slot for the way back is idle until the cutover and would be invalidated.",
         .expected = "idle_replication_slot_timeout = 0",
         .fix = "Turn the time-out off for the deployment.",
         .fixSql = "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();",
         .source = "PostgreSQL 18 manual, idle_replication_slot_timeout",
         .sql = "select 'idle_replication_slot_timeout = ' || current_setting('idle_replication_slot_timeout') from pg_settings where name "
                "= 'idle_replication_slot_timeout' and setting <> '0'",
         .minVersion = 18,
         .blocksRollback = false},
        {.id = "SRV11",
         .family = family,
         .scope = EachPrimary,
         .question = "Are fsync and full_page_writes on?",
         .why = "After a crash nothing could prove that no write was lost.",
         .expected = "both on",
         .fix = "Turn both on.",
         .fixSql = "ALTER SYSTEM SET fsync = on; ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();",
         .source = "PostgreSQL manual, Write Ahead Log: fsync, full_page_writes",
         .sql = "select name || ' is off' from pg_settings where name in ('fsync', 'full_page_writes') and setting = 'off'"},
        {.id = "SRV18",
         .family = family,
         .scope = EachPrimary,
         .question = "May the server use the output plugin pgoutput?",
         .why = "Minor releases of August 2026 (18.6, 16.15 and their like) decode only with plugins on a list.",
         .expected = "output_plugin_libraries allows pgoutput, or the setting does not exist",
         .fix = "Allow pgoutput, beside the plugins that other consumers use, and reload or restart the server.",
         .fixSql = "ALTER SYSTEM SET output_plugin_libraries = pgoutput, test_decoding; SELECT pg_reload_conf();",
         .source = "PostgreSQL release notes 18.6",
         .evaluate = pgoutputAllowed},
    };
}

} // namespace tealdeck
