// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/data_copy.h"

#include "core/control/control_store.h"
#include "core/engine/data_copy_place.h"
#include "core/postgres/sql.h"
#include "core/replication/snapshot_copy.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr double MIB = 1048576;

constexpr Millis SLOT_LIMIT{60000};
constexpr Millis SUBSCRIPTION_LIMIT{60000};
constexpr std::int64_t TELL_US = 1'000'000;
constexpr const char* SNAPSHOT_KEY = "copy_snapshot";
constexpr const char* STOPPED =
    "The copy was stopped. Run it again to go on: tables that are finished stay, the others are emptied and copied anew.";

/// The slot while nothing has taken anything from it: what was copied at its beginning needs exactly the changes that it will send.
constexpr const char* UNTOUCHED_SQL =
    "select confirmed_flush_lsn = $2::pg_lsn and coalesce(to_jsonb(s)->>'wal_status', '') <> 'lost' and "
    "coalesce(to_jsonb(s)->>'invalidation_reason', '') = '' from pg_replication_slots s where slot_name = $1";

} // namespace

Result<CopyChoice> DataCopy::choice(const Place& place) {
    if (const auto known = m_choices.find(place.database); known != m_choices.end()) {
        return known->second;
    }
    Result<CopyChoice> chosen = chooseCopy(m_plan, place.blue, place.green);
    if (chosen) {
        m_choices[place.database] = *chosen;
        CopyState& state = m_states[place.database];
        state.database = place.database;
        state.strategy = copyStrategyName(chosen->snapshot ? CopyStrategy::Snapshot : CopyStrategy::ServerToServer);
        state.reason = chosen->reason;
    }
    return chosen;
}

Status DataCopy::subscribe(SideSessions& blue, SideSessions& green, StepContext& context) {
    for (std::size_t i = 0; i < m_plan.databases.size(); ++i) {
        Place place(m_plan, i, blue[i], green[i]);
        const Result<bool> exists = place.link.subscriptionExists();
        if (!exists) {
            return exists.error();
        }
        if (*exists) {
            continue; // run() takes up what is missing
        }
        if (const Status published = place.link.publish(); !published) {
            return published;
        }
        const Result<CopyChoice> chosen = choice(place);
        if (!chosen) {
            return chosen.error();
        }
        context.detail(fmt::format("{}: {} copy ({})", place.database, m_states[place.database].strategy, chosen->reason));
        if (!chosen->snapshot) {
            context.report(fmt::format("replication slot for {}: waits for transactions that are open on BLUE", place.database));
            // Also when a snapshot copy was begun and the plan was changed.
            Status clean = place.link.retire(SLOT_LIMIT);
            clean = clean.ok() ? emptyTheRest(place) : clean;
            clean = clean.ok() ? m_keys(i, context) : clean;
            if (!clean) {
                return clean;
            }
            if (const Status created = place.link.createWithCopy(std::min(SLOT_LIMIT, context.deadline().left())); !created) {
                return created;
            }
        }
    }
    return {};
}

Status DataCopy::run(SideSessions& blue, SideSessions& green, StepContext& context) {
    m_out.control->begin(m_plan.copy.bytesPerSecond);
    Status failed;
    for (std::size_t i = 0; i < m_plan.databases.size(); ++i) {
        Place place(m_plan, i, blue[i], green[i]);
        const Result<bool> exists = place.link.subscriptionExists();
        const Result<CopyChoice> chosen = exists ? choice(place) : Result<CopyChoice>(exists.error());
        if (!chosen) {
            return chosen.error();
        }
        Status status;
        if (*exists) {
            status = place.link.enable();
            status = status.ok() ? takeUpTheRest(place, {}) : status;
        } else if (chosen->snapshot) {
            status = snapshotCopy(place, context);
        } else {
            return Error{Error::Kind::Conflict, fmt::format("The subscription of {} is not there.", place.database), "Run it again.", {}};
        }
        if (!status && (context.cancelled() || m_out.control->stopped())) {
            return Error{Error::Kind::Refused, STOPPED, {}, {}};
        }
        failed = failed.ok() ? status : failed; // the other databases are not kept waiting
    }
    return failed.ok() ? waitForServers(blue, green, context) : failed;
}

