// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/action_gate.h"
#include "app/console/main_window.h"
#include "app/console/start_window.h"
#include "app/console/window_layout.h"
#include "core/model/shown.h"
#include "tests/widgets/audit.h"
#include "tests/widgets/manual_clock.h"
#include "tests/widgets/replay_fixture.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/mode_strip.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/timeline/replay_bar.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QPushButton>
#include <QTabBar>
#include <QTest>
#include <gtest/gtest.h>
#include <set>
#include <thread>

using namespace tealdeck;
using test::ManualClock;
using test::ScriptedSource;

namespace {

/// The bridge hands over at most 20 times a second: waits for its turn, not for a time.
bool shown(MainWindow& window, std::uint64_t seq) {
    return QTest::qWaitFor([&] { return window.bridge().snapshot().seq >= seq; }, 5000);
}

struct Live {
    std::vector<Event> events = test::scriptedUpgrade();
    std::shared_ptr<ScriptedSource> source = std::make_shared<ScriptedSource>(events);
    MainWindow window{{source, {}, {}, {}, "anna", false, "/plans/shop.toml"}, Clock::system()};
    Live() {
        window.resize(1600, 1000);
        window.show();
        window.start();
    }
    void playTo(std::int64_t us) {
        source->playTo(us);
        std::uint64_t seq = 0;
        for (const Event& e : events) {
            seq = e.steadyUs <= us ? e.seq : seq;
        }
        ASSERT_TRUE(shown(window, seq));
    }
};

} // namespace

TEST(MainWindow, EveryFocusableWidgetHasANameAndLabelsArePlain) {
    Live live;
    live.playTo(test::phaseTime(live.events, Phase::Ramp) + 10'000'000);
    test::auditNames(live.window);
    StartWindow start;
    test::auditNames(start);
}

TEST(MainWindow, NoTwoActionsShareAShortcut) {
    MainWindow window(test::replayOf(test::scriptedUpgrade()), Clock::system());
    Live live;
    for (MainWindow* each : {&window, &live.window}) {
        std::set<QString> keys;
        for (const QAction* action : each->findChildren<QAction*>()) {
            if (!action->shortcut().isEmpty()) {
                EXPECT_TRUE(keys.insert(action->shortcut().toString()).second) << action->text().toStdString();
            }
        }
    }
}

TEST(MainWindow, ACommandCarriesWhatTheOperatorSaw) {
    Live live;
    const auto ready = test::phaseTime(live.events, Phase::Cutover) - 1;
    live.playTo(ready);
    ConfirmControl* confirm = live.window.nextAct()->confirm();
    ASSERT_TRUE(confirm->armButton()->isEnabled()) << confirm->armButton()->toolTip().toStdString();
    confirm->armButton()->click();
    emit confirm->holdButton()->held();
    std::vector<Command> sent;
    std::copy_if(live.source->sent.begin(), live.source->sent.end(), std::back_inserter(sent), [](const Command& c) { return c.kind != CommandKind::Note; });
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].kind, CommandKind::Cutover);
    EXPECT_EQ(sent[0].basedOn, live.window.bridge().snapshot().seq);
    EXPECT_EQ(sent[0].actor, "anna");
    // Before it went what was on the screen, word by word.
    std::optional<std::pair<EventKind, Json>> prompt;
    for (const Command& command : live.source->sent) {
        const auto told = command.kind == CommandKind::Note ? shownEvent(command.args) : std::nullopt;
        prompt = told && told->first == EventKind::Prompt ? told : prompt;
        ASSERT_TRUE(prompt || command.kind == CommandKind::Note) << "the prompt first, then the command";
    }
    ASSERT_TRUE(prompt);
    EXPECT_EQ(member<double>(prompt->second, "armed_ms", 0), 20'000);
    EXPECT_NE(member<std::string>(prompt->second, "text", "").find("ARMED"), std::string::npos) << dumpJson(prompt->second);
    EXPECT_GT(member<Json>(prompt->second, "gates", Json()).size(), 3U);
    ASSERT_TRUE(QTest::qWaitFor([&] { return shownEvent(live.source->sent.back().args).has_value(); }, 5000));
    EXPECT_FALSE(member<bool>(shownEvent(live.source->sent.back().args)->second, "withdrawn", true));
}

