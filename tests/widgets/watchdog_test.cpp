// SPDX-License-Identifier: GPL-3.0-or-later
// The window stays quick: what one turn of the event loop takes, in the thread's own processor time, so that a busy machine does not matter.
#include "app/console/main_window.h"
#include "tests/widgets/scripted_upgrade.h"

#include <QTest>
#include <QThread>
#include <QTimer>
#include <algorithm>
#include <ctime>
#include <gtest/gtest.h>

using namespace tealdeck;

namespace {

double threadMs() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// The longest turn of the event loop that it drives.
class Watchdog {
  public:
    void run(int turns) {
        for (int i = 0; i < turns; ++i) {
            const double begin = threadMs();
            QCoreApplication::processEvents();
            m_longest = std::max(m_longest, threadMs() - begin);
            QThread::msleep(2); // timers want a little time to pass
        }
    }
    [[nodiscard]] double longest() const { return m_longest; }

  private:
    double m_longest = 0;
};

void append(std::vector<Event>& events, std::int64_t us, EventKind kind, Json body) {
    events.push_back({events.size() + 1, us, 1'700'000'000'000'000 + us, kind, "engine", std::move(body)});
}

/// 12 servers a side, 500 checks that change their minds, 40 metrics ten times a second, events without end.
std::vector<Event> crowdedSession(int seconds) {
    std::vector<Event> events;
    append(events, 0, EventKind::Session, {{"deployment", "crowd"}, {"databases", {"shop"}}});
    for (const char* side : {"blue", "green"}) {
        Json nodes = Json::array();
        for (int i = 0; i < 12; ++i) {
            Node node;
            node.name = "node-" + std::to_string(i);
            node.role = i == 0 ? "primary" : "replica";
            node.host = "10.0.0.1";
            node.state = "up";
            nodes.push_back(toJson(node));
        }
        append(events, 0, EventKind::Topology, {{"side", side}, {"nodes", nodes}});
    }
    for (int second = 0; second < seconds; ++second) {
        const std::int64_t us = second * 1'000'000LL + 1;
        for (int i = 0; i < 500; ++i) {
            if (second == 0 || (i + second) % 10 == 0) {
                CheckState check;
                check.id = "X" + std::to_string(i);
                check.family = "x";
                check.question = "Is it so?";
                check.expected = "yes";
                check.actual = std::to_string(second);
                check.result = (i + second) % 3 == 0 ? CheckResult::Fail : CheckResult::Pass;
                check.evaluatedUs = us;
                append(events, us, EventKind::Check, toJson(check));
            }
        }
        for (int tenth = 0; tenth < 10; ++tenth) {
            Json values = Json::object();
            for (int m = 0; m < 40; ++m) {
                values["metric." + std::to_string(m)] = second * m + tenth;
            }
            values["tps.blue"] = 100 + tenth;
            values["lag_bytes.forward"] = 1000 * tenth;
            append(events, us + tenth * 100'000, EventKind::Metrics, {{"values", values}});
            append(events, us + tenth * 100'000, EventKind::Note, {{"text", "a line"}});
        }
    }
    return events;
}

} // namespace

TEST(Watchdog, ACrowdedSessionNeverHoldsTheWindowUp) {
    constexpr int SECONDS = 20;
    auto source = std::make_shared<test::ScriptedSource>(crowdedSession(SECONDS));
    MainWindow window({source, {}, {}, {}, "anna", false}, Clock::system());
    window.resize(1600, 1000);
    window.show();
    window.start();
    source->playTo(1'000'000);
    QTest::qWait(300); // the first picture, with all rows new
    Watchdog watchdog;
    for (int tenth = 10; tenth < SECONDS * 10; ++tenth) {
        source->playTo(tenth * 100'000LL);
        watchdog.run(5);
    }
    RecordProperty("longest_turn_ms", static_cast<int>(watchdog.longest()));
    EXPECT_GT(watchdog.longest(), 0); // it was measured
    // 50 ms is the aim of what users run on a quiet machine; a build for tests on a busy one takes several times that.
    EXPECT_LT(watchdog.longest(), 400);
}

TEST(Watchdog, SeesAThreadThatIsHeldUp) {
    Watchdog watchdog;
    QTimer::singleShot(1, [] {
        for (const double begin = threadMs(); threadMs() - begin < 60;) {
        }
    });
    watchdog.run(50);
    EXPECT_GT(watchdog.longest(), 50);
}

TEST(Stale, WhatAFrozenSourceSaidLastIsHatchedWithinTwoPeriods) {
    const auto events = test::scriptedUpgrade();
    auto source = std::make_shared<test::ScriptedSource>(events);
    MainWindow window({source, {}, {}, {}, "anna", false}, Clock::system());
    window.show();
    window.start();
    source->playTo(test::phaseTime(events, Phase::Ramp));
    const QWidget* strip = window.findChild<QWidget*>("abort")->parentWidget();
    ASSERT_TRUE(QTest::qWaitFor([&] { return strip->accessibleDescription().contains("blue heartbeat"); }, 5000)) << strip->accessibleDescription().toStdString();
    // The source says nothing any more; the window's own clock goes on. A beat a second: late after three, with no help from the engine.
    EXPECT_TRUE(QTest::qWaitFor([&] { return strip->accessibleDescription().contains("blue STALE") && strip->accessibleDescription().contains("green STALE"); }, 30'000)) << strip->accessibleDescription().toStdString();
}