/// Tables that an earlier life finished, when the slot of their snapshot is still as it was; else nothing, and no slot either.
Result<std::set<std::string>> DataCopy::finishedBefore(Place& place) {
    const std::string slot = slotName(m_plan, Direction::Forward, place.database);
    const auto saved = control::readSaved(place.green, SNAPSHOT_KEY);
    if (!saved) {
        return saved.error();
    }
    const std::string point = *saved ? (**saved).is_string() ? (**saved).get<std::string>() : "" : "";
    if (!point.empty()) {
        const Result<Rows> untouched = place.blue.query(UNTOUCHED_SQL, {slot, point});
        if (!untouched) {
            return untouched.error();
        }
        if (untouched->text(0, 0) == "t") {
            return copy_tables::finished(place.green, point);
        }
    }
    if (const Status gone = place.link.retire(SLOT_LIMIT); !gone) {
        return gone.error();
    }
    return std::set<std::string>();
}

Result<std::unique_ptr<ExportedSnapshot>> DataCopy::begin(Place& place, StepContext& context) {
    context.report(fmt::format("replication slot for {}: waits for transactions that are open on BLUE", place.database));
    const std::string slot = slotName(m_plan, Direction::Forward, place.database);
    // One that nothing was copied with is worth nothing.
    if (const Status gone = place.link.retire(SLOT_LIMIT); !gone) {
        return gone.error();
    }
    auto made = ExportedSnapshot::create(
        m_connector, place.blue, place.database, slot, [&] { return context.cancelled() || m_out.control->stopped(); },
        std::min(SLOT_LIMIT, context.deadline().left()));
    if (!made) {
        return made;
    }
    const Result<Rows> kept =
        place.green.query("insert into tealdeck.saved(key, value) values ($1, to_jsonb($2::text)) on conflict (key) do "
                          "update set value = excluded.value",
                          {SNAPSHOT_KEY, (*made)->consistentPoint()});
    return kept.ok() ? std::move(made) : Result<std::unique_ptr<ExportedSnapshot>>(kept.error());
}

Status DataCopy::snapshotCopy(Place& place, StepContext& context) {
    Result<std::set<std::string>> finished = finishedBefore(place);
    if (!finished) {
        return finished.error();
    }
    if (!finished->empty()) {
        m_states[place.database].detail = "an earlier life of the engine copied a part";
        return follow(place, *finished, {}, context);
    }
    auto snapshot = begin(place, context);
    if (!snapshot) {
        return snapshot.error();
    }
    m_states[place.database].startedUs = m_out.nowUs();
    m_states[place.database].connections = m_plan.copy.connections;
    m_walAllowed = m_plan.copy.maxWalRetainedMib * MIB;
    m_lagAllowed = m_plan.copy.maxReplicaLagMib * MIB;
    m_heldForLag = false;
    SnapshotCopy copy({m_connector, place.database, publicationName(m_plan), *m_out.control, place.green,
                       [&](CopyProgress& progress, bool ended) { return look(place, progress, ended, context); }});
    const Result<CopyOutcome> outcome = copy.run(**snapshot);
    if (!outcome) {
        tell(place, "failed", outcome.error().message);
        return outcome.error();
    }
    if (m_out.control->stopped()) {
        tell(place, "failed", "stopped");
        return Error{Error::Kind::Refused, STOPPED, {}, {}};
    }
    const std::string point = (*snapshot)->consistentPoint();
    snapshot->reset(); // blue may clean up behind it while the keys are built
    finished = copy_tables::finished(place.green, point);
    if (!finished) {
        return finished.error();
    }
    std::set<std::string> failed;
    for (const CopyFailure& failure : outcome->failures) {
        failed.insert(failure.table);
    }
    if (const Status followed = follow(place, *finished, failed, context); !followed) {
        return followed;
    }
    if (!failed.empty()) {
        const CopyFailure& first = outcome->failures.front();
        tell(place, "failed", first.table + ": " + first.error);
        return Error{Error::Kind::Server,
                     fmt::format("{} of {} could not be copied{}: {}", first.table, place.database,
                                 failed.size() > 1 ? fmt::format(" (and {} more)", failed.size() - 1) : "", first.error),
                     first.remedy + " All others are copied and follow.",
                     {}};
    }
    tell(place, outcome->leftToServers.empty() ? "done" : "handed-over",
         outcome->leftToServers.empty()
             ? ""
             : fmt::format("{} tables are left to the servers: {}", outcome->leftToServers.size(), outcome->why));
    return {};
}

