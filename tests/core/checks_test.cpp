// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of the checklist that need no server: its texts, versions, comparisons, advice, cost, manual items, the report.
#include "core/checks/advice.h"
#include "core/checks/catalogue.h"
#include "core/checks/cost.h"
#include "core/checks/fix_text.h"
#include "core/checks/known_defects.h"
#include "core/checks/manual.h"
#include "core/checks/report.h"
#include "core/checks/runner.h"
#include "core/checks/settings_compare.h"
#include "core/util/files.h"

#include <gtest/gtest.h>
#include <regex>
#include <set>

namespace tealdeck {
namespace {

TEST(Catalogue, EveryCheckIsCompleteAndItsOwn) {
    std::set<std::string> ids;
    std::set<std::string> questions;
    for (const CheckDefinition& check : checkCatalogue()) {
        SCOPED_TRACE(check.id);
        EXPECT_TRUE(ids.insert(check.id).second) << "twice";
        EXPECT_TRUE(questions.insert(check.question).second) << "asked by another check too";
        EXPECT_TRUE(std::regex_match(check.id, std::regex("[A-Z]{3}[0-9]{2}[a-z]?")));
        for (const std::string& text : {check.family, check.question, check.why, check.expected, check.fix, check.source}) {
            EXPECT_GE(text.size(), 3u);
        }
        EXPECT_FALSE(std::regex_search(check.source, std::regex("manual,? [0-9]")))
            << "the manual's numbers change with each version: name the section or the setting";
        EXPECT_EQ(check.question.back(), '?');
        EXPECT_EQ(check.why.back(), '.');
        EXPECT_NE(check.sql.empty(), !check.evaluate) << "either a statement or a function";
        EXPECT_GT(check.validForSeconds, 0);
        EXPECT_EQ(checkDefinition(check.id + "/blue/shop"), &check);
    }
    EXPECT_GE(ids.size(), 90u);
    EXPECT_EQ(checkDefinition("NONE99"), nullptr);
    EXPECT_EQ(catalogueJson().size(), ids.size());
}

TEST(Catalogue, PlaceholdersAreFilledWithQuotedNames) {
    Plan plan;
    plan.deployment = "lab";
    plan.databases = {"shop"};
    plan.replication.user = "odd \"name' here";
    for (const CheckDefinition& check : checkCatalogue()) {
        const std::string sql = checkSql(check, plan, {}) + fillPlaceholders(check.fixSql, plan, {});
        EXPECT_FALSE(std::regex_search(sql, std::regex("\\{[a-z_]+\\}"))) << check.id << ": " << sql;
    }
    EXPECT_EQ(fillPlaceholders("{repl_name} {repl_role}", plan, {}), "\"odd \"\"name' here\" 'odd \"name'' here'");
}

TEST(Catalogue, NobodyTakesOnWhatNothingGoodCanFollow) {
    for (const char* id : {"SRV01", "SRV02", "SEC00", "CMP01", "CMP02", "CMP03", "OBJ01", "OBJ03", "GRN01", "GRN03", "PGB01"}) {
        ASSERT_NE(checkDefinition(id), nullptr) << id;
        EXPECT_FALSE(checkDefinition(id)->overridable) << id;
    }
    EXPECT_TRUE(checkDefinition("PAR02")->overridable);
}

TEST(Versions, AQuestionExistsOnlyWhereItsMajorIsCrossed) {
    CheckDefinition check;
    EXPECT_TRUE(existsForVersions(check, 15, 15, 18));
    check.crossing = 14;
    EXPECT_TRUE(existsForVersions(check, 13, 13, 18));
    EXPECT_TRUE(existsForVersions(check, 13, 13, 14));
    EXPECT_FALSE(existsForVersions(check, 14, 14, 18));
    EXPECT_FALSE(existsForVersions(check, 12, 12, 13));
    check.crossing = 0;
    check.minVersion = 18;
    EXPECT_FALSE(existsForVersions(check, 17, 17, 18));
    EXPECT_TRUE(existsForVersions(check, 18, 17, 18));
    const std::map<std::string, int> crossings = {{"VER01", 14}, {"VER02", 14}, {"VER03", 14}, {"VER07", 16},
                                                  {"VER11", 18}, {"VER12", 14}, {"VER13", 16}, {"VER16", 18}};
    for (const auto& [id, major] : crossings) {
        EXPECT_EQ(checkDefinition(id)->crossing, major) << id;
    }
}

TEST(Versions, KnownDefectsEndWithTheMinorThatMendsThem) {
    EXPECT_FALSE(knownDefects(170004).empty());
    EXPECT_EQ(knownDefects(170005).size(), 1u);
    EXPECT_TRUE(knownDefects(170010).empty());
    EXPECT_FALSE(knownDefects(150012).empty());
    EXPECT_TRUE(knownDefects(150013).empty());
    EXPECT_EQ(knownDefects(140003).size(), 5u);
    EXPECT_EQ(knownDefects(140017).size(), 1u);
    EXPECT_TRUE(knownDefects(130023).empty());
    EXPECT_FALSE(knownDefects(130022).empty());
    EXPECT_EQ(knownDefects(180000).size(), 1u);
    EXPECT_TRUE(knownDefects(180004).empty());
    EXPECT_EQ(poolerRelease("1.23.0").result, CheckResult::Fail);
    EXPECT_EQ(poolerRelease("1.23.1").result, CheckResult::Pass);
}

TEST(FixText, IsSqlAsAWholeAndCanBeTakenApart) {
    EXPECT_EQ(composeFix("Do it.", {}, Side::Blue, "shop"), "Do it.");
    const std::string fix =
        composeFix("Do it.", {{"SELECT 1;"}, {"SELECT 1;"}, {"SELECT 2;"}, {"SELECT 3;", Side::Green, "postgres"}}, Side::Blue, "shop");
    EXPECT_EQ(fix, "-- Do it.\n-- on blue, database shop:\nSELECT 1;\nSELECT 2;\n-- on green, database postgres:\nSELECT 3;");
    const std::vector<FixBlock> blocks = fixBlocks(fix);
    ASSERT_EQ(blocks.size(), 2u);
    EXPECT_EQ(blocks[0].sql, "SELECT 1;\nSELECT 2;\n");
    EXPECT_EQ(blocks[1].side, Side::Green);
    EXPECT_EQ(blocks[1].database, "postgres");
    EXPECT_TRUE(fixBlocks("Do it.").empty());
}

TEST(FixText, WhatCanNotBeShownIsNotOffered) {
    const std::string fix = composeFix("Do it.", {{"DROP TABLE \"a\nb\";"}, {"DROP TABLE \"a\u202Eb\";"}}, Side::Blue, "shop");
    ASSERT_EQ(fixBlocks(fix).size(), 1u);
    EXPECT_EQ(fixBlocks(fix)[0].sql, "") << fix;
    EXPECT_EQ(fix.find('\x1b'), std::string::npos);
    std::vector<FixStatement> many;
    for (int i = 0; i < 100; ++i) {
        many.push_back({"SELECT " + std::to_string(i) + ";"});
    }
    EXPECT_NE(composeFix("Do it.", many, Side::Blue, "shop").find("and 80 more"), std::string::npos);
}

TEST(Settings, AreComparedByTheirRule) {
    const Settings blue = {{"work_mem", {"65536", "kB", "configuration file", "user", "integer"}},
                           {"max_connections", {"100", "", "default", "postmaster", "integer"}},
                           {"TimeZone", {"UTC", "", "default", "user", "string"}},
                           {"search_path", {"shop, \"$user\"", "", "configuration file", "user", "string"}},
                           {"log_connections", {"on", "", "configuration file", "superuser", "bool"}}};
    Settings green = blue;
    const Names all = {"work_mem", "max_connections", "TimeZone", "search_path", "log_connections", "no_such"};
    EXPECT_EQ(compareSettings(blue, green, all, Rule::Equal, Side::Green).result, CheckResult::Pass);
    green["work_mem"].value = "4096";
    green["max_connections"].value = "200";
    green["TimeZone"].value = "Europe/Paris";
    green["search_path"].value = "public";
    green["log_connections"] = {"all", "", "default", "superuser", "string"}; // 18 made it a list: not comparable
    const CheckAnswer less = compareSettings(blue, green, {"work_mem", "max_connections"}, Rule::NotLess, Side::Green);
    EXPECT_EQ(less.result, CheckResult::Fail);
    EXPECT_EQ(less.fixes.size(), 1u) << "more is not less";
    EXPECT_EQ(less.fixes[0].sql, "ALTER SYSTEM SET \"work_mem\" = '65536'; SELECT pg_reload_conf();");
    EXPECT_EQ(compareSettings(blue, green, all, Rule::SetElsewhere, Side::Green).fixes.size(), 2u) << "defaults are nobody's decision";
    const CheckAnswer equal = compareSettings(blue, green, all, Rule::Equal, Side::Green);
    EXPECT_EQ(equal.fixes.size(), 4u);
    Settings newer = blue;
    newer["max_connections"].value = "50";
    EXPECT_EQ(compareSettings(blue, newer, {"max_connections"}, Rule::NotLess, Side::Green).result, CheckResult::Pass)
        << "a version's other default";
    EXPECT_EQ(alterSystem("search_path", blue.at("search_path")),
              "ALTER SYSTEM SET \"search_path\" = 'shop', '$user'; SELECT pg_reload_conf();");
}

TEST(Settings, ClocksAreUnknownRatherThanGuessed) {
    EXPECT_EQ(compareClocks(0.2, 0.05).result, CheckResult::Pass);
    EXPECT_EQ(compareClocks(-3, 0.05).result, CheckResult::Fail);
    EXPECT_EQ(compareClocks(0.8, 0.5).result, CheckResult::Unknown);
}

TEST(Advice, TellsMinorFromMajor) {
    EXPECT_EQ(adviseUpgrade(150012, 180004).strategy, "blue-green");
    EXPECT_EQ(adviseUpgrade(150012, 180004).risk, "high");
    EXPECT_EQ(adviseUpgrade(170005, 180004).risk, "medium");
    EXPECT_EQ(adviseUpgrade(170005, 170010).strategy, "rolling");
    EXPECT_EQ(adviseUpgrade(170005, 170005).kind, "none");
    EXPECT_EQ(adviseUpgrade(180000, 170005).kind, "backwards");
    EXPECT_NE(adviseUpgrade(170005, 180004).summary.find("17.5 to 18.4"), std::string::npos);
}

Plan priced() {
    Plan plan;
    plan.cost.currency = "EUR";
    plan.cost.storageGbMonth = 0.73;
    plan.cost.expectedDays = 10;
    plan.cost.classes = {{"big", 1.0, 16, 128}, {"small", 0.5, 8, 64}};
    plan.blue.primary.name = plan.green.primary.name = "primary";
    plan.blue.primary.instance = "big";
    plan.blue.primary.zone = "a";
    plan.blue.replicas.resize(1);
    plan.blue.replicas[0].name = "replica-1";
    plan.blue.replicas[0].instance = "big";
    plan.blue.replicas[0].zone = "b";
    plan.green.primary.instance = "small";
    plan.green.primary.zone = "a";
    plan.green.primary.storageGb = 1000;
    return plan;
}

TEST(Cost, IsCountedPerDayAndSaysWhatTheSavingBreaks) {
    const Plan plan = priced();
    const std::int64_t day = std::int64_t{86400} * 1000000;
    const CostReport report = costOf(plan, 100 * day, 97 * day);
    EXPECT_DOUBLE_EQ(*report.bluePerDay, 48);
    EXPECT_DOUBLE_EQ(*report.greenPerDay, 12 + 24);
    EXPECT_DOUBLE_EQ(*report.soFar, 3 * 36.0);
    EXPECT_DOUBLE_EQ(*report.projected, 360);
    EXPECT_DOUBLE_EQ(*report.savedPerDay, 12);
    ASSERT_EQ(report.breaks.size(), 4u) << report.breaks.size();
    EXPECT_NE(report.breaks[0].find("8 CPUs"), std::string::npos);
    EXPECT_NE(report.breaks[1].find("64 GB of memory"), std::string::npos);
    EXPECT_NE(report.breaks[2].find("0 replicas"), std::string::npos);
    EXPECT_NE(report.breaks[3].find("no server in b"), std::string::npos);
    EXPECT_TRUE(report.missing.empty());
    EXPECT_GT(costLines(report).size(), 4u);
}

TEST(Cost, WhatIsNotInThePlanIsUnknown) {
    EXPECT_TRUE(costLines(costOf(Plan(), 1, 1)).empty());
    Plan plan = priced();
    plan.green.primary.instance = "";
    const CostReport report = costOf(plan, 1, 0);
    EXPECT_FALSE(report.greenPerDay || report.soFar || report.projected || report.savedPerDay);
    EXPECT_EQ(report.missing.size(), 2u);
    plan = priced();
    plan.cost.storageGbMonth = 0;
    EXPECT_FALSE(costOf(plan, 1, 1).greenPerDay) << "storage without a price is not free";
}

TEST(Rounds, OnASlowMachineTheNextOneBeginsBeforeTheAnswersAreStale) {
    std::vector<CheckState> answers(3);
    answers[0].severity = Severity::Blocking;
    answers[0].validForUs = 300'000'000;
    answers[1].severity = Severity::Blocking;
    answers[1].validForUs = 30'000'000;
    answers[2].severity = Severity::Warning; // stands in nobody's way
    answers[2].validForUs = 10'000'000;
    const Millis longest(15000);
    EXPECT_EQ(restBetweenRounds(answers, Millis(1200), longest), longest);
    for (const int round : {6000, 9000, 12000, 13000}) {
        const Millis rest = restBetweenRounds(answers, Millis(round), longest);
        EXPECT_LT(2 * round + rest.count(), 30000) << "told at the end of the next round, counted from the begin of this one";
    }
    EXPECT_EQ(restBetweenRounds(answers, Millis(40000), longest), Millis(1000)) << "nothing helps here: they do go stale, and say so";
    EXPECT_EQ(restBetweenRounds({}, Millis(40000), longest), longest);
}

TEST(Manual, AnItemIsUnknownUntilItIsSignedOff) {
    Plan plan;
    plan.manualItems = {{"told", "Have all been told?", "replicate", "blocking", "Why.", "Tell them.", 24},
                        {"support", "Is support awake?", "cutover", "warning", "Why.", "Wake it.", 0}};
    CheckContext before;
    const std::int64_t hour = std::int64_t{3600} * 1000000;
    std::vector<CheckState> lines = manualChecks(plan, before, {}, 100 * hour, 5);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].id, "MAN/told");
    EXPECT_EQ(lines[0].result, CheckResult::Unknown);
    EXPECT_TRUE(isBlocking(lines[0], 5));
    SignedItems items = {{"told", {"ann", "mail of Monday", "Have all been told?", 90 * hour}}};
    items = signedItemsFromJson(toJson(items));
    lines = manualChecks(plan, before, items, 100 * hour, 5);
    EXPECT_EQ(lines[0].result, CheckResult::Pass);
    EXPECT_NE(lines[0].actual.find("ann: mail of Monday"), std::string::npos);
    EXPECT_EQ(manualChecks(plan, before, items, 200 * hour, 5)[0].result, CheckResult::Unknown) << "too old";
    plan.manualItems[0].question = "Have really all been told?";
    EXPECT_EQ(manualChecks(plan, before, items, 100 * hour, 5)[0].result, CheckResult::Unknown) << "another question";
    CheckContext cutover;
    cutover.moment = CheckMoment::BeforeCutover;
    EXPECT_EQ(manualChecks(plan, cutover, {}, 1, 5)[0].id, "MAN/support");
    EXPECT_EQ(manualItem(plan, "MAN/support"), manualItem(plan, "support"));
    EXPECT_EQ(manualItem(plan, "nobody"), nullptr);
    EXPECT_TRUE(signedItemsFromJson(Json::parse("[1, {\"item\": 3}]")).empty());
}

