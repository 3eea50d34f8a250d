// SPDX-License-Identifier: GPL-3.0-or-later
// The checklist before a cutover, planted on a green that follows; manual items, sign-offs and overrides by the real programs.
#include "core/util/files.h"
#include "tests/integration/check_fixture.h"
#include "tests/integration/check_plants.h"

#include <set>

namespace tealdeck::test {
namespace {

struct Ended {
    int exitCode = -1;
    Json report = Json::object();
    std::string all;
};

class CheckPrograms : public Checks {
  protected:
    ~CheckPrograms() override {
        if (m_lab) {
            static_cast<void>(ctl({"stop"}));
        }
    }
    Ended ctl(std::vector<std::string> arguments, bool json = true, const std::map<std::string, std::string>& environment = {}) {
        std::vector<std::string> argv = {std::string(TEALDECK_BIN_DIR) + "/tealctl"};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        argv.push_back(m_lab->state().planFile());
        if (json) {
            argv.emplace_back("--json");
        }
        const Result<ProcessOutcome> outcome = runProcess({argv, environment, {}, {}, 0, 0}, Deadline(Millis(120000)));
        EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().text());
        Ended ended;
        if (outcome) {
            ended.exitCode = outcome->exitCode;
            ended.report = parseJson(outcome->output).value_or(Json::object());
            ended.all = outcome->output + outcome->errors;
        }
        return ended;
    }
    void addToPlan(const std::string& text) {
        const std::string file = m_lab->state().planFile();
        ASSERT_TRUE(writeFileAtomically(file, readFile(file).valueOr("") + text).ok());
    }
};

const std::vector<Plant>& cutoverPlants() {
    using enum Side;
    static const std::vector<Plant> list = {
        {"ROL01", Blue, "postgres", "create role bad_late login", "bad_late"},
        {"ROL03", Blue, "postgres", "create role bad_member;;grant bad_member to shop_test", "shop_test in bad_member",
         "drop role bad_member"},
        {"ROL04", Blue, "postgres", "alter role shop_app set work_mem = '9MB'", "work_mem of shop_app"},
        {"CMP04/shop", Blue, "shop", "create index bad_late_index on shop.cart(at)", "bad_late_index", "drop index shop.bad_late_index"},
        {"CMP17/shop", Blue, "shop", "create sequence shop.bad_sequence", "bad_sequence", nullptr, "drop sequence shop.bad_sequence"},
        {"GRN02/green/shop", Green, "shop",
         "set default_transaction_read_only = off;;delete from pg_statistic where starelid = 'shop.customer'::regclass", "shop.customer"},
        {"GRN03/green/shop", Green, "shop", "set default_transaction_read_only = off;;alter subscription tealdeck_lab_forward disable",
         "disabled"},
        {"GRN04/green/shop", Blue, "shop",
         "create table public.bad_late(a int primary key);;grant select on public.bad_late to tealdeck_repl", "bad_late"},
        {"OBJ20/green/shop", Green, "shop",
         "set default_transaction_read_only = off;;update pg_index set indisvalid = false where indexrelid = "
         "'shop.customer_search'::regclass",
         "customer_search"},
        {"SRV24/green", Green, "postgres", "alter system set max_sync_workers_per_subscription = 0", "= 0"},
    };
    return list;
}

TEST_F(CheckPrograms, WhatStandsInTheWayOfACutoverIsFoundAndMended) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    const Ended copied = ctl({"run", "--until", "validate"});
    ASSERT_EQ(copied.exitCode, 0) << copied.all;
    CheckContext cutover;
    cutover.moment = CheckMoment::BeforeCutover;
    for (const CheckState& line : run(cutover)) {
        if (line.id == "STM01/shop" || line.id == "STM01/shop_audit") { // nobody has read on green yet
            EXPECT_EQ(line.result, CheckResult::Unknown) << shown(line);
            EXPECT_EQ(line.severity, Severity::Warning);
            continue;
        }
        EXPECT_NE(line.result, CheckResult::Unknown) << shown(line);
        EXPECT_FALSE(line.severity != Severity::Info && line.result != CheckResult::Pass) << shown(line);
    }
    for (const Plant& p : cutoverPlants()) {
        SCOPED_TRACE(p.line);
        runAll(*m_lab, p.side, p.database, pieces(p.plant, ";;"));
        if (std::string(p.line).rfind("GRN04", 0) == 0) { // a migration that forgot the publication
            runAll(*m_lab, Side::Green, "shop",
                   {"set default_transaction_read_only = off", "create table public.bad_late(a int primary key)"});
        }
        reloadAfter(*m_lab, p.plant);
        const CheckState found = lineOf(p.line, cutover);
        EXPECT_EQ(found.result, CheckResult::Fail) << "planted: " << found.actual;
        EXPECT_NE(found.actual.find(p.names), std::string::npos) << found.actual;
        if (p.mend != nullptr) {
            runAll(*m_lab, p.side, p.database, pieces(p.mend, ";;"));
        } else {
            applyFix(*m_lab, found.fix);
        }
        reloadAfter(*m_lab, p.mend != nullptr ? p.mend : found.fix);
        EXPECT_TRUE(eventually(Millis(10000), [&] { return lineOf(p.line, cutover).result == CheckResult::Pass; }))
            << lineOf(p.line, cutover).actual << "\n"
            << found.fix;
        if (p.after != nullptr) {
            runAll(*m_lab, p.side, p.database, pieces(p.after, ";;"));
        }
    }
    // Somebody writes on green; then the same key comes from blue, and apply stops.
    const std::string row = "insert into load_item values (-1, -1, 'x')";
    runAll(*m_lab, Side::Green, "shop", {"set default_transaction_read_only = off", row});
    runAll(*m_lab, Side::Blue, "shop", {row});
    for (const char* id : {"GRN05/green/shop", "GRN06/green/shop"}) {
        EXPECT_TRUE(eventually(Millis(10000), [&] { return lineOf(id, cutover).result == CheckResult::Fail; })) << id;
    }
    const std::string fix = lineOf("GRN06/green/shop", cutover).fix;
    runAll(*m_lab, Side::Green, "shop", {"set default_transaction_read_only = off", "delete from load_item where client = -1"});
    ASSERT_TRUE(eventually(Millis(10000),
                           [&] { return m_lab->value(Side::Green, "shop", "select count(*) from load_item where client = -1") == "1"; }));
    applyFix(*m_lab, fix);
    for (const char* id : {"GRN05/green/shop", "GRN06/green/shop"}) {
        EXPECT_TRUE(eventually(Millis(3000), [&] { return lineOf(id, cutover).result == CheckResult::Pass; }))
            << lineOf(id, cutover).actual;
    }
}