TEST(MainWindow, TheForecastOfThePauseStandsBesideTheActThatPauses) {
    const auto events = test::scriptedUpgrade();
    auto source = std::make_shared<ScriptedSource>(events);
    MainWindow window({source, {}, {}, {}, "anna", false}, Clock::system());
    window.show();
    window.start();
    auto* forecast = window.nextAct()->findChild<QLabel*>("pauseForecast");
    EXPECT_FALSE(forecast->isVisible()); // nothing pauses in this phase
    source->playTo(test::phaseTime(events, Phase::Cutover) - 1);
    ASSERT_TRUE(QTest::qWaitFor([&] { return forecast->isVisible(); }, 5000));
    // Before any switch: transactions and lag as measured, and the commits that are still to come.
    EXPECT_TRUE(forecast->text().startsWith("Pause: about ") && forecast->text().endsWith(" ms of 2000 ms")) << forecast->text().toStdString();
    EXPECT_TRUE(forecast->toolTip().startsWith("drain: 20 ms (the oldest open transaction)\nfence: 12 ms (2 times a commit on BLUE")) << forecast->toolTip().toStdString();
    EXPECT_TRUE(forecast->toolTip().contains("\nresume: <1 ms (2 times a pooler's answer")) << forecast->toolTip().toStdString();
    EXPECT_EQ(forecast->accessibleDescription(), forecast->toolTip());
    auto* state = window.nextAct()->findChild<QLabel*>("rollbackWindowState");
    EXPECT_FALSE(state->isVisible());
    source->playTo(test::phaseTime(events, Phase::Observe) + 8'000'000);
    ASSERT_TRUE(QTest::qWaitFor([&] { return state->isVisible(); }, 5000));
    EXPECT_TRUE(state->text().startsWith("BLUE is behind by ")) << state->text().toStdString();
}

TEST(MainWindow, ActsOnAFeedOrAChangeNameExactlyWhatTheyAreAbout) {
    auto events = test::scriptedUpgrade();
    std::erase_if(events, [](const Event& e) { return e.kind == EventKind::Replication || e.kind == EventKind::Drift; });
    const std::int64_t ramp = test::phaseTime(events, Phase::Ramp);
    const auto at = std::find_if(events.begin(), events.end(), [&](const Event& e) { return e.steadyUs > ramp; });
    Event failed = *at;
    failed.kind = EventKind::Replication;
    failed.body = {{"database", "shop"}, {"direction", "forward"}, {"state", "stopped"}, {"error", "it changes <b>cart</b>"}, {"failed_lsn", "0/2A"}, {"sampled_us", failed.steadyUs}};
    Event change = failed;
    change.kind = EventKind::Drift;
    change.body = {{"id", 7}, {"database", "shop"}, {"side", "blue"}, {"state", "open"}, {"who", "eve"}, {"statement", "alter table cart add note text"}};
    auto source = std::make_shared<ScriptedSource>(std::vector<Event>(events.begin(), at));
    auto later = std::make_shared<ScriptedSource>([&] {
        std::vector<Event> all(events.begin(), at);
        for (Event event : {failed, change}) {
            event.seq = all.back().seq + 1;
            all.push_back(event);
        }
        return all;
    }());
    for (const auto& shown : {source, later}) {
        MainWindow window({shown, {}, {}, {}, "anna", false}, Clock::system());
        window.show();
        window.start();
        shown->playTo(ramp + 600'000'000);
        ASSERT_TRUE(QTest::qWaitFor([&] { return window.bridge().snapshot().phase == Phase::Ramp && window.bridge().snapshot().seq == shown->toldSeq(); }, 5000));
        auto* consequence = window.nextAct()->findChild<QLabel*>("consequence");
        auto* why = window.nextAct()->findChild<QLabel*>("whyNot");
        window.nextAct()->prepare(CommandKind::Drift);
        EXPECT_EQ(window.nextAct()->shownAct(), CommandKind::Drift);
        EXPECT_EQ(consequence->text().endsWith("shop, by eve: alter table cart add note text"), shown == later) << consequence->text().toStdString();
        EXPECT_EQ(why->text().contains("No recorded change of the schema is open."), shown == source) << why->text().toStdString();
        window.nextAct()->prepare(CommandKind::Skip);
        EXPECT_EQ(consequence->text().endsWith("shop, the transaction that ends at 0/2A: it changes <b>cart</b>"), shown == later) << consequence->text().toStdString();
        EXPECT_EQ(why->text().contains("No feed is known to stand"), shown == source) << why->text().toStdString();
        Json args;
        QObject::connect(window.nextAct(), &NextActPanel::commandRequested, [&](CommandKind, const Json& given) { args = given; });
        emit window.nextAct()->confirm()->confirmed(CommandKind::Skip, "shop_upgrade", "why");
        EXPECT_EQ(args.dump(), shown == later ? R"({"database":"shop","lsn":"0/2A","reason":"why","typed":"shop_upgrade"})" : R"({"reason":"why","typed":"shop_upgrade"})");
        emit window.nextAct()->confirm()->confirmed(CommandKind::Drift, {}, {});
        EXPECT_EQ(args.dump(), shown == later ? R"({"act":"apply","database":"shop","id":7})" : "{}");
    }
}

