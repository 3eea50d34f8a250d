// SPDX-License-Identifier: GPL-3.0-or-later
// The smaller parts of the window: lists that copy, facts, help, calls for attention.
#include "app/console/attention.h"
#include "app/console/help_window.h"
#include "app/console/main_window.h"
#include "app/console/sleep_guard.h"
#include "tests/widgets/manual_clock.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/a11y/table_text.h"
#include "widgets/alarms/alarm_panel.h"
#include "widgets/checklist/advice_facts.h"
#include "widgets/checklist/checklist_panel.h"
#include "widgets/facts/comparison_facts.h"
#include "widgets/facts/fact_model.h"
#include "widgets/plot/lag_plots.h"
#include "widgets/plot/plot_facts.h"
#include "widgets/topology/node_facts.h"

#include <QAbstractItemModelTester>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QStandardItemModel>
#include <QTableView>
#include <QTest>
#include <QTextBrowser>
#include <gtest/gtest.h>

using namespace tealdeck;
using test::ManualClock;

namespace {

Snapshot at(const std::vector<Event>& events, std::int64_t us) {
    Snapshot s;
    for (const Event& e : events) {
        if (e.steadyUs <= us) {
            apply(s, e);
        }
    }
    return s;
}

TableComparison tableOf(const char* name, const char* result, int rows, int differences = 0) {
    TableComparison t;
    t.database = "shop";
    t.table = name;
    t.result = result;
    t.rows = rows;
    t.differences = differences;
    return t;
}

AlarmState alarmOf(const char* id, const char* priority, const char* cause, const char* by = "") {
    AlarmState a;
    a.id = id;
    a.priority = priority;
    a.cause = cause;
    a.acknowledgedBy = by;
    return a;
}

CheckState checkOf(const char* id, const char* family, const char* question, const char* fix, CheckResult result) {
    CheckState c;
    c.id = id;
    c.family = family;
    c.question = question;
    c.fix = fix;
    c.result = result;
    return c;
}

QPushButton* button(QWidget& root, const QString& name) {
    for (QPushButton* each : root.findChildren<QPushButton*>()) {
        if (each->accessibleName() == name) {
            return each;
        }
    }
    return nullptr;
}

} // namespace

TEST(TableText, FormulasQuotesAndTabsDoNoHarm) {
    QStandardItemModel model(1, 2);
    model.setHorizontalHeaderLabels({"a", "b \"c\""});
    model.setItem(0, 0, new QStandardItem("=cmd|' /C calc'!A0"));
    model.setItem(0, 1, new QStandardItem("x,\t\"y\" it's"));
    EXPECT_EQ(tableText(model, {}, TableForm::Csv), "a,\"b \"\"c\"\"\"\r\n'=cmd|' /C calc'!A0,\"x, \"\"y\"\" it's\"");
    EXPECT_EQ(tableText(model, {}, TableForm::Tsv), "a\tb \"c\"\n=cmd|' /C calc'!A0\tx, \"y\" it's");
    EXPECT_EQ(tableText(model, {}, TableForm::Sql), "select * from (values\n    ('=cmd|'' /C calc''!A0', 'x, \"y\" it''s')\n) as t(\"a\", \"b \"\"c\"\"\");");
}

TEST(Facts, ModelKeepsItsPromisesWhileFactsComeAndGo) {
    FactModel model({"What", "Value"});
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    const auto events = test::scriptedUpgrade(3);
    for (std::int64_t us = 0; us < 400'000'000; us += 37'000'000) {
        const Snapshot s = at(events, us);
        model.update(nodeFacts(s, us % 2 == 0 ? Env::Blue : Env::Green, us % 3 == 0 ? "primary" : "replica-1", {us, 0}));
        model.update(us % 5 == 0 ? std::vector<Fact>() : adviceFacts(s, {us, 0}));
    }
}

TEST(Facts, TheSheetOfAServerTellsItsAgeAndWhenThatIsOld) {
    const auto events = test::scriptedUpgrade();
    const std::int64_t us = test::phaseTime(events, Phase::Ramp);
    const Snapshot s = at(events, us);
    const auto fresh = nodeFacts(s, Env::Blue, "primary", {us, 0});
    ASSERT_FALSE(fresh.empty());
    const auto stale = [](const std::vector<Fact>& facts) { return std::count_if(facts.begin(), facts.end(), [](const Fact& f) { return f.stale; }); };
    EXPECT_EQ(stale(fresh), 0);
    EXPECT_GT(stale(nodeFacts(s, Env::Blue, "primary", {us + 60'000'000, 0})), 0);
    EXPECT_TRUE(nodeFacts(s, Env::Blue, "nobody", {us, 0}).empty());
}

