// SPDX-License-Identifier: GPL-3.0-or-later
// A new plan by hand, the practice lab from the window; tealctl is a stand-in that answers as the real one does.
#include "app/console/lab_runner.h"
#include "app/console/plan_draft.h"
#include "app/console/plan_editor.h"
#include "app/console/plan_wizard.h"
#include "app/console/rehearsal_guide.h"
#include "app/console/replica_list.h"
#include "core/plan/plan.h"
#include "tests/widgets/scripted_upgrade.h"

#include <QCheckBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <gtest/gtest.h>

using namespace tealdeck;

namespace {

struct FakeCtl {
    QTemporaryDir folder;
    QString program = folder.filePath("tealctl");
    explicit FakeCtl(const QByteArray& script) {
        QFile file(program);
        EXPECT_TRUE(file.open(QIODevice::WriteOnly));
        file.write("#!/bin/sh\necho \"$@\" >> " + folder.filePath("calls").toUtf8() + "\n" + script);
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    }
    QString calls() const {
        QFile file(folder.filePath("calls"));
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }
};

template <class Widget>
Widget* named(QWidget& root, const QString& accessibleName) {
    for (Widget* widget : root.findChildren<Widget*>()) {
        if (widget->accessibleName() == accessibleName) {
            return widget;
        }
    }
    ADD_FAILURE() << "there is no " << accessibleName.toStdString();
    return nullptr;
}

PlanDraft wholeDraft() {
    PlanDraft d;
    d.name = "shop";
    d.databases = {"shop", "Sh\"op\\2"};
    d.blue.host = "blue.example.org";
    d.blue.passfile = "/home/dba/.pgpass";
    d.green.host = "/var/run/postgresql";
    d.green.zone = "az-b";
    d.pooler = PlanDraft::Pooler{"127.0.0.1", 6432, "pgb", {}, "/etc/pgbouncer/databases.ini"};
    d.balancer = PlanDraft::Balancer{"/run/haproxy.sock", "reads", {"b1"}, {"g1", "g2"}};
    d.replicationRootcert = "/etc/ca.crt";
    d.budgetMs = 900;
    d.blue.replicas = {{"r1", "10.0.0.2", 5433, "az-a"}, {"r2", "10.0.0.3", 5432, {}}};
    return d;
}

} // namespace

TEST(PlanDraft, WhatTheWizardWritesIsThePlanThatItMeans) {
    const Result<Plan> plan = parsePlan(planText(wholeDraft()).toStdString(), "plan.toml", "/plans");
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    EXPECT_EQ(plan->deployment, "shop");
    EXPECT_EQ(plan->databases, (std::vector<std::string>{"shop", "Sh\"op\\2"}));
    EXPECT_EQ(plan->blue.primary.passfile, "/home/dba/.pgpass");
    EXPECT_EQ(plan->green.primary.host, "/var/run/postgresql");
    EXPECT_EQ(plan->pgbouncers.at(0).databasesFile, "/etc/pgbouncer/databases.ini");
    EXPECT_EQ(plan->haproxies.at(0).greenServers, (std::vector<std::string>{"g1", "g2"}));
    EXPECT_EQ(plan->replication.sslrootcert, "/etc/ca.crt");
    EXPECT_EQ(plan->cutover.budget, Millis(900));
    ASSERT_EQ(plan->blue.replicas.size(), 2U);
    EXPECT_EQ(plan->blue.replicas[0].port, 5433);
    EXPECT_EQ(plan->blue.replicas[0].zone, "az-a");
    EXPECT_EQ(plan->blue.replicas[1].passfile, "/home/dba/.pgpass"); // as the primary's
    EXPECT_TRUE(plan->green.replicas.empty());
}

TEST(PlanDraft, AProblemNamesItsLine) {
    const PlanProblem problem = checkPlanText("format = 1\n[deployment]\nname = \"Shop!\"\ndatabases = [\"shop\"]\n", "/a:b/plan.toml");
    EXPECT_FALSE(problem.ok());
    EXPECT_EQ(problem.line, 3) << problem.text.toStdString();
    EXPECT_TRUE(problem.text.contains("name")) << problem.text.toStdString();
}

TEST(PlanEditor, ValidatesWhileOneTypesAndSavesOnlyWhatOneSees) {
    QTemporaryDir folder;
    PlanEditor editor;
    editor.setText(planText(wholeDraft()), {});
    EXPECT_TRUE(editor.valid()) << editor.problem().toStdString();
    editor.entry()->setPlainText(editor.text().replace("port = 6432", "port = 99999"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !editor.valid(); }, 5000));
    EXPECT_TRUE(editor.problem().contains("port")) << editor.problem().toStdString();
    EXPECT_TRUE(editor.changed());
    const QString file = folder.filePath("deck.toml");
    EXPECT_EQ(editor.saveAs(file), QString()); // unfinished work may be saved, not opened
    QFile saved(file);
    ASSERT_TRUE(saved.open(QIODevice::ReadOnly));
    EXPECT_EQ(QString::fromUtf8(saved.readAll()), editor.text());
    EXPECT_FALSE(editor.changed());
    EXPECT_FALSE(editor.saveAs("/nowhere/deck.toml").isEmpty());
}

