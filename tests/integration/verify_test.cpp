// SPDX-License-Identifier: GPL-3.0-or-later
// Comparing the data of both sides: what is planted is found, what moves is no difference.
#include "core/postgres/sql.h"
#include "core/util/files.h"
#include "core/verify/verifier.h"
#include "tests/support/extended.h"
#include "tests/support/upgrade_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace tealdeck::test {
namespace {

constexpr const char* KEYED = R"(public."all ""types""; drop table x")";
constexpr const char* TEXT_KEY = "public.text_key";
constexpr const char* NO_KEY = "public.no_key";

const std::string TABLES = fmt::format(R"(
create type public.mood as enum ('calm', 'glad', 'wild');
create domain public.percent as numeric check (value >= 0);
create table {0}(
  id bigint primary key, c_int2 smallint, c_int4 int, c_int8 bigint, c_bool boolean, c_numeric numeric, c_price numeric(12,2), c_float4 real, c_float8 double precision,
  c_text text, c_varchar varchar(40), c_char char(8), c_bytea bytea, c_date date, c_time time, c_timetz timetz, c_timestamp timestamp, c_timestamptz timestamptz,
  c_interval interval, c_uuid uuid, c_json json, c_jsonb jsonb, c_ints int[], c_texts text[], c_mood public.mood, c_moods public.mood[], c_percent public.percent,
  c_range int4range, c_inet inet, c_cidr cidr, c_mac macaddr, c_bit bit(4), c_varbit bit varying, c_point point, c_tsvector tsvector, c_money money,
  "hostile ""; --
col" text, c_double bigint generated always as (c_int8 * 2) stored);
insert into {0} select g, g, g * 3, g::bigint << 33, g % 2 = 0, g / 7.0, g, g / 3.0, g / 9.0, 'text ' || g, 'var ' || g, 'c' || g, decode(md5(g::text), 'hex'), date '2020-01-01' + g,
  time '10:00' + g * interval '1 second', timetz '10:00+02' + g * interval '1 second', timestamp '2020-01-01' + g * interval '1 second', timestamptz '2020-01-01Z' + g * interval '1 second',
  g * interval '1 minute', md5(g::text)::uuid, '{{"a": 1}}', jsonb_build_object('a', g), array[g, g + 1], array['x', g::text], 'glad', '{{calm,wild}}', g, int4range(g, g + 5), '10.0.0.1', '10.0.0.0/8',
  '08:00:2b:01:02:03', b'1010', b'101', point(g, 1), to_tsvector('simple', 'one two'), 12.34, 'odd ' || g
  from generate_series(1, 3000) g;
create table {1}(a text, b int, v text, primary key (a, b));
insert into {1} select 'it''s \ ' || g % 50, g, 'v' || g from generate_series(1, 3000) g;
create table {2}(a int, v text);
insert into {2} select g % 100, 'v' || g % 7 from generate_series(1, 3000) g;
create table public.parted(id int, v text, primary key (id)) partition by range (id);
create table public.parted_1 partition of public.parted for values from (0) to (100);
create table public.parted_2 partition of public.parted for values from (100) to (200);
insert into public.parted select g, 'v' from generate_series(1, 199) g;
create table public.parent(id int primary key, v text);
create table public.child(primary key (id)) inherits (public.parent);
insert into public.parent values (1, 'parent'); insert into public.child values (1, 'child');
create table public.large(id bigint primary key, v text);
insert into public.large select g, repeat('x', 300) from generate_series(1, 40000) g;
)",
                                       KEYED, TEXT_KEY, NO_KEY);

/// One change of each type, some of which are equal by the type's own operator.
const std::vector<std::pair<std::string, std::string>> CHANGES = {{"c_int2", "c_int2 + 1"},
                                                                  {"c_int4", "-c_int4"},
                                                                  {"c_int8", "c_int8 >> 32"},
                                                                  {"c_bool", "not c_bool"},
                                                                  {"c_numeric", "round(c_numeric, 2)"},
                                                                  {"c_price", "c_price + 0.01"},
                                                                  {"c_float4", "c_float4 * 2"},
                                                                  {"c_float8", "-c_float8"},
                                                                  {"c_text", "upper(c_text)"},
                                                                  {"c_text", "''"},
                                                                  {"c_varchar", "c_varchar || ' '"},
                                                                  {"c_char", "'other'"},
                                                                  {"c_bytea", "c_bytea || '\\x00'"},
                                                                  {"c_date", "c_date + 1"},
                                                                  {"c_time", "c_time + interval '1 microsecond'"},
                                                                  {"c_timetz", "c_timetz + interval '1 second'"},
                                                                  {"c_timestamp", "c_timestamp + interval '1 microsecond'"},
                                                                  {"c_timestamptz", "c_timestamptz - interval '1 microsecond'"},
                                                                  {"c_interval", "justify_hours(c_interval + interval '24 hours')"},
                                                                  {"c_interval", "make_interval(hours => 24)"},
                                                                  {"c_uuid", "gen_random_uuid()"},
                                                                  {"c_json", "'{\"a\":  1}'"},
                                                                  {"c_jsonb", "'{\"a\": 1.00}'"},
                                                                  {"c_ints", "'{}'"},
                                                                  {"c_ints", "null"},
                                                                  {"c_texts", "array['x,y']"},
                                                                  {"c_mood", "'wild'"},
                                                                  {"c_moods", "'{glad}'"},
                                                                  {"c_percent", "c_percent + 0.00"},
                                                                  {"c_range", "'empty'"},
                                                                  {"c_inet", "'10.0.0.2'"},
                                                                  {"c_cidr", "'10.0.0.0/9'"},
                                                                  {"c_mac", "'08:00:2b:01:02:04'"},
                                                                  {"c_bit", "b'1011'"},
                                                                  {"c_varbit", "b'1010'"},
                                                                  {"c_point", "point(0, 0)"},
                                                                  {"c_tsvector", "to_tsvector('simple', 'one')"},
                                                                  {"c_money", "c_money + 0.01::money"},
                                                                  {"\"hostile \"\"; --\ncol\"", "null"}};

class Verify : public testing::Test {
  protected:
    void SetUp() override {
        LabOptions options;
        options.blueMajor = 15;
        options.greenMajor = 18;
        options.schema = "shop";
        m_run = std::make_unique<UpgradeRun>(options);
        ASSERT_TRUE(m_run->ok());
        m_run->lab().run(Side::Blue, "shop", TABLES);
        const CtlResult copied = m_run->ctl({"run", "--until", "validate"});
        ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
        Result<Plan> plan = readPlan(m_run->lab().plan());
        ASSERT_TRUE(plan.ok());
        m_plan = *plan;
        m_plan.engineFolder = m_run->lab().file("verify");
        ASSERT_TRUE(makePrivateFolder(m_plan.engineFolder).ok());
        m_plan.verify.chunkRows = 1000;
    }