TEST(Facts, AComparisonSaysHowFarItIsAndWhatItFound) {
    Snapshot s;
    EXPECT_TRUE(comparisonSummary(s.comparison, {0, 0}).isEmpty());
    s.comparison.state = "running";
    s.comparison.tables = 10;
    s.comparison.equal = 3;
    s.comparison.different = 1;
    s.comparison.undecided = 1;
    s.comparison.list = {tableOf("good", "equal", 5), tableOf("<b>bad", "different", 7, 2)};
    const QString text = comparisonSummary(s.comparison, {60'000'000, 0});
    EXPECT_TRUE(text.startsWith("Comparing, 5 of 10 tables. About 1:00 left.")) << text.toStdString();
    const auto facts = comparisonFacts(s, {60'000'000, 0});
    ASSERT_EQ(facts.size(), 2U);
    EXPECT_TRUE(facts[0].strong); // what differs comes first
    EXPECT_EQ(facts[0].cells[0], "shop: <b>bad");
    s.comparison.state = "done";
    s.comparison.endedUs = 50'000'000;
    EXPECT_TRUE(comparisonSummary(s.comparison, {60'000'000, 0}).startsWith("Compared 10 s ago (done).")) << comparisonSummary(s.comparison, {60'000'000, 0}).toStdString();
}

TEST(Facts, TheSheetOfAServerHoldsWhatTheServerHas) {
    Snapshot s;
    Node node;
    node.name = "primary";
    node.role = "primary";
    node.state = "up";
    s.blue = {node};
    Inventory inventory;
    inventory.side = "blue";
    inventory.node = "primary";
    inventory.replicationSlots = {{"", "tealdeck_shop", "logical, active"}};
    inventory.unknown = {{"extensions", "permission denied"}};
    s.inventory = {inventory};
    QStringList lines;
    for (const Fact& fact : nodeFacts(s, Env::Blue, "primary", {0, 0})) {
        lines << fact.cells.join('=');
    }
    EXPECT_TRUE(lines.contains("Slot=tealdeck_shop, logical, active"));
    EXPECT_TRUE(lines.contains("Not known=extensions: permission denied"));
}

TEST(Plots, HaveAnEquivalentTableAndLeaveTheProgram) {
    const auto events = test::scriptedUpgrade();
    const std::int64_t us = test::phaseTime(events, Phase::Ramp);
    SeriesStore store;
    for (const Event& e : events) {
        if (e.steadyUs <= us) {
            store.apply(e);
        }
    }
    const auto facts = plotFacts(store, {us, 0}, 300'000'000);
    ASSERT_GE(facts.size(), 4U);
    EXPECT_FALSE(facts[0].stale);
    EXPECT_TRUE(plotFacts(store, {us + 60'000'000, 0}, 300'000'000)[0].stale);
    LagPlots plots;
    plots.resize(800, 400);
    plots.show();
    plots.setSeries(&store);
    plots.update(at(events, us), {us, 0});
    EXPECT_TRUE(plots.asSvg().contains("<svg"));
    EXPECT_FALSE(plots.asSvg().contains("<image")); // lines, not a picture of lines
    EXPECT_TRUE(plots.asPng().startsWith("\x89PNG"));
    EXPECT_TRUE(plots.asCsv().startsWith("seconds,metric,value\r\n"));
    EXPECT_GT(plots.asCsv().count('\n'), 100);
}

TEST(Help, EveryTopicOpensAndWordsAreFound) {
    HelpWindow help;
    help.setAttribute(Qt::WA_DeleteOnClose, false);
    help.show();
    for (const QString& topic : helpTopics()) {
        help.showTopic(topic);
        EXPECT_EQ(help.topic(), topic);
        EXPECT_GT(help.page()->toPlainText().size(), 200) << topic.toStdString();
    }
    help.search()->setText("balancer share");
    EXPECT_EQ(help.topic(), "reads");
    help.search()->setText("no such words at all");
    for (int row = 0; row < help.topics()->count(); ++row) {
        EXPECT_TRUE(help.topics()->item(row)->isHidden());
    }
}

TEST(Help, TheTopicFollowsTheFocus) {
    MainWindow window({std::make_shared<test::ScriptedSource>(test::scriptedUpgrade()), {}, {}, {}, "anna", false}, Clock::system());
    EXPECT_EQ(helpTopicFor(window.findChild<QTableView*>("checklistTable")), "checklist");
    EXPECT_EQ(helpTopicFor(window.findChild<QTableView*>("alarmTable")), "alarms");
    EXPECT_EQ(helpTopicFor(nullptr), "window");
}

