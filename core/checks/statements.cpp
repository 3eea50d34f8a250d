// SPDX-License-Identifier: GPL-3.0-or-later
// Which statements the new version does worse. Nothing is explained here: to plan somebody's statement can run his functions with the
// rights of this console, and what a statement really touched says more than what a planner expects.
#include "core/checks/statements.h"

#include "core/checks/catalogue.h"
#include "core/postgres/sql.h"
#include "core/util/text.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <optional>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

constexpr double TIMES_SLOWER = 2;
constexpr double LEAST_MS = 1;
constexpr double TIMES_BLOCKS = 4;
constexpr double LEAST_BLOCKS = 100;

constexpr const char* WHERE_SQL = "select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace "
                                  "where e.extname = 'pg_stat_statements'";

/// What the application ran often enough for a mean: our own sessions and the feed are left out.
std::string costsSql(const std::string& schema, const CheckSubject& s) {
    return fmt::format("select md5(query), min(query), sum(calls), sum(total_exec_time) / sum(calls), sum(shared_blks_hit + "
                       "shared_blks_read) / sum(calls) "
                       "from {}.pg_stat_statements where dbid = (select oid from pg_database where datname = {}) "
                       "and query ~* '^\\s*(select|with|insert|update|delete|merge)\\y' "
                       "and userid not in (select oid from pg_roles where rolname in (current_user, {})) "
                       "group by 1 having sum(calls) >= 20 order by sum(total_exec_time) desc limit 1000",
                       schema, quoteLiteral(s.database), quoteLiteral(s.plan().replication.user));
}

double number(const Rows& rows, std::size_t row, std::size_t column) {
    return std::strtod(rows.text(row, column).c_str(), nullptr);
}

/// One server's, asked by a function that puts a statement to it; std::nullopt: the extension is not in the database that was asked. It
/// shows all databases from any in which it was created.
Result<std::optional<StatementCosts>> costsOf(const CheckSubject& s, const std::function<Result<Rows>(const std::string&)>& ask) {
    const Result<Rows> schema = ask(WHERE_SQL);
    if (!schema) {
        return schema.error();
    }
    if (schema->empty()) {
        return std::optional<StatementCosts>();
    }
    const Result<Rows> rows = ask(costsSql(schema->text(0, 0), s));
    if (!rows) {
        return rows.error();
    }
    StatementCosts costs;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        costs[rows->text(row, 0)] = {rows->text(row, 1), number(*rows, row, 2), number(*rows, row, 3), number(*rows, row, 4)};
    }
    return std::optional(std::move(costs));
}

/// A side's primary and its replicas: reads may run on these alone.
Result<StatementCosts> costsOn(const CheckSubject& s, Side side) {
    const auto inDatabase = [&](const std::string& database) {
        return [&s, side, database](const std::string& sql) { return s.sessions.query(side, database, sql); };
    };
    Result<std::optional<StatementCosts>> found = costsOf(s, inDatabase(s.database));
    if (found && !*found) {
        found = costsOf(s, inDatabase(""));
    }
    if (!found) {
        return found.error();
    }
    if (!*found) {
        return Error{Error::Kind::Conflict, fmt::format("{} has no extension pg_stat_statements.", sideName(side)), {}, {}};
    }
    StatementCosts all = std::move(**found);
    for (const Endpoint& replica : s.plan().side(side).replicas) {
        // A replica that is silent is another check's finding.
        if (const auto more = costsOf(s, [&](const std::string& sql) { return s.sessions.replica(side, replica, sql); }); more && *more) {
            addCosts(all, **more);
        }
    }
    return all;
}

CheckAnswer noWorseOnGreen(const CheckSubject& s) {
    const Result<StatementCosts> blue = costsOn(s, Side::Blue);
    const Result<StatementCosts> green = blue.ok() ? costsOn(s, Side::Green) : blue;
    if (!green) {
        return CheckAnswer::unknown(green.error().text());
    }
    const auto common = std::count_if(blue->begin(), blue->end(), [&](const auto& one) { return green->count(one.first) > 0; });
    if (common == 0) {
        return CheckAnswer::unknown("No statement has run 20 times on both sides yet.");
    }
    const CheckAnswer worse = CheckAnswer::findings(worseOnGreen(*blue, *green));
    return worse.result == CheckResult::Pass
               ? CheckAnswer::pass(fmt::format("{} statements run on both sides, none worse on GREEN", common))
               : worse;
}

} // namespace

void addCosts(StatementCosts& sum, const StatementCosts& more) {
    for (const auto& [hash, cost] : more) {
        const auto [it, isNew] = sum.emplace(hash, cost);
        if (!isNew) {
            StatementCost& all = it->second;
            const double calls = all.calls + cost.calls;
            all.meanMs = (all.meanMs * all.calls + cost.meanMs * cost.calls) / calls;
            all.blocksPerCall = (all.blocksPerCall * all.calls + cost.blocksPerCall * cost.calls) / calls;
            all.calls = calls;
        }
    }
}

std::vector<std::string> worseOnGreen(const StatementCosts& blue, const StatementCosts& green) {
    std::vector<std::pair<double, std::string>> found;
    for (const auto& [hash, before] : blue) {
        const auto now = green.find(hash);
        if (now == green.end()) {
            continue;
        }
        const StatementCost& after = now->second;
        const bool slower = after.meanMs >= TIMES_SLOWER * before.meanMs && after.meanMs - before.meanMs >= LEAST_MS;
        const bool reads =
            after.blocksPerCall >= TIMES_BLOCKS * before.blocksPerCall && after.blocksPerCall - before.blocksPerCall >= LEAST_BLOCKS;
        if (slower || reads) {
            found.emplace_back((after.meanMs - before.meanMs) * after.calls,
                               fmt::format("{:.1f} ms on GREEN, {:.1f} ms on BLUE, {:.0f} blocks a call instead of {:.0f}: {}",
                                           after.meanMs, before.meanMs, after.blocksPerCall, before.blocksPerCall,
                                           plainText(after.text, 120)));
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> lines;
    lines.reserve(found.size());
    for (auto& [cost, line] : found) {
        lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<CheckDefinition> statementChecks() {
    return {
        {.id = "STM01",
         .family = "statements",
         .severity = Severity::Warning,
         .scope = Pair,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Does GREEN do the application's statements as well as BLUE?",
         .why = "A new version plans anew: an index that is not used any more is felt by everybody, and only after the switch.",
         .expected = "no statement that runs on both is twice as slow, or touches four times the blocks",
         .fix =
             "Analyze its tables, then compare EXPLAIN (ANALYZE, BUFFERS) of the statement on both sides: indexes, settings and statistics "
             "targets differ, or the planner does. Where it is not known: load pg_stat_statements on both sides, create the extension, "
             "and ramp some reads.",
         .source = "PostgreSQL manual, pg_stat_statements",
         .evaluate = noWorseOnGreen,
         .validForSeconds = 60}};
}

} // namespace tealdeck
