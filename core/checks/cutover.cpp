// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"
#include "core/checks/fingerprint.h"
#include "core/checks/runner.h"
#include "core/postgres/sql.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {

using enum CheckScope;
using enum CheckWhen;

namespace {

CheckAnswer fingerprintsEqual(const CheckSubject& s) {
    const Result<Rows> blue = s.sessions.query(Side::Blue, s.database, fingerprintSql());
    if (!blue) {
        return CheckAnswer::unknown(blue.error().text());
    }
    const Result<Rows> green = s.sessions.query(Side::Green, s.database, fingerprintSql());
    if (!green) {
        return CheckAnswer::unknown(green.error().text());
    }
    if (blue->empty()) {
        return CheckAnswer::unknown("The structure of blue came back empty.");
    }
    const CheckAnswer differences = CheckAnswer::findings(fingerprintDifferences(fingerprintFrom(*blue), fingerprintFrom(*green)));
    return differences.result == CheckResult::Pass ? CheckAnswer::pass(std::to_string(blue->size()) + " objects are equal") : differences;
}

/// Statistics are copied once, before the first move; afterwards autovacuum keeps them.
CheckAnswer statistics(const CheckSubject& s) {
    if (!s.context.firstCutover) {
        return CheckAnswer::pass("not the first move of the writes");
    }
    return findingsOf(
        s.sessions.query(s.side, s.database,
                         "select format('%I.%I', n.nspname, c.relname), format('ANALYZE %I.%I;', n.nspname, c.relname) as fix from "
                         "pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_stat_all_tables t on t.relid = c.oid "
                         "where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', "
                         "'tealdeck', 'tealdeck_sync') and pg_relation_size(c.oid) > 65536 "
                         "and not exists (select from pg_statistic st where st.starelid = c.oid)"));
}

/// A table that was created later is in no publication, and so in no subscription.
CheckAnswer everyTableSubscribed(const CheckSubject& s) {
    constexpr const char* sql = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = "
                                "c.relnamespace where c.relkind = 'r' and c.relpersistence = 'p' and {users} "
                                "and {not_extension} and not exists (select from pg_subscription_rel r join pg_subscription s on s.oid = "
                                "r.srsubid where r.srrelid = c.oid and s.subname = {subscription})";
    const Result<Rows> rows = s.sessions.query(s.side, s.database, fillPlaceholders(sql, s.plan(), s.context));
    CheckAnswer found = findingsOf(rows);
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
        found.fixes.push_back(
            {fmt::format("ALTER PUBLICATION {} ADD TABLE {};", quoteIdentifier(publicationName(s.plan())), rows->text(i, 0)),
             otherSide(s.side)});
    }
    if (!found.fixes.empty()) {
        found.fixes.push_back(
            {fmt::format("ALTER SUBSCRIPTION {} REFRESH PUBLICATION;", quoteIdentifier(subscriptionName(s.plan(), s.context.direction)))});
    }
    return found;
}

CheckAnswer sequencesOnBoth(const CheckSubject& s) {
    constexpr const char* sql =
        "select format('%I.%I', n.nspname, c.relname), format('CREATE SEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s "
        "CACHE %s;', n.nspname, c.relname, "
        "q.seqtypid::regtype, q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache) from pg_class c join pg_sequence q on q.seqrelid "
        "= c.oid join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' "
        "and c.relpersistence = 'p' "
        "and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tealdeck', 'tealdeck_sync') order by 1";
    const Result<Rows> from = s.sessions.query(s.side, s.database, sql);
    const Result<Rows> to = s.sessions.query(otherSide(s.side), s.database, sql);
    if (!from || !to) {
        return CheckAnswer::unknown((from ? to : from).error().text());
    }
    std::vector<std::string> missing;
    std::vector<FixStatement> fixes;
    for (std::size_t i = 0; i < from->size(); ++i) {
        const std::string name = from->text(i, 0);
        if (std::none_of(to->rows.begin(), to->rows.end(), [&](const auto& row) { return row[0] == name; })) {
            missing.push_back(name + " is missing on " + sideName(otherSide(s.side)));
            fixes.push_back({from->text(i, 1), otherSide(s.side)});
        }
    }
    return CheckAnswer::findings(missing, std::move(fixes));
}

} // namespace