TEST(PlanWizard, TestsTheConnectionAndOffersWhatItFound) {
    FakeCtl ctl("printf '{\"ok\":true,\"version\":\"15.20\",\"role\":\"primary\",\"wal_level\":\"replica\",\"tls\":true,\"databases\":[{\"name\":\"shop\",\"bytes\":1048576},"
                "{\"name\":\"<b>x\",\"bytes\":null}],\"replicas\":[{\"name\":\"r1\",\"address\":null},{\"name\":\"WAL &r\",\"address\":\"10.0.0.7\"},"
                "{\"name\":\"WAL &r\",\"address\":\"10.0.0.7\"}]}'\n");
    PlanWizard wizard;
    wizard.setProgram(ctl.program);
    wizard.show();
    auto* next = named<QPushButton>(wizard, "Next");
    EXPECT_FALSE(next->isEnabled());
    EXPECT_FALSE(next->toolTip().isEmpty()); // says why
    named<QLineEdit>(wizard, "Name of the deployment")->setText("shop");
    named<QLineEdit>(wizard, "BLUE: Host")->setText("blue.example.org");
    named<QLineEdit>(wizard, "GREEN: Host")->setText("green.example.org");
    EXPECT_TRUE(next->isEnabled());
    named<QPushButton>(wizard, "BLUE: Test the connection")->click();
    auto* databases = named<QListWidget>(wizard, "Databases of BLUE");
    ASSERT_TRUE(QTest::qWaitFor([&] { return databases->count() == 2; }, 10'000));
    const QWidget* after = named<QPushButton>(wizard, "BLUE: Test the connection");
    for (const char* name : {"BLUE: replica r1: use it", "BLUE: replica r1: Host", "BLUE: replica r1: Port", "BLUE: replica r1: Zone", "BLUE: replica wal__r: use it"}) {
        do {
            after = after->nextInFocusChain();
        } while ((after->focusPolicy() & Qt::TabFocus) == 0 || after->focusProxy() != nullptr);
        EXPECT_EQ(after->accessibleName().toStdString(), name) << "Tab goes on from the button to what it found";
    }
    // Replicas are in the plan as they were found; the port of one beside its primary nobody knows.
    EXPECT_FALSE(next->isEnabled());
    EXPECT_TRUE(next->toolTip().contains("port of replica r1")) << next->toolTip().toStdString();
    named<QSpinBox>(wizard, "BLUE: replica r1: Port")->setValue(5433);
    EXPECT_TRUE(next->isEnabled());
    named<QCheckBox>(wizard, "BLUE: replica wal__r-2: use it")->setChecked(false);
    const auto replicas = wizard.draft().blue.replicas;
    ASSERT_EQ(replicas.size(), 2U);
    EXPECT_EQ(replicas[0].host, "blue.example.org");
    EXPECT_EQ(replicas[0].port, 5433);
    EXPECT_EQ(replicas[1].name, "wal__r");
    EXPECT_EQ(replicas[1].host, "10.0.0.7");
    EXPECT_EQ(replicas[1].port, 5432);
    named<QPushButton>(wizard, "BLUE: Test the connection")->click(); // again: nobody is in the list twice
    ASSERT_TRUE(QTest::qWaitFor([&] { return named<QPushButton>(wizard, "BLUE: Test the connection")->toolTip().isEmpty(); }, 10'000));
    EXPECT_EQ(ctl.calls().count("plan probe"), 2);
    EXPECT_EQ(wizard.findChildren<ReplicaList*>().front()->findChildren<QCheckBox*>().size(), 3);
    const auto* port = named<QSpinBox>(wizard, "BLUE: replica wal__r: Port");
    EXPECT_TRUE(QTest::qWaitFor([&] { return port->height() >= port->minimumSizeHint().height(); }, 3000)) << "the list grew, the page must grow with it";
    named<QPushButton>(wizard, "GREEN: Add a replica")->click();
    EXPECT_TRUE(next->toolTip().contains("host of replica replica of GREEN")) << next->toolTip().toStdString();
    named<QCheckBox>(wizard, "GREEN: replica replica: use it")->setChecked(false);
    EXPECT_TRUE(ctl.calls().startsWith("plan probe --json --host blue.example.org --port 5432 --user tealdeck --sslmode verify-full")) << ctl.calls().toStdString();
    next->click();
    EXPECT_EQ(wizard.page(), PlanWizard::Databases);
    EXPECT_FALSE(next->isEnabled());
    databases->item(0)->setCheckState(Qt::Checked);
    EXPECT_EQ(wizard.draft().databases, QStringList{"shop"});
    for (int page = PlanWizard::Routers; page <= PlanWizard::Review; ++page) {
        next->click();
    }
    EXPECT_EQ(wizard.page(), PlanWizard::Review);
    EXPECT_TRUE(wizard.editor()->valid()) << wizard.editor()->problem().toStdString();
    EXPECT_TRUE(wizard.editor()->text().contains("blue.example.org"));
    EXPECT_EQ(wizard.editor()->text().count("[[blue.replicas]]"), 2);
    wizard.close(); // unsaved: asked once, in the window
    EXPECT_TRUE(wizard.isVisible());
    EXPECT_EQ(QApplication::activeModalWidget(), nullptr);
}

TEST(PlanWizard, AServerThatDoesNotAnswerIsToldInItsWords) {
    FakeCtl ctl("printf '{\"ok\":false,\"error\":\"no route to host\"}'; exit 1\n");
    PlanWizard wizard;
    wizard.setProgram(ctl.program);
    wizard.show();
    named<QPushButton>(wizard, "GREEN: Test the connection")->click();
    const auto told = [&] {
        const QList<QLabel*> labels = wizard.findChildren<QLabel*>();
        return std::any_of(labels.begin(), labels.end(), [](const QLabel* label) { return label->text() == "✕ no route to host"; });
    };
    EXPECT_TRUE(QTest::qWaitFor(told, 10'000));
}

TEST(PlanWizard, EditingAnExistingPlanShowsItsText) {
    PlanWizard wizard;
    wizard.edit(planText(wholeDraft()), "/plans/shop.toml");
    wizard.show();
    EXPECT_EQ(wizard.editor()->text(), planText(wholeDraft()));
    EXPECT_FALSE(wizard.editor()->changed());
    wizard.close();
    EXPECT_FALSE(wizard.isVisible()); // nothing to lose
}

TEST(LabRunner, StartsTheLabAndHandsItsPlanOver) {
    FakeCtl ctl("echo 'lab: green is up' >&2\nprintf '{\"lab\":\"x\",\"plan\":\"/tmp/some/plan.toml\",\"seconds\":2}'\n");
    LabRunner runner;
    runner.setProgram(ctl.program);
    runner.folder()->setText(ctl.folder.filePath("lab"));
    runner.show();
    QString plan;
    QObject::connect(&runner, &LabRunner::ready, [&](const QString& file) { plan = file; });
    runner.startButton()->click();
    EXPECT_FALSE(runner.startButton()->isEnabled());
    EXPECT_FALSE(runner.startButton()->toolTip().isEmpty());
    ASSERT_TRUE(QTest::qWaitFor([&] { return !plan.isEmpty(); }, 10'000));
    EXPECT_EQ(plan, "/tmp/some/plan.toml");
}

TEST(LabRunner, ACancelledStartIsRemovedAgain) {
    FakeCtl ctl("if [ \"$2\" = up ]; then mkdir -p \"$5\"; echo 'lab: making blue' >&2; exec sleep 60; fi\nrm -r \"$4\"\n");
    LabRunner runner;
    runner.setProgram(ctl.program);
    runner.folder()->setText(ctl.folder.filePath("lab"));
    runner.show();
    runner.startButton()->click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return runner.said() == "lab: making blue"; }, 10'000)) << runner.said().toStdString();
    runner.cancelButton()->click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return runner.startButton()->isEnabled(); }, 10'000));
    EXPECT_TRUE(ctl.calls().contains("lab down --dir")) << ctl.calls().toStdString();
    EXPECT_FALSE(QFile::exists(ctl.folder.filePath("lab")));
}

TEST(Rehearsal, TheGuideFollowsTheUpgrade) {
    const auto events = test::scriptedUpgrade();
    Snapshot snapshot;
    std::vector<std::string> order;
    for (const Event& event : events) {
        apply(snapshot, event);
        const std::vector<Fact> facts = rehearsalFacts(snapshot);
        const auto now = std::find_if(facts.begin(), facts.end(), [](const Fact& fact) { return fact.strong; });
        const std::string station = now == facts.end() ? "done" : now->key;
        if (order.empty() || order.back() != station) {
            order.push_back(station);
        }
    }
    EXPECT_EQ(order, (std::vector<std::string>{"check", "replicate", "ramp", "cutover", "rollback", "again", "finalize", "done"}));
}
