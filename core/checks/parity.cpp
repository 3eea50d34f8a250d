// SPDX-License-Identifier: GPL-3.0-or-later
// Whether green is like blue where it matters: settings, size, replicas, zones, clocks.
#include "core/checks/catalogue.h"
#include "core/checks/settings_compare.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

const Names MEANING = {"TimeZone",
                       "DateStyle",
                       "IntervalStyle",
                       "default_text_search_config",
                       "bytea_output",
                       "extra_float_digits",
                       "array_nulls",
                       "transform_null_equals",
                       "standard_conforming_strings",
                       "backslash_quote",
                       "escape_string_warning",
                       "lc_messages",
                       "lc_monetary",
                       "lc_numeric",
                       "lc_time",
                       "xmlbinary",
                       "xmloption",
                       "search_path",
                       "default_transaction_isolation",
                       "default_transaction_deferrable",
                       "row_security",
                       "quote_all_identifiers",
                       "client_encoding",
                       "gin_fuzzy_search_limit",
                       "default_table_access_method",
                       "check_function_bodies"};
const Names LIMITS = {"max_connections", "max_prepared_transactions", "max_locks_per_transaction", "max_worker_processes",
                      "max_wal_senders", "max_replication_slots",     "max_files_per_process",     "max_pred_locks_per_transaction"};
const Names STRENGTH = {"shared_buffers",
                        "work_mem",
                        "maintenance_work_mem",
                        "temp_buffers",
                        "effective_cache_size",
                        "max_parallel_workers",
                        "max_parallel_workers_per_gather",
                        "autovacuum_max_workers",
                        "max_wal_size",
                        "effective_io_concurrency"};
const Names TIMEOUTS = {"statement_timeout",
                        "lock_timeout",
                        "idle_in_transaction_session_timeout",
                        "deadlock_timeout",
                        "tcp_keepalives_idle",
                        "tcp_keepalives_interval",
                        "tcp_keepalives_count",
                        "tcp_user_timeout",
                        "idle_session_timeout",
                        "client_connection_check_interval"};
const Names SAFETY = {"synchronous_commit",     "fsync",       "full_page_writes", "wal_log_hints", "archive_mode",
                      "track_commit_timestamp", "commit_delay"};
const Names SECURITY = {"ssl",
                        "ssl_min_protocol_version",
                        "ssl_max_protocol_version",
                        "ssl_ciphers",
                        "password_encryption",
                        "scram_iterations",

                        "log_connections"};
const Names LIBRARIES = {"shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"};
/// What belongs to a server and not to its work, and what other checks ask.
const std::set<std::string> OF_THE_SERVER = {"config_file",
                                             "data_directory",
                                             "hba_file",
                                             "ident_file",
                                             "external_pid_file",
                                             "port",
                                             "listen_addresses",
                                             "unix_socket_directories",
                                             "cluster_name",
                                             "primary_conninfo",
                                             "primary_slot_name",
                                             "restore_command",
                                             "archive_command",
                                             "archive_library",
                                             "ssl_cert_file",
                                             "ssl_key_file",
                                             "ssl_ca_file",
                                             "ssl_crl_file",
                                             "ssl_dh_params_file",
                                             "log_directory",
                                             "log_filename",
                                             "stats_temp_directory",
                                             "wal_level",
                                             "max_active_replication_origins",
                                             "idle_replication_slot_timeout",
                                             "synchronous_standby_names",
                                             "krb_server_keyfile",
                                             "max_slot_wal_keep_size",
                                             "promote_trigger_file",
                                             "recovery_target_timeline",
                                             "application_name"};

Result<Settings> settingsOf(const CheckSubject& s, Side side) {
    const Result<Rows> rows = s.sessions.query(side, "",
                                               "select name, case when source in ('client', 'session') then reset_val else setting end, "
                                               "coalesce(unit, ''), source, context, vartype from "
                                               "pg_settings");
    if (!rows) {
        return rows.error();
    }
    Settings settings;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        settings[rows->text(i, 0)] = {rows->text(i, 1), rows->text(i, 2), rows->text(i, 3), rows->text(i, 4), rows->text(i, 5)};
    }
    return settings;
}

CheckAnswer compareGroup(const CheckSubject& s, const Names& names, Rule rule) {
    const Result<Settings> first = settingsOf(s, s.side);
    const Result<Settings> second = settingsOf(s, otherSide(s.side));
    if (!first || !second) {
        return CheckAnswer::unknown((first ? second : first).error().text());
    }
    return compareSettings(*first, *second, names, rule, otherSide(s.side));
}

std::function<CheckAnswer(const CheckSubject&)> group(const Names& names, Rule rule) {
    return [&names, rule](const CheckSubject& s) { return compareGroup(s, names, rule); };
}