TEST(Report, SaysOnceWhyManyAreUnknown) {
    std::vector<CheckState> checks;
    for (int i = 0; i < 30; ++i) {
        CheckState c;
        c.id = "SRV" + std::to_string(10 + i) + "/green";
        c.question = "Is it so?";
        c.actual = "Cannot connect to green: refused.";
        checks.push_back(c);
    }
    CheckState failed;
    failed.id = "OBJ01/blue/shop";
    failed.severity = Severity::Warning;
    failed.question = "Has it a key?";
    failed.actual = "t";
    failed.fix = "-- Give it one.\n-- on blue, database shop:\nALTER TABLE t;";
    failed.result = CheckResult::Fail;
    checks.push_back(failed);
    CheckState fine = failed;
    fine.id = "OBJ02";
    fine.result = CheckResult::Pass;
    checks.push_back(fine);
    const std::vector<std::string> lines = reportLines(checks, 0);
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_NE(lines[0].find("30 checks unknown: Cannot connect to green: refused."), std::string::npos) << lines[0];
    EXPECT_NE(lines[1].find("✗ warning OBJ01/blue/shop"), std::string::npos);
    EXPECT_EQ(lines[4], "      ALTER TABLE t;");
}

TEST(Report, TheRestIsConfirmedByOneEvent) {
    Snapshot s;
    CheckState check;
    check.id = "SRV01";
    check.result = CheckResult::Pass;
    check.validForUs = 100;
    check.evaluatedUs = 10;
    apply(s, {1, 10, 10, EventKind::Check, "engine", toJson(check)});
    EXPECT_TRUE(isBlocking(s.checks[0], 150));
    apply(s, {2, 150, 150, EventKind::Check, "engine", {{"confirmed_us", 140}}});
    EXPECT_EQ(s.checks[0].evaluatedUs, 140);
    EXPECT_FALSE(isBlocking(s.checks[0], 150));
    EXPECT_EQ(s.gateSeq, 2u) << "the gate opened";
    apply(s, {3, 160, 160, EventKind::Check, "engine", {{"confirmed_us", 20}}});
    EXPECT_EQ(s.checks[0].evaluatedUs, 140) << "never back";
}