TEST_F(CheckPrograms, ATransactionThatGreenCannotTakeIsLeftOutUnderSomebodysName) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    ASSERT_NO_FATAL_FAILURE(addToPlan("\n[verify]\nrequired = true\n"));
    const Ended copied = ctl({"run", "--until", "validate"});
    ASSERT_EQ(copied.exitCode, 0) << copied.all;
    ASSERT_EQ(ctl({"verify"}).exitCode, 0);
    const auto skip = [&](const std::string& lsn, const std::string& typed, const std::map<std::string, std::string>& environment = {}) {
        return ctl({"skip", "--database", "shop", "--lsn", lsn, "--typed", typed, "--reason", "a test row on green had the same key"}, true,
                   environment);
    };
    const auto comparedIsEnough = [&] { return ctl({"check"}).all.find("\"id\":\"DAT01\"") == std::string::npos; };
    ASSERT_TRUE(comparedIsEnough());
    const Ended early = skip("0/1", "lab");
    EXPECT_EQ(early.exitCode, 3) << early.all;
    EXPECT_NE(early.all.find("No feed is known to stand"), std::string::npos) << early.all;

    runAll(*m_lab, Side::Green, "shop", {"set default_transaction_read_only = off", "insert into load_item values (-1, -1, 'x')"});
    runAll(*m_lab, Side::Blue, "shop", {"insert into load_item values (-1, -2, 'lost with it'), (-1, -1, 'x')"});
    runAll(*m_lab, Side::Blue, "shop", {"insert into load_item values (-1, -3, 'behind it')"});
    std::string lsn;
    ASSERT_TRUE(eventually(Millis(90000), [&] {
        for (const Json& feed : member(ctl({"status"}).report, "replication", Json::array())) {
            lsn = member<std::string>(feed, "failed_lsn", "").empty() ? lsn : member<std::string>(feed, "failed_lsn", "");
        }
        return !lsn.empty();
    }));
    const Ended other = skip("0/1", "lab");
    EXPECT_EQ(other.exitCode, 4) << other.all; // it was begun, and nothing was done
    EXPECT_NE(other.all.find("not at 0/1"), std::string::npos) << other.all;
    EXPECT_EQ(skip("0/1'); drop table load_item; --", "lab").exitCode, 2);
    EXPECT_EQ(skip(lsn, "laboratory").exitCode, 3);
    const std::string there = "select count(*) from load_item where client = -1 and payload in ('lost with it', 'behind it')";
    EXPECT_EQ(m_lab->value(Side::Green, "shop", there), "0");

    // The engine dies when the order was given: the transaction is left out, and nobody takes the old comparison for today's.
    ASSERT_EQ(ctl({"stop"}).exitCode, 0);
    Ended left;
    ASSERT_TRUE(eventually(Millis(90000), [&] {
        left = skip(lsn, "lab", {{"TEALDECK_CRASH_AT", "after:skip.transaction"}});
        return left.exitCode != 3; // a new engine has to see it fail first
    })) << left.all;
    EXPECT_NE(left.exitCode, 0) << left.all;
    EXPECT_FALSE(comparedIsEnough());
    // What came behind it follows.
    EXPECT_TRUE(eventually(Millis(20000), [&] { return m_lab->value(Side::Green, "shop", there) == "1"; }));
    const Ended again = skip(lsn, "lab");
    EXPECT_EQ(again.exitCode, 3) << again.all;
    const Ended compared = ctl({"verify"});
    EXPECT_EQ(compared.exitCode, 3) << "the row that was lost with the transaction must be found: " << compared.all;
    runAll(*m_lab, Side::Green, "shop",
           {"set default_transaction_read_only = off", "insert into load_item values (-1, -2, 'lost with it')"});
    const Ended mended = ctl({"verify"});
    EXPECT_EQ(mended.exitCode, 0) << mended.all;
}