/// Everything else that somebody has set on the source.
CheckAnswer otherSettings(const CheckSubject& s) {
    const Result<Settings> first = settingsOf(s, s.side);
    if (!first) {
        return CheckAnswer::unknown(first.error().text());
    }
    Names names;
    for (const auto& [name, setting] : *first) {
        const auto in = [&name = name](const Names& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
        if (OF_THE_SERVER.count(name) == 0 && !in(MEANING) && !in(LIMITS) && !in(STRENGTH) && !in(TIMEOUTS) && !in(SAFETY) &&
            !in(SECURITY) && !in(LIBRARIES)) {
            names.push_back(name);
        }
    }
    return compareGroup(s, names, Rule::SetElsewhere);
}

CheckAnswer preloaded(const CheckSubject& s) {
    const Result<Settings> first = settingsOf(s, s.side);
    const Result<Settings> second = settingsOf(s, otherSide(s.side));
    if (!first || !second) {
        return CheckAnswer::unknown((first ? second : first).error().text());
    }
    std::vector<std::string> missing;
    std::vector<FixStatement> fixes;
    for (const std::string& name : LIBRARIES) {
        if (first->count(name) == 0 || second->count(name) == 0) {
            return CheckAnswer::unknown(fmt::format("{} is hidden from this role.", name));
        }
        const Names have = listEntries(second->at(name).value);
        Names all = have;
        for (const std::string& library : listEntries(first->at(name).value)) {
            if (std::find(have.begin(), have.end(), library) == have.end()) {
                missing.push_back(fmt::format("{} lacks {}", name, library));
                all.push_back(library);
            }
        }
        if (all.size() > have.size()) {
            fixes.push_back({alterSystem(name, {fmt::format("{}", fmt::join(all, ",")), "", "", "", ""}), otherSide(s.side)});
        }
    }
    return CheckAnswer::findings(missing, std::move(fixes));
}

CheckAnswer replicas(const CheckSubject& s) {
    const auto& here = s.plan().side(s.side).replicas;
    const auto& there = s.plan().side(otherSide(s.side)).replicas;
    const std::string found = fmt::format("{} {}, {} {}", sideName(s.side), here.size(), sideName(otherSide(s.side)), there.size());
    return there.size() >= here.size() ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

CheckAnswer zones(const CheckSubject& s) {
    const auto zonesOf = [&](Side side) {
        std::set<std::string> names{s.plan().side(side).primary.zone};
        for (const Endpoint& replica : s.plan().side(side).replicas) {
            names.insert(replica.zone);
        }
        names.erase("");
        return names;
    };
    const std::set<std::string> there = zonesOf(otherSide(s.side));
    std::vector<std::string> missing;
    for (const std::string& zone : zonesOf(s.side)) {
        if (there.count(zone) == 0) {
            missing.push_back(fmt::format("{} has no server in {}", sideName(otherSide(s.side)), zone));
        }
    }
    return CheckAnswer::findings(missing);
}

CheckAnswer streamingReplicas(const CheckSubject& s) {
    const std::size_t planned = s.plan().side(s.side).replicas.size();
    const Result<Rows> rows = s.sessions.query(
        s.side, "",
        "select count(*) from pg_stat_replication r where state = 'streaming' and not exists (select from pg_replication_slots p where "
        "p.active_pid = r.pid and p.slot_type = 'logical')");
    if (!rows) {
        return findingsOf(rows);
    }
    const std::string found = fmt::format("{} of {} stream", rows->text(0, 0), planned);
    return std::strtoul(rows->text(0, 0).c_str(), nullptr, 10) >= planned ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

CheckAnswer synchronous(const CheckSubject& s) {
    const char* sql = "select current_setting('synchronous_standby_names')";
    const Result<Rows> here = s.sessions.query(s.side, "", sql);
    const Result<Rows> there = s.sessions.query(otherSide(s.side), "", sql);
    if (!here || !there) {
        return findingsOf(here ? there : here);
    }
    const bool alike = here->text(0, 0).empty() || !there->text(0, 0).empty();
    const std::string found =
        fmt::format("{} \"{}\", {} \"{}\"", sideName(s.side), here->text(0, 0), sideName(otherSide(s.side)), there->text(0, 0));
    return alike ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

} // namespace

std::vector<CheckDefinition> parityChecks() {
    const std::string family = "parity";
    const std::string likeThere = "Give the other side the same value, or accept the difference with a reason.";
    return {
        {.id = "PAR01",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Do both sides understand statements in the same way?",
         .why = "Time zones, formats of dates, texts and numbers and the search path change what statements mean, without any error.",
         .expected = "equal settings of meaning and format",
         .fix = likeThere,
         .source = "PostgreSQL manual, Client Connection Defaults",
         .evaluate = group(MEANING, Rule::Equal)},
        {.id = "PAR02",
         .family = family,
         .scope = Pair,
         .when = Always,
         .question = "Does the other side bear as many connections, locks and workers?",
         .why = "With smaller limits clients that found a place today are refused after the switch.",
         .expected = "each limit at least as large",
         .fix = "Raise them there and restart it, its standbys first.",
         .source = "PostgreSQL manual, Connections and Authentication; Resource Consumption; Lock Management",
         .evaluate = group(LIMITS, Rule::NotLess),
         .blocksRollback = false},
        {.id = "PAR03",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Is the other side as strong?",
         .why = "With less memory or fewer workers the same load runs slower.",
         .expected = "memory and workers at least as large",
         .fix = "Raise them there, or prove under load that less is enough.",
         .source = "PostgreSQL manual, Resource Consumption",
         .evaluate = group(STRENGTH, Rule::NotLess)},
        {.id = "PAR04",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Do statements and sessions end after the same times?",
         .why = "Applications rely on time-outs, often without knowing.",
         .expected = "equal time-outs",
         .fix = likeThere,
         .source = "PostgreSQL manual, Client Connection Defaults; Authentication",
         .evaluate = group(TIMEOUTS, Rule::Equal)},
        {.id = "PAR05",
         .family = family,
         .scope = Pair,
         .when = Always,
         .question = "Does the other side load the same libraries?",
         .why = "Functions, types and checks of an extension fail or fall silent where its library is not preloaded.",
         .expected = "each preloaded library there too",
         .fix = "Install them, preload them, and restart the server.",
         .source = "PostgreSQL manual, Shared Library Preloading",
         .evaluate = preloaded,
         .blocksRollback = false},
        {.id = "PAR06",
         .family = family,
         .scope = Pair,
         .when = Always,
         .question = "Is a commit as safe on the other side?",
         .why = "With weaker durability, or without an archive, a crash after the switch loses what blue would have kept.",
         .expected = "equal settings of durability and archiving",
         .fix = likeThere,
         .source = "PostgreSQL manual, Write Ahead Log",
         .evaluate = group(SAFETY, Rule::Equal),
         .blocksRollback = false},
        {.id = "PAR07",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Is the other side as guarded?",
         .why = "Clients that are used to an encryption or a password method are refused, or let in more weakly.",
         .expected = "equal settings of TLS and passwords",
         .fix = likeThere,
         .source = "PostgreSQL manual, Connections and Authentication: SSL, Authentication",
         .evaluate = group({SECURITY}, Rule::Equal)},
        {.id = "PAR08",
         .family = family,
         .severity = Severity::Info,
         .scope = Pair,
         .when = Always,
         .question = "Is everything else that was set here set there too?",
         .why = "Somebody had a reason for each; most are cost settings, logging and autovacuum.",
         .expected = "what is in the configuration here is so there",
         .fix = likeThere,
         .source = "PostgreSQL manual, Setting Parameters",
         .evaluate = otherSettings},
        {.id = "PAR10",
         .family = family,
         .scope = Pair,
         .when = Always,
         .question = "Has the other side as many replicas?",
         .why = "Reads have nowhere to go after the switch, and a failure of its primary finds fewer standbys.",
         .expected = "at least as many in the plan",
         .fix = "Build the missing replicas and name them in the plan; fewer ones are cheaper, but that is a decision.",
         .source = "tealctl check: cost of the smaller environment",
         .evaluate = replicas,
         .blocksRollback = false},
        {.id = "PAR11",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Is the other side in as many zones?",
         .why = "A zone that fails takes all of it away if it lives in one.",
         .expected = "each zone of this side there too",
         .fix = "Place a server in each zone and write it into the plan.",
         .source = "zone of each server in the plan",
         .evaluate = zones},
        {.id = "PAR12",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Do commits wait for a standby there if they do here?",
         .why = "Without a synchronous standby an acknowledged write is lost with its primary.",
         .expected = "synchronous_standby_names set on both or on none",
         .fix = "Set synchronous_standby_names there, once its standbys stream.",
         .source = "PostgreSQL manual, synchronous_standby_names",
         .evaluate = synchronous},
        {.id = "PAR13",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Do all replicas of the plan follow?",
         .why = "Reads are sent to them, and a switch that begins with a broken one leaves less to fall back on.",
         .expected = "as many streaming standbys as the plan names",
         .fix = "Look at the logs of those that are missing.",
         .source = "PostgreSQL manual, pg_stat_replication",
         .evaluate = streamingReplicas,
         .validForSeconds = 60},
    };
}

} // namespace tealdeck