/// The subscription takes over from the slot for what is finished; the rest is published again afterwards, so that the servers copy it.
Status DataCopy::follow(Place& place, const std::set<std::string>& finished, const std::set<std::string>& failed, StepContext& context) {
    tell(place, "keys", "primary keys and identity indexes are built");
    context.report(fmt::format("keys of {}", place.database));
    if (const Status keys = m_keys(place.number, context); !keys) {
        return keys;
    }
    const Result<std::vector<CopyTable>> tables = copy_tables::list(place.blue, publicationName(m_plan));
    if (!tables) {
        return tables.error();
    }
    // Partitions are published with their root: one that is not finished takes the whole tree along.
    std::set<std::string> without;
    std::set<std::string> failedEntries;
    for (const CopyTable& table : *tables) {
        if (finished.count(table.name) == 0) {
            without.insert(table.entry);
        }
        if (failed.count(table.name) != 0) {
            failedEntries.insert(table.entry);
        }
    }
    if (const Status reduced = place.link.unpublishTables(without); !reduced) {
        return reduced;
    }
    if (const Status made = place.link.createOnSlot(SUBSCRIPTION_LIMIT); !made) {
        return made;
    }
    if (const Status enabled = place.link.enable(); !enabled) {
        return enabled;
    }
    return takeUpTheRest(place, failedEntries);
}

Status DataCopy::takeUpTheRest(Place& place, const std::set<std::string>& except) {
    Status status = place.link.publish(except);
    status = status.ok() ? emptyTheRest(place) : status;
    return status.ok() ? place.link.refreshWithCopy(SUBSCRIPTION_LIMIT) : status;
}

/// What is published and not subscribed to has no rows that anybody vouches for.
Status DataCopy::emptyTheRest(Place& place) {
    Result<std::vector<CopyTable>> tables = copy_tables::list(place.blue, publicationName(m_plan));
    const Result<std::set<std::string>> subscribed = place.subscribed();
    const Result<SideRow> side = control::readSide(place.green);
    if (!tables || !subscribed || !side) {
        return !tables ? tables.error() : !subscribed ? subscribed.error() : side.error();
    }
    if (side->role != SideRole::Replica) {
        return Error{Error::Kind::Refused, fmt::format("{} is no replica: nothing is emptied there.", place.green.label()), {}, {}};
    }
    std::erase_if(*tables, [&](const CopyTable& table) { return subscribed->count(table.name) != 0; });
    if (const Status compared = copy_tables::compareWith(place.green, *tables); !compared) {
        return compared;
    }
    std::vector<std::string> filled;
    for (const CopyTable& table : *tables) {
        if (!table.emptyThere) {
            filled.push_back(table.name);
        }
    }
    return copy_tables::beginAnew(place.green, filled, "none", Millis(60000));
}

Status DataCopy::look(Place& place, CopyProgress& progress, bool ended, StepContext& context) {
    if (context.cancelled()) {
        m_out.control->stop();
    }
    const std::int64_t now = m_out.nowUs();
    CopyState& state = m_states[place.database];
    if (!ended && m_toldUs[place.database] != 0 && now - m_toldUs[place.database] < TELL_US) {
        return {};
    }
    for (Json batch = progress.takeFinished(); !batch.empty(); batch = progress.takeFinished()) {
        m_out.tell({{"database", place.database}, {"finished", std::move(batch)}});
    }
    watchBudgets(place);
    progress.tell(state);
    auto [name, why] = m_out.control->state();
    if (why.empty() && !state.failures.empty()) {
        why = fmt::format("{} failed: {}", state.failures.back().table, state.failures.back().error);
    }
    tell(place, name, why);
    context.report(fmt::format("{}: {}{}", place.database, copyText(state), why.empty() ? "" : "; " + why),
                   state.bytesTotal > 0 ? state.bytesDone / state.bytesTotal : -1);
    return context.deadline().passed()
               ? Status(Error{Error::Kind::Timeout, "The copy did not finish in time.", "Run it again to go on from here.", {}})
               : Status();
}

