// SPDX-License-Identifier: GPL-3.0-or-later
// What replicas say when they are asked themselves, what Patroni says about servers, and the disks.
#include "core/checks/replicas.h"

#include "core/checks/catalogue.h"
#include "core/discovery/patroni.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

constexpr Millis PATRONI_LIMIT{1500};
constexpr double DATA_MARGIN = 1.3;

constexpr const char* LIMITS_SQL =
    "select name, setting from pg_settings where name in ('max_connections', 'max_worker_processes', 'max_wal_senders', "
    "'max_prepared_transactions', 'max_locks_per_transaction')";

/// What becomes of a long read on a standby.
constexpr const char* READS_SQL =
    "select name, current_setting(name) from pg_settings where name in ('hot_standby_feedback', 'max_standby_streaming_delay', "
    "'max_standby_archive_delay', 'recovery_min_apply_delay') order by name";

constexpr const char* PROCESS_SQL = "select current_setting('data_directory'), pg_backend_pid(), coalesce(inet_client_port(), -1)";

ServerValues valuesOf(const Rows& rows) {
    ServerValues values;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        values[rows.text(i, 0)] = rows.text(i, 1);
    }
    return values;
}

CheckAnswer replicaLimits(const CheckSubject& s) {
    const Result<Rows> primary = s.sessions.query(s.side, "", LIMITS_SQL);
    if (!primary) {
        return findingsOf(primary);
    }
    std::vector<std::string> found;
    for (const Endpoint& replica : s.plan().side(s.side).replicas) {
        const Result<Rows> own = s.sessions.replica(s.side, replica, LIMITS_SQL);
        if (!own) {
            return CheckAnswer::unknown(replica.name + ": " + own.error().text());
        }
        for (const std::string& below : standbyLimitsBelow(valuesOf(*primary), valuesOf(*own))) {
            found.push_back(replica.name + ": " + below);
        }
    }
    return CheckAnswer::findings(found);
}

/// The first replica here speaks for this side; each one there is compared with it.
CheckAnswer replicaReads(const CheckSubject& s) {
    const Side there = otherSide(s.side);
    const Result<Rows> model = s.sessions.replica(s.side, s.plan().side(s.side).replicas.front(), READS_SQL);
    if (!model) {
        return CheckAnswer::unknown(s.plan().side(s.side).replicas.front().name + ": " + model.error().text());
    }
    std::vector<std::string> found;
    for (const Endpoint& replica : s.plan().side(there).replicas) {
        const Result<Rows> own = s.sessions.replica(there, replica, READS_SQL);
        if (!own) {
            return CheckAnswer::unknown(fmt::format("{} {}: {}", sideName(there), replica.name, own.error().text()));
        }
        const ServerValues values = valuesOf(*own);
        for (const auto& [name, wanted] : valuesOf(*model)) {
            const auto it = values.find(name);
            if (it == values.end() || it->second != wanted) {
                found.push_back(fmt::format("{} {}: {} = {}, {} has {}", sideName(there), replica.name, name,
                                            it == values.end() ? "(none)" : it->second, sideName(s.side), wanted));
            }
        }
    }
    return CheckAnswer::findings(found);
}

CheckAnswer freeDisk(const CheckSubject& s) {
    const Result<Rows> data = s.sessions.query(s.side, "", "select sum(pg_database_size(oid)) from pg_database");
    const Result<Rows> process = s.sessions.query(otherSide(s.side), "", PROCESS_SQL);
    if (!data || !process) {
        return findingsOf(data ? process : data);
    }
    const Result<DiskSpace> disk =
        diskOfServer({process->text(0, 0), std::atoi(process->text(0, 1).c_str()), std::atoi(process->text(0, 2).c_str())});
    if (!disk) {
        return CheckAnswer::unknown(disk.error().text());
    }
    return roomOnDisk(std::strtod(data->text(0, 0).c_str(), nullptr), *disk);
}

/// Every server of the side that has a Patroni beside it, as both say.
CheckAnswer patroniAgrees(const CheckSubject& s, bool asksForPause) {
    const Environment& environment = s.plan().side(s.side);
    std::vector<const Endpoint*> endpoints = {&environment.primary};
    for (const Endpoint& replica : environment.replicas) {
        endpoints.push_back(&replica);
    }
    constexpr const char* sql =
        "select case when pg_is_in_recovery() then 'replica' else 'primary' end, (select system_identifier from pg_control_system())";
    std::vector<std::string> found;
    for (const Endpoint* endpoint : endpoints) {
        if (endpoint->patroni.empty()) {
            continue;
        }
        const bool primary = endpoint == &environment.primary;
        const Result<Rows> own = primary ? s.sessions.query(s.side, "", sql) : s.sessions.replica(s.side, *endpoint, sql);
        if (!own) {
            return CheckAnswer::unknown(endpoint->name + ": " + own.error().text());
        }
        const PatroniAnswer answer = askPatroni(*endpoint, {own->text(0, 0), own->text(0, 1), endpoint->zone}, PATRONI_LIMIT);
        if (answer.state.empty()) {
            return CheckAnswer::unknown(endpoint->name + ": " + answer.problem);
        }
        if (asksForPause ? !answer.paused : !answer.problem.empty()) {
            found.push_back(endpoint->name + ": " + (asksForPause ? "may fail over at any time" : answer.problem));
        }
    }
    return CheckAnswer::findings(found);
}

