// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/tokens.h"

#include <algorithm>
#include <cmath>

namespace tealdeck {
namespace {

struct Row {
    QColor Tokens::*token;
    std::array<const char*, THEMES.size()> colours;
};

// Light and dark: blue and an olive green, apart for the common kinds of colour blindness, and of different lightness in grey print.
// High contrast: white and pure colours on black, marks as bright as text, for who sees little and for bad screens.
// Colour-safe: GREEN leans to teal, alarms to vermilion and ochre, pairs that stay apart without red or green cones.
constexpr std::array<Row, 19> ROWS = {{
    //                   light      dark       high contrast  colour-safe
    {&Tokens::window, {"#F1F3F4", "#14171A", "#000000", "#F2F2EF"}},
    {&Tokens::surface, {"#FFFFFF", "#1B1F23", "#050505", "#FFFFFF"}},
    {&Tokens::raised, {"#E7EAED", "#272C32", "#1C1C1C", "#E8E8E4"}},
    {&Tokens::line, {"#CBD1D6", "#3B434B", "#9A9A9A", "#CBD1D6"}},
    {&Tokens::mark, {"#68727C", "#8A949E", "#FFFFFF", "#68727C"}},
    {&Tokens::text, {"#1A1E22", "#E7EAED", "#FFFFFF", "#1A1E22"}},
    {&Tokens::muted, {"#525C66", "#A9B3BD", "#E0E0E0", "#525C66"}},
    {&Tokens::selection, {"#46525E", "#C3CBD3", "#FFFFFF", "#46525E"}},
    {&Tokens::onSelection, {"#FFFFFF", "#14171A", "#000000", "#FFFFFF"}},
    {&Tokens::focus, {"#1A1E22", "#FFFFFF", "#FFE94A", "#1A1E22"}},
    {&Tokens::blue, {"#2E5C8A", "#8FB8E3", "#A9D4FF", "#0B4F9E"}},
    {&Tokens::blueSoft, {"#E4ECF5", "#1E2B39", "#001428", "#E3EDF8"}},
    {&Tokens::green, {"#55702B", "#B4CC84", "#D7F09A", "#2E6B66"}},
    {&Tokens::greenSoft, {"#EBF1DF", "#28301D", "#131A00", "#E2EFED"}},
    {&Tokens::high, {"#B3261E", "#FF8A80", "#FF9C94", "#8E1400"}},
    {&Tokens::medium, {"#A65300", "#F2AE55", "#FFC368", "#8A6500"}},
    {&Tokens::low, {"#6B4FA0", "#C0ABE8", "#DCC8FF", "#7B4A7F"}},
    {&Tokens::onAlarm, {"#FFFFFF", "#1A0E0C", "#000000", "#FFFFFF"}},
    {&Tokens::hatch, {"#8A939C", "#76808A", "#C8C8C8", "#8A939C"}},
}};

Tokens made(ThemeName theme) {
    Tokens t;
    for (const Row& row : ROWS) {
        t.*row.token = row.colours[static_cast<std::size_t>(theme)];
    }
    return t;
}

double channel(double value) { return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }

double luminance(const QColor& c) { return 0.2126 * channel(c.redF()) + 0.7152 * channel(c.greenF()) + 0.0722 * channel(c.blueF()); }

} // namespace

const Tokens& tokens(ThemeName theme) {
    static const std::array<Tokens, THEMES.size()> all = {made(ThemeName::Light), made(ThemeName::Dark), made(ThemeName::HighContrast), made(ThemeName::ColourSafe)};
    return all[static_cast<std::size_t>(theme)];
}

const char* themeId(ThemeName theme) {
    static constexpr std::array<const char*, THEMES.size()> ids = {"light", "dark", "high-contrast", "colour-safe"};
    return ids[static_cast<std::size_t>(theme)];
}

std::optional<ThemeName> themeFromId(const QString& id) {
    const auto found = std::find_if(THEMES.begin(), THEMES.end(), [&](ThemeName theme) { return id == QLatin1String(themeId(theme)); });
    return found == THEMES.end() ? std::nullopt : std::optional(*found);
}

const Tokens& tokensFor(const QPalette& palette) {
    const QColor window = palette.color(QPalette::Active, QPalette::Window);
    for (const ThemeName theme : THEMES) {
        if (tokens(theme).window == window) { // each theme has a ground of its own
            return tokens(theme);
        }
    }
    return tokens(window.lightness() < 128 ? ThemeName::Dark : ThemeName::Light);
}

QPalette paletteFor(ThemeName theme) {
    const Tokens& t = tokens(theme);
    QPalette p;
    p.setColor(QPalette::Window, t.window);
    p.setColor(QPalette::WindowText, t.text);
    p.setColor(QPalette::Base, t.surface);
    p.setColor(QPalette::AlternateBase, t.window);
    p.setColor(QPalette::Text, t.text);
    p.setColor(QPalette::PlaceholderText, t.muted);
    p.setColor(QPalette::Button, t.raised);
    p.setColor(QPalette::ButtonText, t.text);
    p.setColor(QPalette::BrightText, t.high);
    p.setColor(QPalette::Highlight, t.selection);
    p.setColor(QPalette::HighlightedText, t.onSelection);
    p.setColor(QPalette::ToolTipBase, t.raised);
    p.setColor(QPalette::ToolTipText, t.text);
    p.setColor(QPalette::Link, t.text);
    p.setColor(QPalette::Light, t.raised);
    p.setColor(QPalette::Midlight, t.raised);
    p.setColor(QPalette::Mid, t.line);
    p.setColor(QPalette::Dark, t.mark);
    p.setColor(QPalette::Shadow, t.line);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        p.setColor(QPalette::Disabled, role, t.muted);
    }
    return p;
}

