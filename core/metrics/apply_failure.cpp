// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/apply_failure.h"

#include "core/postgres/sql.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr const char* ERRORS_SQL =
    "select apply_error_count from pg_stat_subscription_stats where subname = $1 and subid in "
    "(select oid from pg_subscription where subdbid = (select oid from pg_database where datname = current_database()))";

/// Begin (B), insert, update and delete (I, U, D) and truncate (T) of pgoutput, protocol version 1. The position in Begin is where the
/// transaction ends, which is what ALTER SUBSCRIPTION … SKIP wants (PostgreSQL manual, logical replication message formats).
constexpr const char* FIRST_TRANSACTION_SQL = R"(
with change as (
  select get_byte(data, 0) as kind, data from pg_logical_slot_peek_binary_changes($1, null, 1, 'proto_version', '1', 'publication_names', $2))
select (select upper(ltrim(encode(substring(data from 2 for 4), 'hex'), '0') || '/' || ltrim(encode(substring(data from 6 for 4), 'hex'), '0'))
          from change where kind = 66 limit 1),
       (select string_agg(distinct case when kind = 84 then 'a truncate' else
               ((get_byte(data, 1)::bigint << 24) + (get_byte(data, 2) << 16) + (get_byte(data, 3) << 8) + get_byte(data, 4))::oid::regclass::text
               end, ', ') from change where kind in (73, 85, 68, 84)))";

std::string orZero(std::string lsn) {
    if (!lsn.empty() && lsn.front() == '/') {
        lsn.insert(0, "0");
    }
    return lsn.empty() || lsn.back() != '/' ? lsn : lsn + "0";
}

} // namespace

std::string ApplyFailures::describe(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database) {
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
    const auto [it, isNew] = m_known.try_emplace({direction, database}, Known{count, {}, {}});
    Known& known = it->second;
    if (isNew || count == known.before) {
        return {}; // a failure of long ago says nothing about why it stands still now
    }
    if (count == known.count && !known.text.empty()) {
        return known.text;
    }
    const std::string failed = fmt::format("{} failed to apply a transaction ({} so far)", sideName(to), count);
    const Result<Rows> first =
        sessions.query(sourceOf(direction), database, FIRST_TRANSACTION_SQL, {slotName(plan, direction, database), publicationName(plan)});
    if (!first || first->text(0, 0).empty() || first->text(0, 1).empty()) {
        // The worker may be at it again just now.
        return known.text.empty() ? failed + "; its server log names the reason." : known.text;
    }
    const std::string end = orZero(first->text(0, 0));
    known.count = count;
    known.text =
        fmt::format("{}: it changes {} and ends at {}. The server log there names the row. Mend that row there, or leave the whole "
                    "transaction out: ALTER SUBSCRIPTION {} SKIP (lsn = '{}') in {}, and compare these tables afterwards.",
                    failed, plainText(first->text(0, 1), 200), end, quoteIdentifier(name), end, database);
    return known.text;
}

void ApplyFailures::recovered(Direction direction, const std::string& database) {
    const auto it = m_known.find({direction, database});
    if (it != m_known.end() && !it->second.text.empty()) {
        it->second.before = it->second.count;
        it->second.text.clear();
    }
}

} // namespace tealdeck
