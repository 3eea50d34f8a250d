// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

#include <gtest/gtest.h>

using namespace tealdeck;

TEST(Theme, EveryPairInUseHasItsContrast) {
    for (const ThemeName theme : THEMES) {
        for (const TokenPair& pair : pairsInUse(theme)) {
            EXPECT_GE(contrast(pair.foreground, pair.background), pair.least)
                << themeId(theme) << ": " << pair.name << ' ' << pair.foreground.name().toStdString() << " on " << pair.background.name().toStdString();
        }
    }
}

TEST(Theme, ContrastIsThatOfWcag) {
    EXPECT_NEAR(contrast(Qt::white, Qt::black), 21.0, 0.01);
    EXPECT_NEAR(contrast(Qt::white, Qt::white), 1.0, 0.01);
    EXPECT_LT(contrast(QColor("#999999"), Qt::white), 4.5); // must fail
}

TEST(Theme, TokensFollowThePalette) {
    for (const ThemeName theme : THEMES) {
        EXPECT_EQ(&tokensFor(paletteFor(theme)), &tokens(theme)) << themeId(theme);
        EXPECT_EQ(themeFromId(QString::fromLatin1(themeId(theme))), theme);
    }
    EXPECT_EQ(themeFromId(QStringLiteral("mauve")), std::nullopt);
}

TEST(Theme, TheColourSafeOneNeedsNoRedAndNoGreenCones) {
    const auto least = [](ThemeName theme) {
        const Tokens& t = tokens(theme);
        const std::array all = {t.blue, t.green, t.high, t.medium, t.low};
        double distance = 1000;
        for (std::size_t a = 0; a < all.size(); ++a) {
            for (std::size_t b = a + 1; b < all.size(); ++b) {
                distance = std::min(distance, colourDistance(asDeuteranope(all[a]), asDeuteranope(all[b])));
            }
        }
        return distance;
    };
    EXPECT_GT(least(ThemeName::ColourSafe), 15);
    EXPECT_LT(least(ThemeName::Light), 10); // the measure tells: there, words and shapes alone tell red from amber
    EXPECT_LT(colourDistance(asDeuteranope(QColor("#B3261E")), asDeuteranope(QColor("#6F6A00"))), colourDistance(QColor("#B3261E"), QColor("#6F6A00")) / 3);
}

TEST(Theme, NamesFromServersStayPlain) {
    EXPECT_EQ(safeText("a\nb"), QStringLiteral("a⏎b"));
    EXPECT_FALSE(safeText("x\xE2\x80\xAEy").contains(QChar(0x202E)));
    EXPECT_EQ(tooltipText(QStringLiteral("<b>x</b>")), QStringLiteral("<span>&lt;b&gt;x&lt;/b&gt;</span>"));
}

TEST(Format, ValuesReadWell) {
    EXPECT_EQ(formatBytes(0), QStringLiteral("0 B"));
    EXPECT_EQ(formatBytes(1536), QStringLiteral("1.5 KiB"));
    EXPECT_EQ(formatSeconds(0.04), QStringLiteral("40 ms"));
    EXPECT_EQ(formatSeconds(1.24), QStringLiteral("1.2 s"));
    EXPECT_EQ(formatDuration(192'000'000), QStringLiteral("3:12"));
    EXPECT_EQ(formatDuration(3'723'000'000), QStringLiteral("1:02:03"));
    EXPECT_EQ(bytesOrUnknown(std::nullopt), QStringLiteral("?"));
}

TEST(Format, PositionsGoThereAndBack) {
    EXPECT_EQ(parsePosition(QStringLiteral("00:12:33.120")), 753'120'000);
    EXPECT_EQ(parsePosition(QStringLiteral("12:33")), 753'000'000);
    EXPECT_EQ(formatPosition(753'120'000), QStringLiteral("00:12:33.120"));
    for (const char* wrong : {"", "12", "1:99", "-1:00", "a:b", "00:61:00"}) {
        EXPECT_FALSE(parsePosition(QString::fromLatin1(wrong)).has_value()) << wrong;
    }
}
