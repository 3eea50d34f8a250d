// SPDX-License-Identifier: GPL-3.0-or-later
// Comparisons and drift without a server: the fold, the line of the checklist, the statements.
#include "core/checks/comparison_check.h"
#include "core/model/snapshot.h"
#include "core/replication/drift.h"
#include "core/verify/compare_sql.h"
#include "core/verify/progress_log.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::int64_t HOUR_US = 3'600'000'000;

Event verifyEvent(std::uint64_t seq, Json body) {
    return {seq, static_cast<std::int64_t>(seq), static_cast<std::int64_t>(seq), EventKind::Verify, "engine", std::move(body)};
}

ComparisonState finished() {
    ComparisonState c;
    c.id = "one";
    c.state = "done";
    c.mode = "convergent";
    c.complete = true;
    c.tables = c.equal = 3;
    c.startedWallUs = 100 * HOUR_US;
    return c;
}

CheckState lineFor(const ComparisonState& c, bool required = true, std::int64_t nowWallUs = 101 * HOUR_US,
                   Direction direction = Direction::Forward) {
    Plan plan;
    plan.verify.required = required;
    CheckContext context;
    context.moment = CheckMoment::BeforeCutover;
    context.direction = direction;
    const std::vector<CheckState> lines = comparisonChecks(plan, context, c, nowWallUs, 1);
    EXPECT_EQ(lines.size(), 1U);
    return lines.at(0);
}

TEST(Comparison, keepsEveryTableThatIsNotEqualAndTheNewestOfTheOthers) {
    Snapshot s;
    std::uint64_t seq = 0;
    ComparisonState running = finished();
    running.state = "running";
    apply(s, verifyEvent(++seq, {{"comparison", toJson(running, false)}}));
    for (int i = 0; i < 1000; ++i) {
        TableComparison table;
        table.database = "shop";
        table.table = "t" + std::to_string(i);
        table.result = i == 3 ? "different" : "equal";
        apply(s, verifyEvent(++seq, {{"id", "one"}, {"table", toJson(table)}}));
    }
    TableComparison late;
    late.table = "of another run";
    apply(s, verifyEvent(++seq, {{"id", "two"}, {"table", toJson(late)}}));
    apply(s, verifyEvent(++seq, {{"comparison", toJson(finished(), false)}}));
    EXPECT_EQ(s.comparison.list.size(), ComparisonState::KEPT + 1);
    EXPECT_EQ(s.comparison.list.front().table, "t3");
    EXPECT_EQ(s.comparison.list.back().table, "t999");
    EXPECT_EQ(s.comparison.state, "done");
    EXPECT_EQ(toJson(snapshotFromJson(toJson(s))), toJson(s));
}

TEST(Comparison, passesOnlyWhenAllIsKnownEqualAndYoung) {
    EXPECT_EQ(lineFor(finished()).result, CheckResult::Pass);
    EXPECT_EQ(lineFor(ComparisonState()).result, CheckResult::Unknown);
    EXPECT_EQ(lineFor(finished(), true, 200 * HOUR_US).result, CheckResult::Unknown) << "old";
    EXPECT_EQ(lineFor(finished(), true, 50 * HOUR_US).result, CheckResult::Unknown) << "from the future";
    for (const char* state : {"running", "cancelled", "failed", "none"}) {
        ComparisonState c = finished();
        c.state = state;
        EXPECT_EQ(lineFor(c).result, CheckResult::Unknown) << state;
    }
    ComparisonState some = finished();
    some.complete = false;
    EXPECT_EQ(lineFor(some).result, CheckResult::Unknown);
    ComparisonState open = finished();
    open.equal = 2;
    open.undecided = 1;
    EXPECT_EQ(lineFor(open).result, CheckResult::Unknown);
    ComparisonState different = open;
    different.undecided = 0;
    different.different = 1;
    different.state = "cancelled";
    EXPECT_EQ(lineFor(different).result, CheckResult::Fail);
}

TEST(Comparison, blocksOnlyWhenThePlanSaysSoAndNeverTheWayBack) {
    EXPECT_EQ(lineFor(finished()).severity, Severity::Blocking);
    EXPECT_EQ(lineFor(finished(), false).severity, Severity::Warning);
    EXPECT_EQ(lineFor(finished(), true, 101 * HOUR_US, Direction::Reverse).severity, Severity::Warning);
}

