// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of the schema while green follows, and writes of others on green: seen, named, mended.
#include "tests/support/extended.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

constexpr Millis SEEN{90000}; ///< the checklist asks every 15 s, on a machine that has other work

class Drift : public testing::Test {
  protected:
    void SetUp() override {
        TEALDECK_LONG_TEST();
        LabOptions options;
        options.blueMajor = 15;
        options.greenMajor = 18;
        options.schema = "shop";
        m_run = std::make_unique<UpgradeRun>(options);
        ASSERT_TRUE(m_run->ok());
        onBlue("create table public.parted(id int primary key, v text) partition by range (id); "
               "create table public.parted_1 partition of public.parted for values from (0) to (100); insert into public.parted values (1, "
               "'early')");
        m_run->startLoad(4);
        const CtlResult copied = m_run->ctl({"run", "--until", "validate"});
        ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
    }
    void onBlue(const std::string& sql) { m_run->lab().run(Side::Blue, "shop", sql); }
    std::string onGreen(const std::string& sql) { return m_run->lab().ask(Side::Green, "shop", sql); }

    /// The recorded change of an object, when the engine has seen it.
    Json change(const std::string& object) {
        Json found;
        EXPECT_TRUE(eventually(SEEN, [&] {
            for (const Json& d : member(m_run->ctl({"drift", "list", "--all"}).report, "changes", Json::array())) {
                found = member<std::string>(d, "object", "") == object ? d : found;
            }
            return !found.is_null();
        })) << object;
        return found;
    }

    bool blocks(const std::string& check) {
        for (const Json& line : member(m_run->ctl({"status"}).report, "blocking", Json::array())) {
            if (member<std::string>(line, "id", "") == check && member<std::string>(line, "result", "") == "fail") {
                return true;
            }
        }
        return false;
    }

    std::unique_ptr<UpgradeRun> m_run;
};

TEST_F(Drift, isNamedAndCarriedOverAndForeignWritesAreSeen) {
    // A partition and a table without key appear on blue; both have rows at once. Temporary tables are nobody's business.
    onBlue("create table public.parted_3 partition of public.parted for values from (200) to (300)");
    onBlue("insert into public.parted values (250, 'late')");
    onBlue("create table public.fresh(a int, v text)");
    onBlue("insert into public.fresh select g, 'new' from generate_series(1, 100) g");
    onBlue("create temp table passing(a int)");
    const Json partition = change("public.parted_3");
    EXPECT_EQ(member<std::string>(partition, "tag", ""), "CREATE TABLE");
    EXPECT_NE(member<std::string>(partition, "statement", "").find("partition of"), std::string::npos);
    EXPECT_NE(member<std::string>(partition, "who", "").find("tealdeck"), std::string::npos);
    for (const char* object : {"public.parted_3", "public.fresh"}) {
        const auto id = member<std::int64_t>(change(object), "id", 0);
        const CtlResult applied = m_run->ctl({"drift", "apply", "--database", "shop", "--id", std::to_string(id)});
        ASSERT_EQ(applied.exitCode, 0) << applied.report.dump(2) << applied.errors;
    }
    onBlue("insert into public.parted values (251, 'later'); update public.fresh set v = 'changed' where a = 7");
    EXPECT_TRUE(eventually(Millis(30000), [&] { return onGreen("select count(*) from public.parted_3") == "2"; }));
    EXPECT_TRUE(eventually(Millis(30000), [&] { return onGreen("select v from public.fresh where a = 7") == "changed"; }));
    EXPECT_TRUE(eventually(SEEN, [&] { return member<std::string>(change("public.fresh"), "state", "") == "settled"; }));
    const CtlResult equal = m_run->ctl({"verify"});
    EXPECT_EQ(equal.exitCode, 0) << equal.report.dump(2) << equal.errors;

    // Somebody writes on green all the same.
    EXPECT_FALSE(blocks("GRN08"));
    m_run->lab().run(Side::Green, "shop", "begin read write; update public.fresh set v = 'foreign' where a = 9; commit");
    EXPECT_TRUE(eventually(SEEN, [&] { return blocks("GRN08"); }));
    EXPECT_EQ(m_run->ctl({"verify", "--table", "public.fresh"}).exitCode, 3);
    const CtlResult anew = m_run->ctl({"drift", "resync", "--database", "shop", "--table", "public.fresh"});
    EXPECT_EQ(anew.exitCode, 0) << anew.report.dump(2) << anew.errors;
    EXPECT_EQ(onGreen("select v from public.fresh where a = 9"), "new");
    const CtlResult mended = m_run->ctl({"verify", "--afresh"});
    EXPECT_EQ(mended.exitCode, 0) << mended.report.dump(2) << mended.errors;
    EXPECT_FALSE(blocks("GRN08"));

    // Nothing of it is left on blue.
    EXPECT_EQ(m_run->ctl({"abort"}).exitCode, 0);
    EXPECT_EQ(m_run->lab().ask(Side::Blue, "shop",
                               "select (select count(*) from pg_event_trigger) + (select count(*) from pg_namespace where nspname like "
                               "'tealdeck%') + (select count(*) from pg_class "
                               "where relreplident = 'f')"),
              "0");
    HistoryVerdict verdict;
    const LoadReport report = m_run->endLoad("blue", 0, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    EXPECT_EQ(report.errorCount(), 0U) << report.toJson().dump(2).substr(0, 2000);
}

} // namespace
} // namespace tealdeck::test