TEST(MainWindow, TheRecordingLearnsWhatWasInSight) {
    Live live;
    const auto pages = [&] {
        QStringList told;
        for (const Command& command : live.source->sent) {
            const auto shown = command.kind == CommandKind::Note ? shownEvent(command.args) : std::nullopt;
            if (shown && shown->first == EventKind::ViewChange) {
                told << QString::fromStdString(member<std::string>(shown->second, "page", ""));
            }
        }
        return told;
    };
    live.playTo(test::phaseTime(live.events, Phase::Ramp));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !pages().isEmpty(); }, 5000));
    EXPECT_TRUE(pages().last().contains("Events")) << pages().join('|').toStdString();
    for (QTabBar* bar : live.window.findChildren<QTabBar*>()) {
        if (bar->accessibleName() == "Lists") {
            bar->setCurrentIndex(1);
        }
    }
    EXPECT_TRUE(pages().last().contains("Numbers")) << pages().join('|').toStdString();
    const auto before = pages().size();
    live.window.panels()->raisePanel(live.window.findChild<QWidget*>()); // nothing comes to the front
    EXPECT_EQ(pages().size(), before);
}

TEST(MainWindow, AHoldIsToldFromItsBeginningToItsEnd) {
    Live live;
    live.playTo(test::phaseTime(live.events, Phase::Ramp));
    auto* abort = live.window.findChild<HoldButton*>("abort");
    QTest::mousePress(abort, Qt::LeftButton);
    QTest::mouseRelease(abort, Qt::LeftButton);
    std::vector<std::pair<EventKind, Json>> told;
    for (const Command& command : live.source->sent) {
        if (const auto shown = shownEvent(command.args); command.kind == CommandKind::Note && shown && shown->first != EventKind::ViewChange) {
            told.push_back(*shown);
        }
    }
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0].first, EventKind::Prompt);
    EXPECT_EQ(member<std::string>(told[0].second, "text", ""), abort->text().toStdString());
    EXPECT_EQ(told[1].second["hold"]["state"], "begun");
    EXPECT_EQ(told[1].second["hold"]["needed_ms"], 500);
    EXPECT_EQ(told[2].second["hold"]["state"], "released");
    EXPECT_EQ(told[2].second["withdrawn"], true);
    EXPECT_TRUE(std::none_of(live.source->sent.begin(), live.source->sent.end(), [](const Command& c) { return c.kind == CommandKind::Abort; }));
    QTest::mousePress(abort, Qt::LeftButton);
    ASSERT_TRUE(QTest::qWaitFor([&] { return live.source->sent.back().kind == CommandKind::Abort; }, 20'000));
    const auto last = shownEvent(live.source->sent[live.source->sent.size() - 2].args);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->second["hold"]["state"], "complete");
    EXPECT_EQ(last->second["hold"]["held_ms"], 500);
}

TEST(MainWindow, AbortIsNeverDisabledEvenWhenTheEngineIsLost) {
    Live live;
    live.playTo(test::phaseTime(live.events, Phase::Cutover));
    live.source->lose("the socket closed");
    ASSERT_TRUE(QTest::qWaitFor([&] { return live.window.bridge().state() == SourceState::Lost; }, 5000));
    auto* abort = live.window.findChild<HoldButton*>("abort");
    ASSERT_NE(abort, nullptr);
    EXPECT_TRUE(abort->isEnabled());
    emit abort->held();
    EXPECT_TRUE(std::any_of(live.source->sent.begin(), live.source->sent.end(), [](const Command& c) { return c.kind == CommandKind::Abort; }));
    EXPECT_FALSE(live.window.nextAct()->confirm()->armButton()->isEnabled());
}