    ComparisonState compare(const std::vector<std::string>& tables, bool exact = false, const std::function<bool()>& cancelled = {}) {
        const Connector connector(m_plan, "verify-test");
        verify::Request request;
        request.databases = {"shop"};
        request.tables = tables;
        request.exact = exact;
        request.values = true;
        verify::Watcher watcher;
        watcher.steadyUs = [] { return Clock::system().steadyUs(); };
        watcher.cancelled = cancelled;
        m_tables.clear();
        watcher.table = [this](const TableComparison& t) { m_tables.push_back(t); };
        Result<ComparisonState> done = verify::compare(connector, request, watcher);
        EXPECT_TRUE(done.ok()) << done.error().text();
        return done.valueOr({});
    }

    [[nodiscard]] std::string details() const {
        std::string text;
        for (const TableComparison& t : m_tables) {
            text += toJson(t).dump() + "\n";
        }
        return text;
    }

    Json differences() {
        return member(parseJson(readFile(verify::differencesFile(m_plan)).valueOr("")).value_or(Json::object()), "differences",
                      Json::array());
    }

    /// Changes green, expects the comparison to find it, and takes it back.
    void expectFound(const std::string& table, const std::string& change, std::int64_t rows, bool exact = false) {
        onGreen(fmt::format("create table public.kept as select * from only {}", table));
        onGreen(change);
        const ComparisonState found = compare({table}, exact);
        EXPECT_EQ(found.different, 1) << change << "\n" << details();
        EXPECT_EQ(found.differences, rows) << change << "\n" << details() << differences().dump(1);
        const std::string columns =
            m_run->lab().ask(Side::Green, "shop",
                             fmt::format("select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = "
                                         "{}::regclass and attnum > 0 and attgenerated = ''",
                                         quoteLiteral(table)));
        onGreen(
            fmt::format("delete from only {0}; insert into {0} ({1}) select {1} from public.kept; drop table public.kept", table, columns));
    }

    /// The database is read-only by default for everyone but the feed.
    void onGreen(const std::string& sql) { m_run->lab().run(Side::Green, "shop", "begin read write; " + sql + "; commit"); }