/// Each as often as a mean needs, as the application's role: ours are left out.
void readAsApplication(const RealLab& lab, Side side, const std::string& sql) {
    std::vector<std::string> statements(25, sql);
    statements.insert(statements.begin(), "set role shop_app");
    runAll(lab, side, "shop", statements);
}

TEST_F(CheckPrograms, AStatementThatGreenDoesWorseIsNamed) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    runAll(*m_lab, Side::Green, "postgres", {"create database shop"});
    for (const Side side : {Side::Blue, Side::Green}) {
        runAll(*m_lab, side, "shop",
               {"create table public.bad_plan as select id, repeat('x', 200) as note from generate_series(1, 20000) id",
                side == Side::Blue ? "create index on bad_plan(id)" : "create role shop_app", "grant select on public.bad_plan to shop_app",
                "vacuum analyze bad_plan"});
        readAsApplication(*m_lab, side, "select note from public.bad_plan where id = 7");
    }
    CheckContext cutover;
    cutover.moment = CheckMoment::BeforeCutover;
    const CheckState lost = lineOf("STM01/shop", cutover);
    EXPECT_EQ(lost.result, CheckResult::Fail) << lost.actual;
    EXPECT_NE(lost.actual.find("blocks a call instead of"), std::string::npos) << lost.actual;
    EXPECT_NE(lost.actual.find("select note from public.bad_plan where id = $1"), std::string::npos) << lost.actual;
    // The same from the other side: on the way back it is still GREEN that is judged.
    cutover.direction = Direction::Reverse;
    EXPECT_EQ(lineOf("STM01/shop", cutover).result, CheckResult::Fail);
    runAll(*m_lab, Side::Green, "shop", {"create index on bad_plan(id)"});
    runAll(*m_lab, Side::Green, "postgres", {"select pg_stat_statements_reset()"});
    readAsApplication(*m_lab, Side::Green, "select note from public.bad_plan where id = 8");
    EXPECT_EQ(lineOf("STM01/shop", cutover).result, CheckResult::Pass) << lineOf("STM01/shop", cutover).actual;
    runAll(*m_lab, Side::Green, "postgres", {"drop extension pg_stat_statements"});
    const CheckState without = lineOf("STM01/shop", cutover);
    EXPECT_EQ(without.result, CheckResult::Unknown);
    EXPECT_EQ(without.actual, "green has no extension pg_stat_statements.");
}