TEST(Attention, OnlyANewHighAlarmCalls) {
    QWidget window;
    Attention attention(&window);
    QStringList called;
    QObject::connect(&attention, &Attention::called, [&](const QString& cause) { called << cause; });
    Snapshot s;
    s.seq = 1;
    s.alarms = {alarmOf("old", "high", "was there")};
    attention.update(s, 0);
    EXPECT_TRUE(called.isEmpty()); // whoever opens the window sees it
    s.alarms.push_back(alarmOf("lag", "medium", "lag"));
    s.alarms.push_back(alarmOf("slot", "high", "<b>slot</b> lost"));
    s.alarms.push_back(alarmOf("seen", "high", "seen", "ben"));
    attention.update(s, 0);
    attention.update(s, 0);
    EXPECT_EQ(called, QStringList{"<b>slot</b> lost"});
    s.alarms[2].active = false;
    attention.update(s, 0);
    s.alarms[2].active = true;
    attention.update(s, 0);
    EXPECT_EQ(called.size(), 2); // raised again
}

TEST(SleepGuard, HoldsAsLongAsItIsWanted) {
    SleepGuard guard;
    guard.setProgram("/bin/cat"); // takes the arguments as files that are not there, and ends: a desktop that refuses
    guard.setAwake(true);
    ASSERT_TRUE(QTest::qWaitFor([&] { return !guard.awake(); }, 5000));
    guard.setAwake(true);
    EXPECT_FALSE(guard.awake()); // not asked again and again
}

TEST(Alarms, AreShelvedWithAReasonAndATime) {
    ManualClock clock;
    AlarmPanel panel(AlarmPanel::Controls::Full);
    Snapshot s;
    s.seq = 1;
    s.alarms = {alarmOf("slot/1", "high", "slot lost")};
    panel.update(s, {1'000'000, 0});
    QPushButton* aside = button(panel, "Put the chosen alarm aside");
    ASSERT_NE(aside, nullptr);
    EXPECT_FALSE(aside->isEnabled());
    EXPECT_EQ(aside->toolTip(), "Choose an alarm first.");
    panel.show();
    panel.findChild<QTableView*>("alarmTable")->selectRow(0);
    aside->click();
    QPushButton* shelve = button(panel, "Put the alarm aside for that time");
    EXPECT_FALSE(shelve->isEnabled());
    EXPECT_EQ(shelve->toolTip(), "Give a reason first.");
    QString alarm;
    int minutes = 0;
    QString reason;
    QObject::connect(&panel, &AlarmPanel::shelveRequested, [&](const QString& a, int m, const QString& r) { alarm = a, minutes = m, reason = r; });
    for (QLineEdit* entry : panel.findChildren<QLineEdit*>()) {
        if (entry->accessibleName() == "Why the alarm is put aside") {
            entry->setText(" known ");
        }
    }
    shelve->click();
    EXPECT_EQ(alarm, "slot/1");
    EXPECT_EQ(minutes, 15);
    EXPECT_EQ(reason, "known");
    EXPECT_FALSE(shelve->isVisible());
}

TEST(Checklist, ItemsOfAPersonAreSignedOffWithWhatTheySaw) {
    ManualClock clock;
    ChecklistPanel panel(clock, ChecklistPanel::Controls::Full);
    Snapshot s;
    s.seq = 1;
    s.gateSeq = 1;
    s.phase = Phase::Preflight;
    s.checks = {checkOf("MAN/backup", "manual", "Was a backup restored?", "Restore one.", CheckResult::Unknown),
                checkOf("SRV01", "server", "Is wal_level logical?", "alter system set wal_level = 'logical';", CheckResult::Fail)};
    panel.update(s, {1'000'000, 0});
    panel.resize(400, 600);
    panel.show();
    Json asked;
    QObject::connect(&panel, &ChecklistPanel::signOffRequested, [&](const Json& args) { asked = args; });
    auto* table = panel.findChild<QTableView*>("checklistTable");
    QPushButton* sign = button(panel, "Sign this item off under your name");
    ASSERT_NE(sign, nullptr);
    const auto choose = [&](const char* id) {
        for (int row = 0; row < table->model()->rowCount(); ++row) {
            if (table->model()->index(row, 0).data(CheckModel::IdRole).toString() == QLatin1String(id)) {
                table->selectRow(row);
            }
        }
    };
    choose("SRV01");
    EXPECT_FALSE(sign->isVisible());
    choose("MAN/backup");
    EXPECT_TRUE(sign->isVisible());
    EXPECT_FALSE(sign->isEnabled());
    for (QLineEdit* entry : panel.findChildren<QLineEdit*>()) {
        if (entry->accessibleName() == "What you saw") {
            entry->setText("restored today");
        }
    }
    ASSERT_TRUE(sign->isEnabled()) << sign->toolTip().toStdString();
    sign->click();
    EXPECT_EQ(asked, (Json{{"item", "backup"}, {"reason", "restored today"}}));
    EXPECT_TRUE(panel.fixes().contains("-- SRV01: Is wal_level logical?\nalter system set wal_level = 'logical';"));
}