bool hasPatroni(const Plan& plan) {
    const auto on = [](const Environment& e) {
        return !e.primary.patroni.empty() ||
               std::any_of(e.replicas.begin(), e.replicas.end(), [](const Endpoint& r) { return !r.patroni.empty(); });
    };
    return on(plan.blue) || on(plan.green);
}

} // namespace

std::vector<std::string> standbyLimitsBelow(const ServerValues& primary, const ServerValues& standby) {
    std::vector<std::string> found;
    for (const auto& [name, text] : primary) {
        const auto it = standby.find(name);
        const std::string own = it == standby.end() ? "(none)" : it->second;
        if (it == standby.end() || std::atol(own.c_str()) < std::atol(text.c_str())) {
            found.push_back(fmt::format("{} = {}, its primary has {}", name, own, text));
        }
    }
    return found;
}

CheckAnswer roomOnDisk(double dataBytes, const DiskSpace& disk) {
    const std::string found = fmt::format("{:.2f} GB of data here, {:.2f} GB free there", dataBytes / 1e9, disk.freeBytes / 1e9);
    return dataBytes * DATA_MARGIN <= disk.freeBytes ? CheckAnswer::pass(found) : CheckAnswer::fail(found);
}

std::vector<CheckDefinition> replicaChecks() {
    const std::string family = "replicas";
    return {
        {.id = "RPL01",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = Always,
         .question = "Has each replica at least the limits of its primary?",
         .why = "A standby with a lower limit stops replaying, or does not start again, once its primary has raised its own.",
         .expected = "max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions and max_locks_per_transaction at "
                     "least those of the primary",
         .fix = "Raise them on the replica and restart it, replicas before the primary.",
         .source = "PostgreSQL manual, Hot Standby: Administrator's Overview",
         .evaluate = replicaLimits,
         .existsFor = [](const Plan& plan) { return !plan.blue.replicas.empty() || !plan.green.replicas.empty(); }},
        {.id = "RPL02",
         .family = family,
         .severity = Severity::Warning,
         .scope = Pair,
         .when = Always,
         .question = "Do replicas on the other side treat long reads as those here do?",
         .why = "With another delay or without feedback, reports that run here are cancelled there.",
         .expected = "hot_standby_feedback, max_standby_streaming_delay, max_standby_archive_delay and recovery_min_apply_delay alike",
         .fix = "On each replica that is named: ALTER SYSTEM SET the value, then SELECT pg_reload_conf().",
         .source = "PostgreSQL manual, Standby Servers",
         .evaluate = replicaReads,
         .existsFor = [](const Plan& plan) { return !plan.blue.replicas.empty() && !plan.green.replicas.empty(); }},
        {.id = "CAP02",
         .family = "capacity",
         .severity = Severity::Warning,
         .scope = Pair,
         .question = "Is so much disk free on the other side now?",
         .why = "A full disk in the middle of the copy costs the whole copy.",
         .expected = "at least 1.3 times the data of this side",
         .fix = "Free or add space there. A server on another machine cannot be asked for it: look there, and sign it off in a checklist "
                "of your own.",
         .source = "statvfs() of data_directory, when the server runs on the engine's machine",
         .evaluate = freeDisk},
        {.id = "PAT01",
         .family = family,
         .scope = EachPrimary,
         .when = Always,
         .question = "Does Patroni say of each server what the server says of itself?",
         .why = "A difference means that a failover is under way, or that the plan's addresses belong to different servers.",
         .expected = "running, the same role, the same system identifier, the zone of the plan",
         .fix = "Wait for the failover to end, or correct patroni_url in the plan.",
         .source = "Patroni documentation, REST API, GET /patroni",
         .evaluate = [](const CheckSubject& s) { return patroniAgrees(s, false); },
         .existsFor = hasPatroni,
         .blocksRollback = false,
         .validForSeconds = 60},
        {.id = "PAT02",
         .family = family,
         .severity = Severity::Warning,
         .scope = EachPrimary,
         .when = BeforeCutover,
         .question = "Will Patroni keep still during the switch?",
         .why = "The fence looks to it like trouble; a failover in the middle makes the switch go back.",
         .expected = "maintenance mode on",
         .fix = "patronictl pause before the switch, patronictl resume after it.",
         .source = "Patroni documentation, Pause/Resume mode for the cluster",
         .evaluate = [](const CheckSubject& s) { return patroniAgrees(s, true); },
         .existsFor = hasPatroni,
         .validForSeconds = 60},
    };
}

} // namespace tealdeck