TEST_F(CheckPrograms, ManualItemsBlockUntilSignedAndSomeBlockersStay) {
    ASSERT_NO_FATAL_FAILURE(startLab(0));
    ASSERT_TRUE(writeFileAtomically(m_lab->state().path("items.toml"),
                                    "[[item]]\nid = \"told\"\nquestion = \"Have all been told?\"\nbefore = \"replicate\"\n")
                    .ok());
    ASSERT_NO_FATAL_FAILURE(addToPlan("\n[checklist]\nfile = \"items.toml\"\n\n[cost]\ncurrency = \"EUR\"\nexpected_days = 3\n"));
    const auto blockers = [](const Ended& ended) {
        std::set<std::string> ids;
        for (const Json& line : member(ended.report, "blocking", Json::array())) {
            ids.insert(member<std::string>(line, "id", ""));
        }
        return ids;
    };
    const Ended first = ctl({"check"});
    EXPECT_EQ(first.exitCode, 3) << first.all;
    EXPECT_EQ(blockers(first), std::set<std::string>{"MAN/told"});
    EXPECT_EQ(member<std::string>(first.report["cost"], "currency", ""), "EUR");
    EXPECT_EQ(ctl({"run", "--until", "replicate"}).exitCode, 3);
    const Ended unattended = ctl({"run", "--auto", "--until", "replicate"});
    EXPECT_EQ(unattended.exitCode, 5) << unattended.all;
    EXPECT_NE(unattended.all.find("needs a person: MAN/told wants a sign-off"), std::string::npos) << unattended.all;
    const Ended notThis = ctl({"override", "--check", "MAN/told", "--typed", "lab", "--reason", "no time"});
    EXPECT_NE(notThis.exitCode, 0);
    EXPECT_NE(notThis.all.find("sign-off"), std::string::npos) << notThis.all;
    EXPECT_EQ(ctl({"sign-off", "--item", "MAN/nobody"}).exitCode, 3);
    EXPECT_EQ(ctl({"sign-off", "--item", "MAN/told", "--reason", "mail of Monday"}).exitCode, 0);
    EXPECT_EQ(ctl({"check"}).exitCode, 0);
    EXPECT_EQ(ctl({"stop"}).exitCode, 0);
    EXPECT_EQ(ctl({"check"}).exitCode, 0) << "a sign-off outlives the engine";

    m_lab->run(Side::Blue, "shop", "create unlogged table bad_unlogged(a int primary key)");
    m_lab->run(Side::Green, "postgres", "alter role tealdeck_repl noreplication");
    EXPECT_EQ(blockers(ctl({"check"})), (std::set<std::string>{"OBJ04/blue/shop", "SEC01/green", "CMP08/blue"}));
    const Ended kept = ctl({"override", "--check", "SEC01/green", "--typed", "lab", "--reason", "no time"});
    EXPECT_EQ(kept.exitCode, 3) << kept.all;
    EXPECT_NE(kept.all.find("can't be taken on"), std::string::npos) << kept.all;
    EXPECT_EQ(ctl({"override", "--check", "OBJ04/blue/shop", "--typed", "lab", "--reason", "rows are not needed"}).exitCode, 0);
    EXPECT_EQ(blockers(ctl({"check"})), (std::set<std::string>{"SEC01/green", "CMP08/blue"}));

    // Said once for a server, not for each question.
    ASSERT_NO_FATAL_FAILURE(stop("green-primary"));
    const Ended report = ctl({"check"}, false);
    EXPECT_EQ(report.exitCode, 3);
    EXPECT_NE(report.all.find(" checks unknown: "), std::string::npos) << report.all;
    std::size_t lines = 0;
    for (std::size_t at = report.all.find("onnect"); at != std::string::npos; at = report.all.find("onnect", at + 1)) {
        ++lines;
    }
    EXPECT_LT(lines, 12u) << report.all;
}

} // namespace
} // namespace tealdeck::test