TEST(MainWindow, ALostEngineCanBeStartedAgain) {
    Live live;
    live.playTo(test::phaseTime(live.events, Phase::Ramp));
    QString wanted;
    QObject::connect(&live.window, &MainWindow::engineWanted, [&](const QString& plan) { wanted = plan; });
    live.source->lose("the socket closed");
    ASSERT_TRUE(QTest::qWaitFor([&] { return live.window.bridge().state() == SourceState::Lost; }, 5000));
    QPushButton* start = nullptr;
    for (QPushButton* button : live.window.findChildren<QPushButton*>()) {
        start = button->text() == "Start the engine" ? button : start;
    }
    ASSERT_NE(start, nullptr);
    start->click();
    EXPECT_EQ(wanted, "/plans/shop.toml");
}

TEST(MainWindow, TheQuestionBeforeLeavingIsNotModal) {
    Live live;
    live.playTo(test::phaseTime(live.events, Phase::Ramp) + 1'000'000);
    live.window.close();
    EXPECT_TRUE(live.window.isVisible()); // asked in the window's own bar
    EXPECT_EQ(QApplication::activeModalWidget(), nullptr);
    for (QPushButton* button : live.window.findChildren<QPushButton*>()) {
        if (button->text() == "Close the window") {
            button->click();
        }
    }
    EXPECT_FALSE(live.window.isVisible());
}

TEST(ReplayWindow, HasNoCommandControl) {
    Session session = test::replayOf(test::scriptedUpgrade());
    EXPECT_EQ(session.source->commands(), nullptr);
    MainWindow window(std::move(session), Clock::system());
    window.start();
    EXPECT_EQ(window.gate(), nullptr);
    EXPECT_EQ(window.nextAct()->confirm(), nullptr);
    EXPECT_TRUE(window.findChildren<HoldButton*>().isEmpty());
    EXPECT_TRUE(window.findChildren<ConfirmControl*>().isEmpty());
    EXPECT_TRUE(window.findChildren<ActionGate*>().isEmpty());
    test::auditNames(window);
}

TEST(ObserverWindow, HasNoCommandControlEither) {
    MainWindow window({std::make_shared<ScriptedSource>(test::scriptedUpgrade()), {}, {}, {}, "ben", true}, Clock::system());
    EXPECT_EQ(window.gate(), nullptr);
    EXPECT_TRUE(window.findChildren<HoldButton*>().isEmpty());
}

TEST(ReplaySource, PlaysSeeksAndKeepsAPausePaused) {
    ManualClock clock;
    const auto archive = std::make_shared<const test::MemoryArchive>(test::scriptedUpgrade());
    ReplaySource source(archive, clock);
    Snapshot seen;
    source.start({[&](SessionStart start) { seen = std::move(start.snapshot); },
                  [&](std::vector<Event> events) {
                      for (const Event& e : events) {
                          apply(seen, e);
                      }
                  },
                  [](SourceState, const std::string&) {}});
    source.setSpeed(10);
    EXPECT_FALSE(source.playing());
    source.setPlaying(true);
    clock.advanceMs(5000);
    source.advance();
    EXPECT_EQ(source.positionUs(), 50'000'000);
    EXPECT_EQ(toJson(seen), toJson(archive->snapshotAfter(archive->countAt(50'000'000))));
    for (const std::int64_t to : std::initializer_list<std::int64_t>{200'000'000, 3'000'000, 333'333'333, 0, archive->endUs(), 120'000'000}) {
        source.seek(to);
        EXPECT_EQ(toJson(seen), toJson(archive->snapshotAfter(archive->countAt(to)))) << to;
    }
    source.setPlaying(false);
    source.setSpeed(60);
    EXPECT_FALSE(source.playing());
}