std::vector<CheckDefinition> cutoverChecks() {
    const std::string family = "cutover";
    return {
        {.id = "GRN03",
         .family = family,
         .scope = Destination,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Is every table copied and followed?",
         .why = "Before all are ready, tables stand at different moments and lag means nothing.",
         .expected = "the subscription is enabled, its worker runs, and every table is in state r",
         .fix = "Wait; if it stays, the destination's server log names the reason.",
         .source = "PostgreSQL manual, pg_subscription_rel",
         .sql =
             "with sub as (select * from pg_subscription where subname = {subscription} and subdbid = (select oid from pg_database "
             "where datname = current_database())) "
             "select 'there is no subscription ' || {subscription}, null::text as fix where not exists (select from sub) "
             "union all select 'the subscription is disabled', format('ALTER SUBSCRIPTION %I ENABLE;', subname) from sub where not "
             "subenabled "
             "union all select 'its worker does not run', null from sub where subenabled and not exists (select from pg_stat_subscription "
             "t "
             "where t.subid = sub.oid and t.relid is null and t.pid is not null) "
             "union all select 'no table is subscribed', null from sub where not exists (select from pg_subscription_rel r where r.srsubid "
             "= "
             "sub.oid) "
             "union all select format('%s is in state %s', r.srrelid::regclass, r.srsubstate), null from pg_subscription_rel r join sub on "
             "sub.oid = r.srsubid where r.srsubstate <> 'r'",
         .overridable = false,
         .validForSeconds = 30},
        {.id = "GRN04",
         .family = family,
         .scope = Destination,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Is every table of the destination subscribed?",
         .why = "A table that was created later is silently not replicated.",
         .expected = "each permanent table in the subscription",
         .fix = "Publish the table on the source, then let the subscription follow; a table that is only here has to go, or to be made "
                "there too.",
         .source = "PostgreSQL manual, ALTER SUBSCRIPTION",
         .evaluate = everyTableSubscribed,
         .validForSeconds = 60},
        {.id = "GRN05",
         .family = family,
         .severity = Severity::Warning,
         .scope = Destination,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Did apply run into errors?",
         .why = "Something was tried again or skipped; the tables concerned deserve a comparison.",
         .expected = "no errors counted",
         .fix = "Read the destination's server log and compare the tables that it names; then begin to count anew.",
         .fixSql = "SELECT pg_stat_reset_subscription_stats(oid) FROM pg_subscription WHERE subname = {subscription};",
         .source = "PostgreSQL manual, pg_stat_subscription_stats",
         // Read through JSON: 19 renamed sync_error_count.
         .sql = "select format('%s errors of apply, %s of copying', s.apply_error_count, coalesce(to_jsonb(s)->>'sync_error_count', "
                "to_jsonb(s)->>'sync_table_error_count')) from pg_stat_subscription_stats s "
                "where s.subname = {subscription} and s.subid in (select oid from pg_subscription where subdbid = (select oid from "
                "pg_database where datname = current_database())) "
                "and s.apply_error_count + coalesce((to_jsonb(s)->>'sync_error_count')::bigint, "
                "(to_jsonb(s)->>'sync_table_error_count')::bigint, 0) > 0",
         .minVersion = 15,
         .validForSeconds = 60},
        {.id = "GRN06",
         .family = family,
         .scope = Destination,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Were there conflicts?",
         .why = "A conflict means that somebody wrote on the destination: its rows are not the source's.",
         .expected = "no conflicts counted",
         .fix = "Compare the tables and copy again those that differ; then begin to count anew.",
         .fixSql = "SELECT pg_stat_reset_subscription_stats(oid) FROM pg_subscription WHERE subname = {subscription};",
         .source = "PostgreSQL 18 manual, Logical Replication: Conflicts",
         .sql = "select format('%s: %s', k, v) from pg_stat_subscription_stats s, jsonb_each_text(to_jsonb(s)) e(k, v) where s.subname = "
                "{subscription} and k like 'confl\\_%' and v <> '0' "
                "and s.subid in (select oid from pg_subscription where subdbid = (select oid from pg_database where datname = "
                "current_database()))",
         .minVersion = 18,
         .validForSeconds = 60},
        {.id = "GRN02",
         .family = family,
         .scope = Destination,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Does the planner have statistics on the destination?",
         .why = "Replication carries none: without them the first queries after the cutover go wrong.",
         .expected = "statistics for every table of more than a few pages",
         .fix = "Analyze these tables; VACUUM (ANALYZE) of the whole database also fills the visibility map.",
         .source = "PostgreSQL manual, Updating Planner Statistics",
         .evaluate = statistics,
         .blocksRollback = false},
        {.id = "CMP04",
         .family = family,
         .scope = Pair,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Have both sides the same structure?",
         .why = "What was changed on one side only breaks replication, or the application after the switch.",
         .expected = "equal tables, columns, indexes, constraints, functions, types, policies, owners and grants",
         .fix = "Apply the change on the other side as well; additive ones on the destination first.",
         .source = "PostgreSQL manual, Logical Replication: Restrictions",
         .evaluate = fingerprintsEqual,
         .validForSeconds = 120},
        {.id = "CMP17",
         .family = family,
         .scope = Pair,
         .when = BeforeCutover,
         .perDatabase = true,
         .question = "Is every sequence on both sides?",
         .why = "Their values are carried over at the switch; a sequence that is missing would start anew.",
         .expected = "each sequence of the source on the destination",
         .fix = "Create it where it is missing, with its owner and grants.",
         .source = "PostgreSQL manual, Logical Replication: Restrictions",
         .evaluate = sequencesOnBoth,
         .validForSeconds = 120},
    };
}

} // namespace tealdeck