    std::unique_ptr<UpgradeRun> m_run;
    Plan m_plan;
    std::vector<TableComparison> m_tables;
};

TEST_F(Verify, findsEveryPlantedDifference) {
    const ComparisonState clean = compare({});
    EXPECT_EQ(clean.equal, clean.tables) << details();
    EXPECT_EQ(clean.undecided, 0) << details();
    EXPECT_GT(clean.tables, 10);
    EXPECT_EQ(clean.mode, "convergent");

    std::mt19937 random(20261125);
    const auto row = [&] { return 1 + random() % 3000; };
    for (const auto& [column, value] : CHANGES) {
        SCOPED_TRACE(column + " = " + value);
        expectFound(KEYED, fmt::format("update {} set {} = {} where id = {}", KEYED, column, value, row()), 1);
        const Json found = differences();
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(member<std::string>(found[0], "kind", ""), "changed");
        EXPECT_FALSE(member(found[0], "columns", Json::array()).empty());
    }
    expectFound(KEYED, fmt::format("delete from {} where id = {}", KEYED, row()), 1);
    EXPECT_EQ(member<std::string>(differences().at(0), "kind", ""), "missing");
    expectFound(KEYED, fmt::format("insert into {} (id) values (1000000)", KEYED), 1);
    EXPECT_EQ(member<std::string>(differences().at(0), "kind", ""), "extra");
    // Values that changed places: every sum over the columns is the same.
    expectFound(KEYED,
                fmt::format("update {0} set c_text = case id when 7 then (select c_text from {0} where id = 8) else (select c_text from "
                            "{0} where id = 7) end where id in (7, 8)",
                            KEYED),
                2);
    expectFound(TEXT_KEY, fmt::format("update {} set v = v || 'x' where b = {}", TEXT_KEY, row()), 1);
    expectFound(TEXT_KEY, fmt::format("delete from {} where b = {}", TEXT_KEY, row()), 1);
    expectFound(NO_KEY, fmt::format("delete from {0} where ctid = (select min(ctid) from {0} where a = {1})", NO_KEY, random() % 100), 1);
    expectFound(NO_KEY, fmt::format("insert into {0} select * from {0} where a = 3 limit 1", NO_KEY), 1);
    expectFound(NO_KEY, fmt::format("update {0} set v = null where ctid = (select min(ctid) from {0})", NO_KEY), 2);
    expectFound("public.parted_2", "update public.parted_2 set v = '' where id = 150", 1);
    expectFound("public.parent", "update only public.parent set v = 'child'", 1);
    expectFound("public.child", "delete from public.child", 1);
    const ComparisonState after = compare({});
    EXPECT_EQ(after.equal, after.tables) << details();
}

class VerifyLong : public Verify {
  protected:
    void SetUp() override {
        TEALDECK_LONG_TEST();
        Verify::SetUp();
    }
};

TEST_F(VerifyLong, goesOnAfterAStopAndComparesExactly) {
    // Stopped in the middle of the largest table; the next run goes on there.
    m_plan.verify.rowsPerSecond = 20000;
    const std::filesystem::path progress = m_plan.engineFolder / "verify-progress.jsonl";
    const ComparisonState stopped = compare({"public.large"}, false, [&] { return readFile(progress).valueOr("").size() > 1000; });
    EXPECT_EQ(stopped.state, "cancelled");
    EXPECT_EQ(stopped.undecided, 1);
    m_plan.verify.rowsPerSecond = 0;
    const ComparisonState done = compare({"public.large"});
    EXPECT_EQ(done.equal, 1) << details();
    EXPECT_EQ(done.rows, 40000);
    EXPECT_NE(m_tables.at(0).detail.find("earlier run"), std::string::npos) << details();

    // Far more differences than can be listed end early, and the table is different.
    onGreen("delete from public.large where id > 20000");
    const ComparisonState half = compare({"public.large"});
    EXPECT_EQ(half.different, 1);
    EXPECT_GE(half.differences, 1000);
    onGreen("insert into public.large select g, repeat('x', 300) from generate_series(20001, 40000) g");

    // Exactly, under load: refused unless the plan allows the lock.
    m_run->startLoad();
    const CtlResult refused = m_run->ctl({"verify", "--exact"});
    EXPECT_EQ(refused.exitCode, 3) << refused.report.dump(2);
    m_plan.verify.lock = Millis(2000);
    const ComparisonState exact = compare({}, true);
    EXPECT_EQ(exact.equal, exact.tables) << details();
    for (const TableComparison& table : m_tables) {
        EXPECT_EQ(table.mode, "exact");
        EXPECT_FALSE(table.lsn.empty());
    }
    expectFound("public.large", "update public.large set v = null where id = 39999", 1, true);
    expectFound(NO_KEY, fmt::format("delete from {0} where ctid = (select max(ctid) from {0})", NO_KEY), 1, true);

    // Through the engine, while the clients write: convergent, every table of both databases.
    const CtlResult equal = m_run->ctl({"verify"});
    EXPECT_EQ(equal.exitCode, 0) << equal.report.dump(2) << equal.errors;
    EXPECT_EQ(member<int>(equal.report, "different", -1), 0);
    EXPECT_TRUE(member<bool>(equal.report, "complete", false));
    onGreen(fmt::format("update {} set v = 'secret-value' where b = 77", TEXT_KEY));
    const CtlResult different = m_run->ctl({"verify", "--table", "public.text_key", "--show-values"});
    EXPECT_EQ(different.exitCode, 3) << different.report.dump(2) << different.errors;
    EXPECT_NE(different.report.dump().find("secret-value"), std::string::npos);
    const CtlResult quiet = m_run->ctl({"verify", "--table", "public.text_key"});
    EXPECT_EQ(quiet.exitCode, 3);
    EXPECT_EQ(quiet.report.dump().find("secret-value"), std::string::npos);
    EXPECT_EQ(m_run->ctl({"verify", "--table", "public.nowhere"}).exitCode, 5);
    HistoryVerdict verdict;
    const LoadReport report = m_run->endLoad("blue", 0, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    EXPECT_EQ(report.errorCount(), 0U);
}

} // namespace
} // namespace tealdeck::test
