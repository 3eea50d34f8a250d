// SPDX-License-Identifier: GPL-3.0-or-later
// The window's main states as pictures, compared with those that a person has looked at (tests/data/goldens). After a change of the look:
// TEALDECK_GOLDENS=write widgets_tests --gtest_filter='Golden.*', then look at each of them.
#include "app/console/main_window.h"
#include "tests/widgets/manual_clock.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/theme/theme.h"

#include <QDir>
#include <QImage>
#include <QTest>
#include <gtest/gtest.h>

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

QImage pictureOf(ThemeName theme, double ratio, Phase phase) {
    applyTheme(*qApp, theme);
    test::ManualClock clock; // ages stand still
    const auto events = test::scriptedUpgrade();
    auto source = std::make_shared<test::ScriptedSource>(events);
    MainWindow window({source, {}, {}, {}, "anna", false}, clock);
    window.resize(1100, 700);
    window.show();
    window.start();
    source->playTo(test::phaseTime(events, phase) + 18'000'000);
    EXPECT_TRUE(QTest::qWaitFor([&] { return window.bridge().snapshot().phase == phase; }, 5000));
    window.drawNow();
    QTest::qWait(150); // the queued replot, and a turn for the layout
    QPixmap pixmap(window.size() * ratio);
    pixmap.setDevicePixelRatio(ratio);
    window.render(&pixmap);
    applyTheme(*qApp, ThemeName::Light);
    return pixmap.toImage().convertToFormat(QImage::Format_RGB32);
}

constexpr double TOLERANCE = 0.01;

} // namespace

TEST(Golden, MainStatesLookAsTheyDid) {
    const QDir folder(QStringLiteral(TEALDECK_SOURCE_DIR "/tests/data/goldens"));
    for (const ThemeName theme : {ThemeName::Light, ThemeName::Dark}) {
        for (const double ratio : {1.0, 2.0}) {
            for (const Phase phase : {Phase::Ramp, Phase::Observe}) {
                const QString name = QStringLiteral("%1-%2-dpr%3.png").arg(QString::fromLatin1(phaseName(phase)), QString::fromLatin1(themeId(theme))).arg(ratio);
                const QImage now = pictureOf(theme, ratio, phase);
                if (qEnvironmentVariable("TEALDECK_GOLDENS") == QLatin1String("write")) {
                    ASSERT_TRUE(folder.mkpath(QStringLiteral(".")) && now.save(folder.filePath(name)));
                }
                const QImage golden(folder.filePath(name));
                ASSERT_FALSE(golden.isNull()) << name.toStdString();
                EXPECT_LT(difference(now, golden), TOLERANCE) << name.toStdString();
            }
        }
    }
}

TEST(Golden, AnotherStateIsSeenAsAnother) {
    const QImage ramp = pictureOf(ThemeName::Light, 1, Phase::Ramp);
    EXPECT_LT(difference(ramp, pictureOf(ThemeName::Light, 1, Phase::Ramp)), TOLERANCE);
    EXPECT_GT(difference(ramp, pictureOf(ThemeName::Light, 1, Phase::Observe)), TOLERANCE);
    EXPECT_GT(difference(ramp, pictureOf(ThemeName::Dark, 1, Phase::Ramp)), 0.5);
}
