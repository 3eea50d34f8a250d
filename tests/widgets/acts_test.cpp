// SPDX-License-Identifier: GPL-3.0-or-later
// Every act is found by keyboard, by menu and by palette, and no two acts share keys.
#include "app/console/action_registry.h"
#include "app/console/command_palette.h"
#include "app/console/keys_window.h"
#include "app/console/main_window.h"
#include "tests/widgets/mnemonics.h"
#include "tests/widgets/replay_fixture.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/next_act_panel.h"

#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QSettings>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <gtest/gtest.h>
#include <set>

using namespace tealdeck;
using test::ScriptedSource;

namespace {

struct Window {
    std::vector<Event> events = test::scriptedUpgrade();
    std::shared_ptr<ScriptedSource> source = std::make_shared<ScriptedSource>(events);
    MainWindow window;
    explicit Window(QSettings* settings = nullptr) : window({source, {}, {}, {}, "anna", false, "/plans/shop.toml"}, Clock::system(), settings) {
        window.resize(1400, 900);
        window.show();
        window.start();
    }
};

std::set<const QAction*> leaves(const QMenu* menu) {
    std::set<const QAction*> found;
    for (const QAction* action : menu->actions()) {
        if (action->menu() != nullptr) {
            found.merge(leaves(action->menu()));
        } else if (!action->isSeparator()) {
            found.insert(action);
        }
    }
    return found;
}

void auditActs(MainWindow& window) {
    const auto& acts = window.acts().actions();
    ASSERT_GT(acts.size(), 20U);
    std::set<const QAction*> inMenus;
    for (const QAction* top : window.menuBar()->actions()) {
        inMenus.merge(leaves(top->menu()));
    }
    std::set<QString> ids;
    for (const QAction* action : acts) {
        EXPECT_TRUE(ids.insert(action->objectName()).second) << action->objectName().toStdString();
        EXPECT_TRUE(inMenus.contains(action)) << action->objectName().toStdString() << " is in no menu";
        for (const QKeySequence& keys : action->shortcuts()) {
            EXPECT_EQ(window.acts().conflict(action, keys), QString()) << action->objectName().toStdString();
        }
    }
    for (const QAction* action : inMenus) { // and nothing is in a menu that the palette does not know
        EXPECT_TRUE(ids.contains(action->objectName())) << action->text().toStdString();
    }
    window.palettePopup()->open();
    EXPECT_EQ(window.palettePopup()->list()->count(), static_cast<int>(acts.size()));
    QTest::keyClick(window.palettePopup()->entry(), Qt::Key_Escape);
    EXPECT_FALSE(window.palettePopup()->isVisible());
}

} // namespace

TEST(Acts, EachIsInAMenuAndInThePaletteWithKeysOfItsOwn) {
    Window live;
    auditActs(live.window);
    MainWindow replay(test::replayOf(test::scriptedUpgrade()), Clock::system());
    auditActs(replay);
}

TEST(Acts, MnemonicsOfAMenuAreDistinct) {
    Window live;
    test::expectDistinctMnemonics(live.window);
}

TEST(Palette, AFewLettersAndEnterDoTheAct) {
    Window live;
    double zoomed = 0;
    QObject::connect(&live.window, &MainWindow::zoomRequested, [&](double factor) { zoomed = factor; });
    live.window.palettePopup()->open();
    QTest::keyClicks(live.window.palettePopup()->entry(), "larg text");
    ASSERT_EQ(live.window.palettePopup()->list()->count(), 1);
    QTest::keyClick(live.window.palettePopup()->entry(), Qt::Key_Return);
    EXPECT_DOUBLE_EQ(zoomed, 1.1);
    EXPECT_FALSE(live.window.palettePopup()->isVisible());
}

TEST(Palette, WhatIsNotPossibleSaysWhyAndDoesNothing) {
    Window live;
    live.source->playTo(test::phaseTime(live.events, Phase::Preflight) + 1000);
    ASSERT_TRUE(QTest::qWaitFor([&] { return live.window.bridge().snapshot().phase == Phase::Preflight; }, 5000));
    live.window.palettePopup()->open();
    QTest::keyClicks(live.window.palettePopup()->entry(), "roll back");
    ASSERT_EQ(live.window.palettePopup()->list()->count(), 1);
    EXPECT_TRUE(live.window.palettePopup()->list()->item(0)->text().contains("not possible in phase")) << live.window.palettePopup()->list()->item(0)->text().toStdString();
    QTest::keyClick(live.window.palettePopup()->entry(), Qt::Key_Return);
    EXPECT_TRUE(live.window.palettePopup()->isVisible());
}

TEST(Palette, ItNeverArms) {
    Window live;
    live.source->playTo(test::phaseTime(live.events, Phase::Cutover) - 1);
    ASSERT_TRUE(QTest::qWaitFor([&] { return live.window.bridge().snapshot().phase == Phase::Ramp; }, 5000));
    live.window.palettePopup()->open();
    QTest::keyClicks(live.window.palettePopup()->entry(), "cut over");
    QTest::keyClick(live.window.palettePopup()->entry(), Qt::Key_Return);
    EXPECT_FALSE(live.window.nextAct()->confirm()->armed());
    EXPECT_TRUE(std::all_of(live.source->sent.begin(), live.source->sent.end(), [](const Command& c) { return c.kind == CommandKind::Note; })) << "only what is in sight is told";
}

TEST(Keys, OnesOwnAreKeptAndConflictsAreRefused) {
    QTemporaryDir folder;
    QSettings settings(folder.filePath("settings.ini"), QSettings::IniFormat);
    {
        Window live(&settings);
        KeysWindow keys(live.window.acts(), {"Space\thold"}, &live.window);
        keys.setAttribute(Qt::WA_DeleteOnClose, false);
        QAction* note = live.window.acts().find("act.note");
        ASSERT_NE(note, nullptr);
        EXPECT_TRUE(keys.sheet().contains("Write a note"));
        EXPECT_EQ(live.window.acts().setKeys(note, QKeySequence("Ctrl+K")), "Ctrl+K belongs to “Command palette” already.");
        EXPECT_EQ(live.window.acts().setKeys(note, QKeySequence("Ctrl+K, N")), "Ctrl+K, N belongs to “Command palette” already."); // its beginning
        EXPECT_FALSE(live.window.acts().setKeys(note, QKeySequence(Qt::Key_Space)).isEmpty());
        keys.table()->selectRow(static_cast<int>(std::find(live.window.acts().actions().begin(), live.window.acts().actions().end(), note) - live.window.acts().actions().begin()));
        keys.editor()->setKeySequence(QKeySequence("Ctrl+J"));
        emit keys.editor()->editingFinished();
        EXPECT_EQ(note->shortcut(), QKeySequence("Ctrl+J")) << keys.problem()->text().toStdString();
    }
    Window again(&settings);
    QAction* note = again.window.acts().find("act.note");
    EXPECT_EQ(note->shortcut(), QKeySequence("Ctrl+J"));
    again.window.acts().resetKeys(note);
    EXPECT_EQ(note->shortcut(), QKeySequence("Ctrl+N"));
    EXPECT_TRUE(settings.allKeys().filter("keys/").isEmpty());
}