double contrast(const QColor& a, const QColor& b) {
    const double la = luminance(a);
    const double lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

QColor asDeuteranope(const QColor& colour) {
    const double r = channel(colour.redF());
    const double g = channel(colour.greenF());
    const double b = channel(colour.blueF());
    const auto encoded = [](double value) {
        const double v = std::clamp(value, 0.0, 1.0);
        return static_cast<float>(v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055);
    };
    // The paper's two steps, LMS and back, as one matrix on linear RGB.
    const double redGreen = 0.29275 * r + 0.70725 * g;
    return QColor::fromRgbF(encoded(redGreen), encoded(redGreen), encoded(-0.02234 * r + 0.02234 * g + b));
}

double colourDistance(const QColor& a, const QColor& b) {
    const auto lab = [](const QColor& c) {
        const double r = channel(c.redF());
        const double g = channel(c.greenF());
        const double bl = channel(c.blueF());
        const auto f = [](double v) { return v > 0.008856 ? std::cbrt(v) : 7.787 * v + 16.0 / 116; };
        const double x = f((0.4124 * r + 0.3576 * g + 0.1805 * bl) / 0.9505);
        const double y = f(0.2126 * r + 0.7152 * g + 0.0722 * bl);
        const double z = f((0.0193 * r + 0.1192 * g + 0.9505 * bl) / 1.089);
        return std::array{116 * y - 16, 500 * (x - y), 200 * (y - z)};
    };
    const auto p = lab(a);
    const auto q = lab(b);
    return std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

std::vector<TokenPair> pairsInUse(ThemeName theme) {
    const Tokens& t = tokens(theme);
    std::vector<TokenPair> pairs;
    for (const QColor& ground : {t.window, t.surface, t.raised, t.blueSoft, t.greenSoft}) {
        pairs.push_back({"text", t.text, ground, 4.5});
        pairs.push_back({"muted", t.muted, ground, 4.5});
        pairs.push_back({"mark", t.mark, ground, 3.0});
    }
    for (const QColor& ground : {t.window, t.surface}) {
        pairs.push_back({"blue", t.blue, ground, 4.5});
        pairs.push_back({"green", t.green, ground, 4.5});
        pairs.push_back({"high as text", t.high, ground, 4.5});
        pairs.push_back({"medium as text", t.medium, ground, 4.5});
        pairs.push_back({"low as text", t.low, ground, 4.5});
        pairs.push_back({"focus", t.focus, ground, 3.0});
    }
    pairs.push_back({"blue on its own soft ground", t.blue, t.blueSoft, 4.5});
    pairs.push_back({"green on its own soft ground", t.green, t.greenSoft, 4.5});
    pairs.push_back({"letter on blue", t.surface, t.blue, 4.5});
    pairs.push_back({"letter on green", t.surface, t.green, 4.5});
    pairs.push_back({"on high", t.onAlarm, t.high, 4.5});
    pairs.push_back({"on medium", t.onAlarm, t.medium, 4.5});
    pairs.push_back({"on low", t.onAlarm, t.low, 4.5});
    pairs.push_back({"on selection", t.onSelection, t.selection, 4.5});
    return pairs;
}

} // namespace tealdeck
