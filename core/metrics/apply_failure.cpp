// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/apply_failure.h"

#include "core/replication/failed_transaction.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr const char* ERRORS_SQL =
    "select apply_error_count from pg_stat_subscription_stats where subname = $1 and subid in "
    "(select oid from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()))";

} // namespace

ApplyFailure ApplyFailures::describe(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database) {
    const Side to = destinationOf(direction);
    const std::string name = subscriptionName(plan, direction);
    if (sessions.serverVersion(to, database) < 150000) {
        return {};
    }
    const Result<Rows> errors = sessions.query(to, database, ERRORS_SQL, {name});
    if (!errors || errors->empty()) {
        return {};
    }
    const std::string& count = errors->text(0, 0);
    const auto [it, isNew] = m_known.try_emplace({direction, database}, Known{count, {}, {}, {}});
    Known& known = it->second;
    if (isNew || count == known.before) {
        return {}; // a failure of long ago says nothing about why it stands still now
    }
    if (count == known.count && !known.text.empty()) {
        return {known.text, known.lsn};
    }
    const std::string failed = fmt::format("{} failed to apply a transaction ({} so far)", sideName(to), count);
    const auto first = firstTransaction(
        sessions.query(sourceOf(direction), database, FIRST_TRANSACTION_SQL, {slotName(plan, direction, database), publicationName(plan)}));
    if (!first) {
        // The worker may be at it again just now.
        return known.text.empty() ? ApplyFailure{failed + "; its server log names the reason.", {}} : ApplyFailure{known.text, known.lsn};
    }
    known.count = count;
    known.lsn = first->endLsn;
    known.text =
        fmt::format("{}: it changes {} and ends at {}. The server log there names the row. Mend that row there, or leave the whole "
                    "transaction out (\"tealctl skip\" with --lsn {}), and compare these tables afterwards.",
                    failed, first->relations, known.lsn, known.lsn);
    return {known.text, known.lsn};
}

void ApplyFailures::recovered(Direction direction, const std::string& database) {
    const auto it = m_known.find({direction, database});
    if (it != m_known.end() && !it->second.text.empty()) {
        it->second.before = it->second.count;
        it->second.text.clear();
    }
}

} // namespace tealdeck