/// What the copy may cost others. The slot is never dropped for it: that would throw the copy away. For WAL the operator decides; a replica
/// that has made up what it lacked lets the copy go on by itself.
void DataCopy::watchBudgets(Place& place) {
    const Result<Rows> kept =
        place.blue.query("select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) from pg_replication_slots where slot_name = $1",
                         {slotName(m_plan, Direction::Forward, place.database)}, Millis(3000));
    CopyState& state = m_states[place.database];
    state.retainedBytes = kept.ok() && kept->single() ? std::optional<double>(std::stod(*kept->single())) : std::nullopt;
    const double wal = m_walAllowed > 0 ? state.retainedBytes.value_or(0) : 0;
    const std::optional<ReplicaLag> lag = m_lagAllowed > 0 ? worstReplica(place) : std::nullopt;
    if (m_out.control->takeResumed()) {
        m_walAllowed = wal > m_walAllowed ? wal + m_plan.copy.maxWalRetainedMib * MIB : m_walAllowed;
        m_lagAllowed = lag && lag->bytes > m_lagAllowed ? lag->bytes + m_plan.copy.maxReplicaLagMib * MIB : m_lagAllowed;
    }
    if (wal > m_walAllowed) {
        m_out.control->hold(
            fmt::format("BLUE keeps {:.0f} MiB of WAL for the copy, more than max_wal_retained_mib allows; \"copy resume\" goes on "
                        "until it is as much again, abort frees it",
                        wal / MIB));
    } else if (lag && lag->bytes > m_lagAllowed) {
        m_heldForLag = true;
        m_out.control->hold(fmt::format("{} is {:.0f} MiB behind, more than max_replica_lag_mib allows; the copy goes on by itself when it "
                                        "has made up half of it, or with \"copy resume\"",
                                        lag->name, lag->bytes / MIB));
    } else if (m_heldForLag && lag && lag->bytes <= m_lagAllowed / 2) {
        m_heldForLag = false;
        m_out.control->release();
    }
}

/// The physical replica of either side that is farthest behind. One that is away counts by its slot. std::nullopt: nobody could be asked.
std::optional<DataCopy::ReplicaLag> DataCopy::worstReplica(Place& place) {
    constexpr const char* sql =
        "select name, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), lsn), 0) from (select r.application_name as name, r.replay_lsn as lsn "
        "from pg_stat_replication r where not exists (select from pg_replication_slots s where s.active_pid = r.pid and s.slot_type = "
        "'logical') union all select slot_name, restart_lsn from pg_replication_slots where slot_type = 'physical' and not active) behind "
        "order by 2 desc limit 1";
    std::optional<ReplicaLag> worst;
    for (const auto& [session, side] : {std::pair(&place.blue, Side::Blue), std::pair(&place.green, Side::Green)}) {
        const Result<Rows> asked = session->query(sql, {}, Millis(3000));
        if (!asked) {
            return std::nullopt;
        }
        worst = worst ? worst : std::optional(ReplicaLag{});
        if (!asked->empty() && std::stod(asked->text(0, 1)) > worst->bytes) {
            worst =
                ReplicaLag{fmt::format("replica {} of {}", plainText(asked->text(0, 0), 63), sideName(side)), std::stod(asked->text(0, 1))};
        }
    }
    return worst;
}

void DataCopy::tell(Place& place, const std::string& how, const std::string& detail) {
    CopyState& state = m_states[place.database];
    state.database = place.database;
    state.state = how;
    state.detail = detail;
    state.sampledUs = m_out.nowUs();
    if (how == "done" || how == "failed" || how == "keys") {
        state.running.clear();
        state.etaSeconds.reset();
    }
    m_toldUs[place.database] = std::max<std::int64_t>(state.sampledUs, 1);
    m_out.tell(toJson(state));
}

} // namespace tealdeck
