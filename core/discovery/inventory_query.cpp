// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/discovery/inventory_query.h"

#include "core/discovery/disk.h"
#include "core/util/text.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t LONGEST_LIST = 200;
constexpr Millis PATRONI_LIMIT{1000};

/// Columns of pg_subscription that everyone may read; the connection string is none of them.
constexpr const char* SUBSCRIPTIONS_SQL = R"(
select d.datname, s.subname, concat_ws(', ', case when s.subenabled then 'enabled' else 'disabled' end, 'slot ' || s.subslotname,
       array_to_string(s.subpublications, ' ')) from pg_subscription s join pg_database d on d.oid = s.subdbid order by 1, 2)";

/// wal_status came with 13.
constexpr const char* SLOTS_SQL = R"(
select coalesce(database, ''), slot_name, concat_ws(', ', concat_ws(' ', slot_type, plugin), case when active then 'active' else 'inactive' end,
       case when temporary then 'temporary' end, to_jsonb(s) ->> 'wal_status') from pg_replication_slots s order by 2)";

constexpr const char* EXTENSIONS_SQL = "select current_database(), extname, extversion from pg_extension order by 2";

constexpr const char* PUBLICATIONS_SQL = R"(
select current_database(), p.pubname, case when p.puballtables then 'all tables' else
       (select count(*) from pg_publication_rel r where r.prpubid = p.oid) || ' tables' end from pg_publication p order by 2)";

/// A database of whose size one may not ask is left out by has_database_privilege: it is not ours.
constexpr const char* DATABASES_SQL = R"(
select datname, case when has_database_privilege(oid, 'connect') or pg_has_role('pg_read_all_stats', 'usage') then pg_database_size(oid) end
  from pg_database where datallowconn order by 1)";

constexpr const char* PROCESS_SQL = "select current_setting('data_directory'), pg_backend_pid(), coalesce(inet_client_port(), -1)";

constexpr const char* IDENTITY_SQL =
    "select case when pg_is_in_recovery() then 'replica' else 'primary' end, (select system_identifier from pg_control_system())";

std::vector<InventoryItem> items(const Rows& rows) {
    std::vector<InventoryItem> list;
    for (std::size_t i = 0; i < std::min(rows.size(), LONGEST_LIST); ++i) {
        list.push_back({rows.text(i, 0), rows.text(i, 1), rows.text(i, 2)});
    }
    return list;
}

void append(std::vector<InventoryItem>& list, const Rows& rows) {
    for (InventoryItem& item : items(rows)) {
        list.push_back(std::move(item));
    }
}

} // namespace

const char* InventoryQuery::settingNames() {
    return "'wal_level', 'max_wal_senders', 'max_replication_slots', 'max_slot_wal_keep_size', 'max_logical_replication_workers', "
           "'max_sync_workers_per_subscription', 'max_worker_processes', 'max_connections', 'max_prepared_transactions', "
           "'max_locks_per_transaction', 'shared_buffers', 'work_mem', 'maintenance_work_mem', 'effective_cache_size', "
           "'synchronous_commit', 'synchronous_standby_names', 'hot_standby', 'hot_standby_feedback', 'max_standby_streaming_delay', "
           "'max_standby_archive_delay', 'recovery_min_apply_delay', 'primary_slot_name', 'wal_sender_timeout', 'wal_receiver_timeout', "
           "'max_wal_size', 'checkpoint_timeout', 'autovacuum', 'track_commit_timestamp', 'shared_preload_libraries', 'jit', "
           "'random_page_cost', 'TimeZone', 'data_checksums', 'password_encryption', 'ssl', 'server_version'";
}

Rows InventoryQuery::rows(const char* part, const std::string& database, const std::string& sql) {
    const Result<Rows> answer = m_ask(database, sql);
    if (!answer) {
        m_found.unknown.emplace(part, plainText(answer.error().message, 200));
        return {};
    }
    return *answer;
}

void InventoryQuery::server() {
    const Rows settings =
        rows("settings", "", fmt::format("select name, current_setting(name) from pg_settings where name in ({})", settingNames()));
    for (std::size_t i = 0; i < settings.size(); ++i) {
        m_found.settings[settings.text(i, 0)] = plainText(settings.text(i, 1), 200);
    }
    m_found.replicationSlots = items(rows("slots", "", SLOTS_SQL));
    m_found.subscriptions = items(rows("subscriptions", "", SUBSCRIPTIONS_SQL));
    const Rows roles = rows("roles", "", "select count(*) from pg_roles where rolcanlogin");
    m_found.roles = roles.single() ? std::optional(std::strtod(roles.single()->c_str(), nullptr)) : std::nullopt;
}

void InventoryQuery::disk() {
    const Rows process = rows("disk", "", PROCESS_SQL);
    if (process.empty()) {
        return;
    }
    const Result<DiskSpace> space =
        diskOfServer({process.text(0, 0), std::atoi(process.text(0, 1).c_str()), std::atoi(process.text(0, 2).c_str())});
    if (!space) {
        m_found.unknown.emplace("disk", space.error().message);
        return;
    }
    m_found.diskFreeBytes = space->freeBytes;
    m_found.diskBytes = space->bytes;
}

void InventoryQuery::perDatabase(const std::vector<std::string>& databases) {
    const Rows sizes = rows("databases", "", DATABASES_SQL);
    for (std::size_t i = 0; i < std::min(sizes.size(), LONGEST_LIST); ++i) {
        if (!sizes.text(i, 1).empty()) {
            m_found.databaseBytes[sizes.text(i, 0)] = std::strtod(sizes.text(i, 1).c_str(), nullptr);
        }
    }
    for (const std::string& database : databases) {
        bool exists = false;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            exists = exists || sizes.text(i, 0) == database;
        }
        if (exists) { // green gets its databases with the copy
            append(m_found.extensions, rows("extensions", database, EXTENSIONS_SQL));
            append(m_found.publications, rows("publications", database, PUBLICATIONS_SQL));
        }
    }
}

Inventory InventoryQuery::take(Side side, const Endpoint& endpoint, const std::vector<std::string>& databases) {
    m_found = Inventory();
    m_found.side = sideName(side);
    m_found.node = endpoint.name;
    const Rows identity = rows("identity", "", IDENTITY_SQL);
    if (m_found.unknown.empty()) { // a server that does not answer the first question costs one limit, not ten
        server();
        disk();
        perDatabase(databases);
    }
    if (!endpoint.patroni.empty()) {
        m_found.patroni = askPatroni(endpoint, {identity.text(0, 0), identity.text(0, 1), endpoint.zone}, PATRONI_LIMIT);
    }
    return m_found;
}

} // namespace tealdeck