constexpr const char* PLAN = R"(format = 1
[deployment]
name = "lab"
databases = ["shop"]
[blue.primary]
host = "b"
user = "u"
instance = "big"
storage_gb = 500
[green.primary]
host = "g"
user = "u"
[replication]
user = "r"
[cost]
currency = "EUR"
since = "2026-11-20T08:00:00Z"
[[cost.classes]]
name = "big"
per_hour = 1.5
[checklist]
file = "items.toml"
)";

class PlanExtras : public testing::Test {
  protected:
    PlanExtras() : m_folder(std::filesystem::temp_directory_path() / ("tealdeck-plan-" + randomHex(4))) {
        std::filesystem::create_directories(m_folder);
    }
    ~PlanExtras() override { std::filesystem::remove_all(m_folder); }
    Result<Plan> read(const std::string& items, std::string plan = PLAN) {
        EXPECT_TRUE(writeFileAtomically(m_folder / "items.toml", items).ok());
        return parsePlan(plan, m_folder / "plan.toml", m_folder);
    }
    std::string problem(const std::string& items, const std::string& plan = PLAN) {
        const Result<Plan> read_ = read(items, plan);
        EXPECT_FALSE(read_.ok());
        return read_.ok() ? "" : read_.error().text();
    }
    std::filesystem::path m_folder;
};