TEST(ReplayWindow, KeysMoveThePosition) {
    MainWindow window(test::replayOf(test::scriptedUpgrade()), Clock::system());
    window.show();
    window.start();
    auto* scrubber = window.findChild<Scrubber*>();
    ASSERT_NE(scrubber, nullptr);
    const auto at = [&] { return window.replay()->positionUs(); };
    QTest::keyClick(scrubber, Qt::Key_Right, Qt::ControlModifier);
    EXPECT_EQ(at(), 10'000'000);
    QTest::keyClick(scrubber, Qt::Key_Left);
    EXPECT_EQ(at(), 9'000'000);
    QTest::keyClick(scrubber, Qt::Key_Right, Qt::ShiftModifier);
    EXPECT_EQ(at(), 9'100'000);
    QTest::keyClick(scrubber, Qt::Key_End);
    EXPECT_EQ(at(), window.replay()->archive().endUs());
    QTest::keyClick(scrubber, Qt::Key_Home);
    EXPECT_EQ(at(), 0);
    QTest::keyClick(scrubber, Qt::Key_BracketRight);
    EXPECT_EQ(at(), window.replay()->study()->timeline.alarms.front().timeUs);
    QTest::keyClick(scrubber, Qt::Key_BraceLeft);
    EXPECT_LT(at(), window.replay()->study()->timeline.alarms.front().timeUs);
}

TEST(ReplayWindow, PlotsNeverShowTheFuture) {
    MainWindow window(test::replayOf(test::scriptedUpgrade()), Clock::system());
    window.resize(1200, 800);
    window.show();
    window.start();
    auto* plots = window.findChild<LagPlots*>();
    for (const std::int64_t at : std::initializer_list<std::int64_t>{300'000'000, 5'500'000, 90'000'000, 12'000'000}) {
        window.replay()->seek(at);
        plots->drawNow();
        EXPECT_GT(plots->newestDrawnUs(), at - 3'000'000);
        EXPECT_LE(plots->newestDrawnUs(), at);
    }
}

TEST(EngineBridge, TakesEventsFromAnotherThread) {
    auto source = std::make_shared<ScriptedSource>(test::scriptedUpgrade());
    EngineBridge bridge(source, Clock::system());
    bridge.start();
    int updates = 0;
    QObject::connect(&bridge, &EngineBridge::snapshotChanged, &bridge, [&] { ++updates; });
    std::thread teller([&] {
        for (std::int64_t t = 0; t < 100'000'000; t += 100'000) {
            source->playTo(t);
        }
    });
    const test::MemoryArchive archive(test::scriptedUpgrade());
    const auto last = archive.countAt(99'900'000);
    EXPECT_TRUE(QTest::qWaitFor([&] { return bridge.snapshot().seq == last; }, 10'000));
    teller.join();
    EXPECT_EQ(toJson(bridge.snapshot()), toJson(archive.snapshotAfter(last)));
    EXPECT_LT(updates, 100); // batches, not one by one
}

TEST(ModeStrip, ALateHeartbeatSaysStale) {
    ManualClock clock;
    ModeStrip strip(clock, ModeStrip::Controls::None);
    Snapshot s;
    s.seq = 1;
    s.steadyUs = 10'000'000;
    s.metrics["heartbeat_age.blue"] = {0.4, 10'000'000};
    strip.update(s, {10'000'000, 0});
    EXPECT_FALSE(strip.accessibleDescription().contains("blue STALE"));
    EXPECT_TRUE(strip.accessibleDescription().contains("green UNKNOWN"));
    strip.update(s, {10'000'000 + staleness::HEARTBEAT_US, 0}); // nothing came: the age grew
    EXPECT_TRUE(strip.accessibleDescription().contains("blue STALE"));
}

TEST(MainWindow, SurvivesBrokenEvents) {
    std::vector<Event> events;
    for (int round = 0; round < 2; ++round) {
        for (int kind = -1; kind < 40; ++kind) {
            for (const Json& body : {Json::object(), Json{{"phase", "cutover"}, {"nodes", {1, "x", {{"role", 3}}}}, {"values", {{"tps.blue", "x"}, {"lag_bytes.forward", 1e300}}}, {"id", "\xff"}, {"side", "green"}}}) {
                events.push_back({events.size() + 1, static_cast<std::int64_t>(events.size()) * 1000, 0, static_cast<EventKind>(kind), "x", body});
            }
        }
    }
    auto source = std::make_shared<ScriptedSource>(events);
    MainWindow window({source, {}, {}, {}, "anna", false}, Clock::system());
    window.resize(1000, 700);
    window.show();
    window.start();
    source->playTo(1'000'000'000);
    ASSERT_TRUE(shown(window, events.size()));
    window.drawNow();
    EXPECT_FALSE(window.grab().isNull());
}
