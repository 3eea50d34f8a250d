// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for the servers' own table synchronisation: of everything, or of what a snapshot copy left to them.
#include "core/engine/data_copy.h"
#include "core/engine/data_copy_place.h"
#include "core/replication/copy_tables.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::int64_t TELL_US = 1'000'000;

/// What the workers copy now; the view is there since 14.
constexpr const char* RUNNING_SQL =
    "select format('%I.%I', n.nspname, c.relname), p.bytes_processed, p.tuples_processed from pg_stat_progress_copy p join pg_class c on "
    "c.oid = p.relid join pg_namespace n on n.oid = c.relnamespace where p.datname = current_database() order by 1 limit 64";

/// Failures of table copies that were counted since 15; the reason is in the server's log only.
constexpr const char* ERRORS_SQL =
    "select coalesce(sum(sync_error_count), 0) from pg_stat_subscription_stats where subname = $1 and subid in (select oid from "
    "pg_subscription where subdbid = (select oid from pg_database where datname = current_database()))";

} // namespace

Status DataCopy::standStill(Place& place) {
    // Nothing else stops a worker of the servers. A table that is in the middle is begun again afterwards.
    const bool paused = m_out.control->state().first != "copying";
    const Result<bool> enabled = place.link.enabled();
    if (!enabled) {
        return enabled.error();
    }
    return *enabled == paused ? paused ? place.link.disable() : place.link.enable() : Status();
}

/// Rows and bytes of what the workers copy now, and the time to go by the pace so far.
void DataCopy::lookAtServers(Place& place, const LinkProgress& progress, std::int64_t now) {
    CopyState& state = m_states[place.database];
    if (state.startedUs == 0 || state.bytesTotal == 0) {
        state.startedUs = state.startedUs == 0 ? now : state.startedUs;
        const Result<std::vector<CopyTable>> tables = copy_tables::list(place.blue, publicationName(m_plan));
        for (std::size_t i = 0; tables.ok() && i < tables->size(); ++i) {
            state.bytesTotal += (*tables)[i].bytes;
        }
    }
    state.running.clear();
    double bytes = progress.bytesReady;
    if (place.green.serverVersion() >= 140000) {
        const Result<Rows> rows = place.green.query(RUNNING_SQL);
        for (std::size_t i = 0; rows.ok() && i < rows->size(); ++i) {
            state.running.push_back({rows->text(i, 0), std::stod(rows->text(i, 1)), 0, std::stod(rows->text(i, 2))});
            bytes += state.running.back().bytes;
        }
    }
    state.bytesDone = std::max(state.bytesDone, std::min(bytes, state.bytesTotal));
    state.bytesPerSecond.reset();
    state.etaSeconds.reset();
    const double seconds = static_cast<double>(now - state.startedUs) / 1e6;
    if (seconds > 1 && state.bytesDone > 0) {
        state.bytesPerSecond = state.bytesDone / seconds;
        state.etaSeconds = (state.bytesTotal - state.bytesDone) / *state.bytesPerSecond;
    }
}

Result<bool> DataCopy::serversAreDone(Place& place, std::string& waiting) {
    if (const Status still = standStill(place); !still) {
        return still.error();
    }
    const Result<LinkProgress> progress = place.link.progress();
    if (!progress) {
        return progress.error();
    }
    const bool done = progress->tablesReady == progress->tablesTotal && progress->tablesTotal > 0;
    CopyState& state = m_states[place.database];
    const std::int64_t now = m_out.nowUs();
    if (!progress->notReady.empty()) {
        waiting = place.database + ": " + progress->notReady;
    }
    if (state.state == "done" || (!done && now - m_toldUs[place.database] < TELL_US && m_toldUs[place.database] != 0)) {
        return done;
    }
    state.tablesDone = progress->tablesReady;
    state.tablesTotal = progress->tablesTotal;
    lookAtServers(place, *progress, now);
    std::string detail;
    if (place.green.serverVersion() >= 150000 && !done) {
        const Result<Rows> errors = place.green.query(ERRORS_SQL, {place.subscription});
        if (errors.ok() && errors->text(0, 0) != "0") {
            detail = fmt::format("copies failed {} times and are tried again; not ready is {}; green's server log names the reason",
                                 errors->text(0, 0), progress->notReady);
        }
    }
    const auto [how, why] = m_out.control->state();
    tell(place,
         done                           ? "done"
         : how != "copying"             ? how
         : state.strategy == "snapshot" ? "handed-over"
                                        : "copying",
         why.empty() ? detail : why);
    waiting += detail.empty() ? "" : "; " + detail;
    return done;
}

Status DataCopy::waitForServers(SideSessions& blue, SideSessions& green, StepContext& context) {
    const auto all = [&]() -> Result<bool> {
        if (context.cancelled()) {
            m_out.control->stop();
        }
        int ready = 0;
        std::string waiting;
        for (std::size_t i = 0; i < m_plan.databases.size(); ++i) {
            Place place(m_plan, i, blue[i], green[i]);
            const Result<bool> exists = place.link.subscriptionExists();
            const Result<bool> done = exists && *exists ? serversAreDone(place, waiting) : exists;
            if (!done) {
                return done.error();
            }
            ready += *done ? 1 : 0;
        }
        if (m_out.control->stopped()) {
            return Error{Error::Kind::Refused,
                         "The copy was stopped. The servers go on with what they have begun; run it again to wait for them.",
                         {},
                         {}};
        }
        const int count = static_cast<int>(m_plan.databases.size());
        context.report(waiting.empty() ? "all tables" : fmt::format("{} of {} databases; next {}", ready, count, waiting),
                       static_cast<double>(ready) / count);
        return ready == count;
    };
    const Result<bool> done = waitUntil(all, context, Millis(250));
    if (!done) {
        return done.error();
    }
    return *done ? Status()
                 : Status(Error{Error::Kind::Timeout,
                                context.cancelled() ? "Stopped by Abort." : "The copy did not finish in time.",
                                "The servers' logs name the table that fails.",
                                {}});
}

} // namespace tealdeck