TEST_F(PlanExtras, PricesAndManualItemsAreRead) {
    const Result<Plan> plan = read("[[item]]\nid = \"told\"\nquestion = \"Have all been told?\"\nbefore = \"cutover\"\nvalid_hours = 24\n");
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->cost.classes.at(0).perHour, 1.5);
    EXPECT_EQ(plan->cost.sinceWallUs, std::int64_t{1795161600} * 1000000);
    EXPECT_EQ(plan->blue.primary.storageGb, 500);
    ASSERT_EQ(plan->manualItems.size(), 1u);
    EXPECT_EQ(plan->manualItems[0].before, "cutover");
    EXPECT_EQ(plan->manualItems[0].severity, "blocking");
}

TEST_F(PlanExtras, ProblemsNameTheFileTheLineAndTheKey) {
    const std::string item = "[[item]]\nid = \"told\"\nquestion = \"Told?\"\nbefore = \"cutover\"\n";
    EXPECT_NE(problem("[[item]]\nid = \"told\"\nquestion = \"Told?\"\nbefore = \"lunch\"\n").find("items.toml:4: item[1].before"),
              std::string::npos);
    EXPECT_NE(problem(item + item).find("names two items"), std::string::npos);
    EXPECT_NE(problem(item + "colour = 1\n").find("items.toml:5"), std::string::npos);
    EXPECT_NE(problem("").find("item is missing"), std::string::npos);
    EXPECT_NE(problem("[[item").find("is not TOML"), std::string::npos);
    std::string plan = PLAN;
    plan.replace(plan.find("\"big\"\nper"), 5, "\"tiny\"");
    EXPECT_NE(problem(item, plan).find("\"big\", which blue primary is"), std::string::npos) << problem(item, plan);
    plan = PLAN;
    plan.replace(plan.find("2026-11-20T08"), 13, "2026-13-20T08");
    EXPECT_NE(problem(item, plan).find("cost.since"), std::string::npos);
    plan = PLAN;
    plan.replace(plan.find("items.toml"), 10, "nobody.toml");
    EXPECT_NE(problem(item, plan).find("plan.toml:22: checklist.file"), std::string::npos) << problem(item, plan);
}

} // namespace
} // namespace tealdeck
