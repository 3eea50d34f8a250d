// SPDX-License-Identifier: GPL-3.0-or-later
// The window's main states as pictures, compared with those that a person has looked at (tests/data/goldens). After a change of the look:
// TEALDECK_GOLDENS=write widgets_tests --gtest_filter='*Golden.*', look at each of them, and make them small before the commit:
// convert F +dither -colors 40 -define png:compression-filter=0 PNG8:F (40 colours differ less than the tolerance sees).
#include "app/console/main_window.h"
#include "tests/widgets/manual_clock.h"
#include "tests/widgets/replay_fixture.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/status/confirm_control.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/theme/theme.h"

#include <QDir>
#include <QImage>
#include <QTest>
#include <array>
#include <gtest/gtest.h>
#include <utility>

using namespace tealdeck;

namespace {

/// The share of pixels that differ clearly: smoothing of letters is no difference, a missing word is.
double difference(const QImage& a, const QImage& b) {
    if (a.size() != b.size()) {
        return 1;
    }
    qsizetype differing = 0;
    for (int y = 0; y < a.height(); ++y) {
        for (int x = 0; x < a.width(); ++x) {
            const QRgb p = a.pixel(x, y);
            const QRgb q = b.pixel(x, y);
            const int most = std::max({std::abs(qRed(p) - qRed(q)), std::abs(qGreen(p) - qGreen(q)), std::abs(qBlue(p) - qBlue(q))});
            differing += most > 64 ? 1 : 0;
        }
    }
    return static_cast<double>(differing) / (static_cast<double>(a.width()) * a.height());
}

/// The main states of the window. Armed: ready to cut over, the arm set; Lost: the engine is gone in the middle of the ramp.
enum class State { Preflight, Replicate, Ramp, Armed, Cutover, Observe, Lost, Finalized, Replay };
constexpr std::array<std::pair<State, const char*>, 9> STATES = {{{State::Preflight, "preflight"},
                                                                   {State::Replicate, "replicate"},
                                                                   {State::Ramp, "ramp"},
                                                                   {State::Armed, "armed"},
                                                                   {State::Cutover, "cutover"},
                                                                   {State::Observe, "observe"},
                                                                   {State::Lost, "lost"},
                                                                   {State::Finalized, "finalized"},
                                                                   {State::Replay, "replay"}}};

std::int64_t momentOf(State state, const std::vector<Event>& events) {
    constexpr std::int64_t INSIDE = 18'000'000;
    switch (state) {
    case State::Preflight:
        return test::phaseTime(events, Phase::Preflight) + INSIDE;
    case State::Replicate:
        return test::phaseTime(events, Phase::Replicate) + INSIDE;
    case State::Ramp:
    case State::Lost:
        return test::phaseTime(events, Phase::Ramp) + INSIDE;
    case State::Armed:
        return test::phaseTime(events, Phase::Cutover) - 1;
    case State::Cutover:
        return test::phaseTime(events, Phase::Cutover) + 18'000;
    case State::Finalized:
        return events.back().steadyUs;
    case State::Observe:
    case State::Replay:
        break;
    }
    return test::phaseTime(events, Phase::Observe) + INSIDE;
}

QImage rendered(QWidget& window, double ratio) {
    QPixmap pixmap(window.size() * ratio);
    pixmap.setDevicePixelRatio(ratio);
    window.render(&pixmap);
    return pixmap.toImage().convertToFormat(QImage::Format_RGB32);
}

/// Layouts and plots are drawn in turns of the event loop: until two turns show the same.
QImage stillPicture(MainWindow& window, double ratio) {
    QImage last;
    const auto standsStill = [&] {
        window.drawNow();
        const QImage now = rendered(window, ratio);
        return std::exchange(last, now) == now;
    };
    EXPECT_TRUE(QTest::qWaitFor(standsStill, 20'000)) << "the picture never stands still";
    return last;
}

QImage pictureOf(ThemeName theme, double ratio, State state) {
    applyTheme(*qApp, theme);
    test::ManualClock clock; // ages stand still
    const auto events = test::scriptedUpgrade();
    const std::int64_t moment = momentOf(state, events);
    auto source = std::make_shared<test::ScriptedSource>(events);
    MainWindow window(state == State::Replay ? test::replayOf(events, QStringLiteral("shop_upgrade.teal")) : Session{source, {}, {}, {}, "anna", false, "/plans/shop.toml"}, clock);
    window.resize(1100, 700);
    window.show();
    window.start();
    if (state == State::Replay) {
        window.replay()->seek(moment);
    } else {
        source->playTo(moment);
    }
    Snapshot wanted;
    for (const Event& event : events) {
        if (event.steadyUs <= moment) {
            apply(wanted, event);
        }
    }
    EXPECT_TRUE(QTest::qWaitFor([&] { return window.bridge().snapshot().seq == wanted.seq; }, 10'000));
    if (state == State::Armed) {
        window.nextAct()->confirm()->armButton()->click();
        EXPECT_TRUE(window.nextAct()->confirm()->armed());
    } else if (state == State::Lost) {
        source->lose("the connection was closed");
        EXPECT_TRUE(QTest::qWaitFor([&] { return window.bridge().state() == SourceState::Lost; }, 10'000));
    }
    const QImage picture = stillPicture(window, ratio);
    applyTheme(*qApp, ThemeName::Light);
    return picture;
}

constexpr double TOLERANCE = 0.01;

} // namespace

class Golden : public ::testing::TestWithParam<std::tuple<ThemeName, int>> {};

TEST_P(Golden, MainStatesLookAsTheyDid) {
    const QDir folder(QStringLiteral(TEALDECK_SOURCE_DIR "/tests/data/goldens"));
    const auto [theme, ratio] = GetParam();
    for (const auto& [state, stateName] : STATES) {
        const QString name = QStringLiteral("%1-%2-dpr%3.png").arg(QString::fromLatin1(stateName), QString::fromLatin1(themeId(theme))).arg(ratio);
        const QImage now = pictureOf(theme, ratio, state);
        if (qEnvironmentVariable("TEALDECK_GOLDENS") == QLatin1String("write")) {
            ASSERT_TRUE(folder.mkpath(QStringLiteral(".")) && now.save(folder.filePath(name), "PNG", 0));
        }
        const QImage golden(folder.filePath(name));
        ASSERT_FALSE(golden.isNull()) << name.toStdString();
        EXPECT_LT(difference(now, golden), TOLERANCE) << name.toStdString();
    }
}

INSTANTIATE_TEST_SUITE_P(Each, Golden, ::testing::Combine(::testing::Values(ThemeName::Light, ThemeName::Dark), ::testing::Values(1, 2)));

TEST(GoldenDifference, AnotherStateIsSeenAsAnother) {
    const QImage ramp = pictureOf(ThemeName::Light, 1, State::Ramp);
    EXPECT_LT(difference(ramp, pictureOf(ThemeName::Light, 1, State::Ramp)), TOLERANCE);
    EXPECT_GT(difference(ramp, pictureOf(ThemeName::Light, 1, State::Observe)), TOLERANCE);
    EXPECT_GT(difference(ramp, pictureOf(ThemeName::Dark, 1, State::Ramp)), 0.5);
    QImage withoutTheAbort = ramp; // a missing part of the window, as a mistake in a layout would leave it
    for (int y = 30; y < 80; ++y) {
        for (int x = 750; x < 1080; ++x) {
            withoutTheAbort.setPixel(x, y, ramp.pixel(2, 40));
        }
    }
    EXPECT_GT(difference(ramp, withoutTheAbort), 0);
}