TEST(Comparison, quotesHostileNamesAndKeys) {
    verify::Table table;
    table.name = R"(public."a""; drop table b")";
    table.columns = {{"id\"; --", "integer", "int4"}, {"v", "text", "text"}};
    table.keys = {{"id\"; --"}};
    const auto pairs = verify::pairTables({table}, {table}, verify::Method::RecordHash);
    ASSERT_EQ(pairs.size(), 1U);
    const std::string sql = verify::digestSql(pairs[0], {{"1'; drop"}, {}, -1, 0});
    EXPECT_NE(sql.find(R"("id""; --" > '1''; drop'::integer)"), std::string::npos) << sql;
    EXPECT_NE(sql.find(table.name), std::string::npos);
    EXPECT_NE(verify::lookUpSql(pairs[0], {{"\\x"}}).find(R"(E'\\x')"), std::string::npos);
}

TEST(Comparison, tellsApartWhatTablesLack) {
    verify::Table here;
    here.name = "public.t";
    here.columns = {{"id", "bigint", "int8"}, {"v", "text", "text"}};
    here.keys = {{"id"}};
    verify::Table there = here;
    there.keys = {};
    there.columns[1] = {"w", "text", "text"};
    verify::Table other = here;
    other.name = "public.u";
    const auto pairs = verify::pairTables({here, other}, {there}, verify::Method::TextHash);
    ASSERT_EQ(pairs.size(), 2U);
    EXPECT_TRUE(pairs[0].key.empty()) << "a key must be on both sides";
    EXPECT_FALSE(pairs[0].problem.empty());
    EXPECT_FALSE(pairs[0].note.empty());
    EXPECT_TRUE(pairs[1].missing);
    EXPECT_TRUE(verify::pairTables({}, {other}, verify::Method::TextHash).at(0).onlyThere);
}

TEST(Comparison, goesOnOnlyFromItsOwnProgress) {
    const std::filesystem::path file = std::filesystem::temp_directory_path() / ("tealdeck-progress-" + std::to_string(::getpid()));
    TableComparison equal;
    equal.database = "shop";
    equal.table = "a";
    equal.result = "equal";
    {
        verify::ProgressLog log(file, "scope", HOUR_US, 24, false);
        EXPECT_FALSE(log.resumed());
        log.tableDone(equal);
        log.chunkDone("shop", "b", {{"17", "x"}, 1000}, "0/1", HOUR_US);
    }
    std::ofstream(file, std::ios::app) << "{\"database\":\"shop\",\"table\":\"b\",\"up_to\":[\"9";
    verify::ProgressLog same(file, "scope", 2 * HOUR_US, 24, false);
    EXPECT_TRUE(same.finished("shop", "a"));
    ASSERT_TRUE(same.beginning("shop", "b"));
    EXPECT_EQ(same.beginning("shop", "b")->upTo, (verify::Key{"17", "x"}));
    EXPECT_FALSE(verify::ProgressLog(file, "scope", 30 * HOUR_US, 24, false).resumed()) << "too old";
    { verify::ProgressLog(file, "scope", HOUR_US, 24, false).tableDone(equal); }
    EXPECT_FALSE(verify::ProgressLog(file, "scope", HOUR_US, 24, true).resumed()) << "afresh";
    { verify::ProgressLog(file, "scope", HOUR_US, 24, false).tableDone(equal); }
    EXPECT_FALSE(verify::ProgressLog(file, "another", HOUR_US, 24, false).resumed());
    std::filesystem::remove(file);
}

TEST(Drift, knowsWhatIsMoreThanOneStatement) {
    for (const char* one : {"create table t(a int)", "create table t(a text default ';');  ",
                            "create function f() returns int as $x$ begin; end; $x$ language plpgsql; -- done; really",
                            "/* a; b */ alter table t add c int", "comment on table \"a;b\" is E'it\\'s; fine'"}) {
        EXPECT_FALSE(drift::isSeveralStatements(one)) << one;
    }
    for (const char* several : {"create table t(a int); insert into t values (1)", "begin; create table t(a int); commit",
                                "select 1; \"x\"", "select ';'; select 2"}) {
        EXPECT_TRUE(drift::isSeveralStatements(several)) << several;
    }
}

TEST(Drift, isFollowedByNumberAndDatabase) {
    Snapshot s;
    DriftState d;
    d.id = 1;
    d.database = "shop";
    d.side = "blue";
    Event e{1, 1, 1, EventKind::Drift, "engine", toJson(d)};
    apply(s, e);
    d.state = "settled";
    e.body = toJson(d);
    apply(s, e);
    d.database = "crm";
    e.body = toJson(d);
    apply(s, e);
    ASSERT_EQ(s.drift.size(), 2U);
    EXPECT_EQ(s.drift[0].state, "settled");
    EXPECT_TRUE(isDurableKind(EventKind::Drift));
}

} // namespace
} // namespace tealdeck
