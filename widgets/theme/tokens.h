// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QColor>
#include <QPalette>
#include <QString>

#include <array>
#include <optional>
#include <vector>

namespace tealdeck {

/// An environment keeps its name, letter, hatch and hue for ever; none of them ever means a status.
enum class Env { Blue, Green };

/// ColourSafe keeps alarms and identities apart for people who see no difference between red and green.
enum class ThemeName { Light, Dark, HighContrast, ColourSafe };
inline constexpr std::array THEMES = {ThemeName::Light, ThemeName::Dark, ThemeName::HighContrast, ThemeName::ColourSafe};
const char* themeId(ThemeName theme); ///< "light", "dark", "high-contrast", "colour-safe": command line and settings
std::optional<ThemeName> themeFromId(const QString& id);

/// Every colour that the console draws with. Normal is neutral; the saturated ones are alarms alone.
struct Tokens {
    QColor window;
    QColor surface;
    QColor raised;
    QColor line;
    QColor mark; ///< outlines and glyphs that carry meaning: 3:1 at least
    QColor text;
    QColor muted;
    QColor selection;
    QColor onSelection;
    QColor focus;
    QColor blue;
    QColor blueSoft;
    QColor green;
    QColor greenSoft;
    QColor high;
    QColor medium;
    QColor low;
    QColor onAlarm; ///< text on one of the three alarm fills
    QColor hatch;   ///< lines over stale and unknown values

    [[nodiscard]] QColor env(Env which) const { return which == Env::Blue ? blue : green; }
    [[nodiscard]] QColor envSoft(Env which) const { return which == Env::Blue ? blueSoft : greenSoft; }
};

const Tokens& tokens(ThemeName theme);
/// The tokens that belong to a palette made by paletteFor(): a widget finds its colours without any global.
const Tokens& tokensFor(const QPalette& palette);
QPalette paletteFor(ThemeName theme);

/// WCAG contrast ratio, 1 to 21.
double contrast(const QColor& a, const QColor& b);
/// What a colour looks like without green-sensitive cones (the common kind of colour blindness; Viénot, Brettel and Mollon 1999).
QColor asDeuteranope(const QColor& colour);
/// Distance of two colours as eyes feel it (CIE76 in L*a*b*); below about 10 they are easily taken for each other.
double colourDistance(const QColor& a, const QColor& b);

/// A pair that is drawn on top of each other, and the least contrast it must have.
struct TokenPair {
    const char* name;
    QColor foreground;
    QColor background;
    double least;
};
std::vector<TokenPair> pairsInUse(ThemeName theme);

/// Distances in device-independent pixels, multiples of four.
namespace spacing {
inline constexpr int TINY = 4;
inline constexpr int SMALL = 8;
inline constexpr int MEDIUM = 12;
inline constexpr int LARGE = 16;
} // namespace spacing

} // namespace tealdeck
