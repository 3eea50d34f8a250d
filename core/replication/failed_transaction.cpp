// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/failed_transaction.h"

#include "core/postgres/sql.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis LOOK_AGAIN{100};

/// pgoutput tells a position as two numbers; leading zeros are gone then.
std::string orZero(std::string lsn) {
    if (!lsn.empty() && lsn.front() == '/') {
        lsn.insert(0, "0");
    }
    return lsn.empty() || lsn.back() != '/' ? lsn : lsn + "0";
}

/// A position as a server takes it, so that nothing else can be in the statement.
Result<std::string> checkedLsn(Connection& session, const std::string& lsn) {
    const Result<Rows> read = session.query("select $1::pg_lsn::text", {lsn});
    return read ? Result<std::string>(read->text(0, 0))
                : Error{Error::Kind::Invalid,
                        fmt::format("\"{}\" is no position in the WAL.", plainText(lsn, 40)),
                        "\"tealctl status\" names the position at which the feed stands.",
                        {}};
}

} // namespace

/// Begin (B), insert, update and delete (I, U, D) and truncate (T) of pgoutput, protocol version 1. The position in Begin is where the
/// transaction ends (PostgreSQL manual, logical replication message formats).
const char* const FIRST_TRANSACTION_SQL = R"(
with change as (
  select get_byte(data, 0) as kind, data from pg_logical_slot_peek_binary_changes($1, null, 1, 'proto_version', '1', 'publication_names', $2))
select (select upper(ltrim(encode(substring(data from 2 for 4), 'hex'), '0') || '/' || ltrim(encode(substring(data from 6 for 4), 'hex'), '0'))
          from change where kind = 66 limit 1),
       (select string_agg(distinct case when kind = 84 then 'a truncate' else
               ((get_byte(data, 1)::bigint << 24) + (get_byte(data, 2) << 16) + (get_byte(data, 3) << 8) + get_byte(data, 4))::oid::regclass::text
               end, ', ') from change where kind in (73, 85, 68, 84)))";

std::optional<FailedTransaction> firstTransaction(const Result<Rows>& answer) {
    if (!answer || answer->empty() || answer->text(0, 0).empty() || answer->text(0, 1).empty()) {
        return std::nullopt;
    }
    return FailedTransaction{orZero(answer->text(0, 0)), plainText(answer->text(0, 1), 200)};
}

Status skipTransaction(const Plan& plan, Direction direction, const std::string& database, const std::string& lsn, Connection& source,
                       Connection& destination, StepContext& context, const std::function<Status()>& beforeOrder) {
    const std::string follower = sideName(destinationOf(direction));
    const Result<Rows> version = destination.query("select current_setting('server_version_num')::int >= 150000");
    if (!version) {
        return version.error();
    }
    if (version->text(0, 0) != "t") {
        return Error{Error::Kind::Refused,
                     fmt::format("{} is older than PostgreSQL 15 and cannot leave one transaction out.", follower),
                     "Mend the row there that its server log names; the feed tries again by itself.",
                     {}};
    }
    const Result<std::string> wanted = checkedLsn(destination, lsn);
    if (!wanted) {
        return wanted.error();
    }
    context.report("which transaction the feed stands at");
    std::optional<FailedTransaction> first;
    std::string silent = "it has gone on by itself";
    const Result<bool> stands = waitUntil(
        [&]() -> Result<bool> {
            const Result<Rows> held = source.query(FIRST_TRANSACTION_SQL, {slotName(plan, direction, database), publicationName(plan)});
            first = firstTransaction(held);
            silent = held ? silent : held.error().message; // mostly: the worker is at it just now
            return first.has_value();
        },
        context, LOOK_AGAIN);
    if (!stands || !*stands) {
        return stands.ok() ? Status(Error{Error::Kind::Conflict,
                                          fmt::format("The feed of {} shows no transaction: {}.", database, silent),
                                          "Nothing was left out.",
                                          {}})
                           : Status(stands.error());
    }
    const Result<std::string> standing = checkedLsn(destination, first->endLsn);
    if (!standing || *standing != *wanted) {
        return Error{Error::Kind::Refused,
                     fmt::format("The feed of {} stands at the transaction that ends at {} and changes {}, not at {}.", database,
                                 first->endLsn, first->relations, *wanted),
                     "Look again and decide on that one.",
                     {}};
    }
    if (const Status ready = beforeOrder(); !ready) {
        return ready;
    }
    const std::string subscription = quoteIdentifier(subscriptionName(plan, direction));
    context.report(fmt::format("{} leaves it out", follower), 0.5);
    if (const Result<Rows> told = destination.query(fmt::format("alter subscription {} skip (lsn = '{}')", subscription, *wanted)); !told) {
        return told.error();
    }
    // The server forgets the order when the transaction is behind it (PostgreSQL manual, pg_subscription.subskiplsn).
    const Result<bool> passed = waitUntil(
        [&]() -> Result<bool> {
            const Result<Rows> open = destination.query("select subskiplsn = '0/0' from pg_subscription where subname = $1 and subdbid = "
                                                        "(select oid from pg_database where datname = current_database())",
                                                        {subscriptionName(plan, direction)});
            return open ? Result<bool>(!open->empty() && open->text(0, 0) == "t") : Result<bool>(open.error());
        },
        context, LOOK_AGAIN);
    if (passed && *passed) {
        context.detail(fmt::format("the transaction that ends at {} and changes {} is missing on {}", *wanted, first->relations, follower));
        return {};
    }
    static_cast<void>(destination.query(fmt::format("alter subscription {} skip (lsn = none)", subscription)));
    return passed.ok()
               ? Status(Error{Error::Kind::Timeout,
                              fmt::format("{} did not come to the transaction; the order to leave it out was taken back.", follower),
                              "See whether its subscription is enabled, and what its server log says.",
                              {}})
               : Status(passed.error());
}

} // namespace tealdeck
