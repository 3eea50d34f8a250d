// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/tokens.h"

#include <algorithm>
#include <cmath>

namespace tealdeck {
namespace {

// Blue and an olive green: apart for the common kinds of colour blindness, and of different lightness in grey print.
Tokens lightTokens() {
    Tokens t;
    t.window = "#F1F3F4";
    t.surface = "#FFFFFF";
    t.raised = "#E7EAED";
    t.line = "#CBD1D6";
    t.mark = "#68727C";
    t.text = "#1A1E22";
    t.muted = "#525C66";
    t.selection = "#46525E";
    t.onSelection = "#FFFFFF";
    t.focus = "#1A1E22";
    t.blue = "#2E5C8A";
    t.blueSoft = "#E4ECF5";
    t.green = "#55702B";
    t.greenSoft = "#EBF1DF";
    t.high = "#B3261E";
    t.medium = "#A65300";
    t.low = "#6B4FA0";
    t.onAlarm = "#FFFFFF";
    t.hatch = "#8A939C";
    return t;
}

Tokens darkTokens() {
    Tokens t;
    t.window = "#14171A";
    t.surface = "#1B1F23";
    t.raised = "#272C32";
    t.line = "#3B434B";
    t.mark = "#8A949E";
    t.text = "#E7EAED";
    t.muted = "#A9B3BD";
    t.selection = "#C3CBD3";
    t.onSelection = "#14171A";
    t.focus = "#FFFFFF";
    t.blue = "#8FB8E3";
    t.blueSoft = "#1E2B39";
    t.green = "#B4CC84";
    t.greenSoft = "#28301D";
    t.high = "#FF8A80";
    t.medium = "#F2AE55";
    t.low = "#C0ABE8";
    t.onAlarm = "#1A0E0C";
    t.hatch = "#76808A";
    return t;
}

/// White and pure colours on black, marks as bright as text: for who sees little, and for bad screens.
Tokens highContrastTokens() {
    Tokens t;
    t.window = "#000000";
    t.surface = "#050505";
    t.raised = "#1C1C1C";
    t.line = "#9A9A9A";
    t.mark = "#FFFFFF";
    t.text = "#FFFFFF";
    t.muted = "#E0E0E0";
    t.selection = "#FFFFFF";
    t.onSelection = "#000000";
    t.focus = "#FFE94A";
    t.blue = "#A9D4FF";
    t.blueSoft = "#001428";
    t.green = "#D7F09A";
    t.greenSoft = "#131A00";
    t.high = "#FF9C94";
    t.medium = "#FFC368";
    t.low = "#DCC8FF";
    t.onAlarm = "#000000";
    t.hatch = "#C8C8C8";
    return t;
}

/// GREEN leans to teal, alarms to vermilion and ochre: pairs that stay apart without red or green cones.
Tokens colourSafeTokens() {
    Tokens t = lightTokens();
    t.window = "#F2F2EF";
    t.raised = "#E8E8E4";
    t.blue = "#0B4F9E";
    t.blueSoft = "#E3EDF8";
    t.green = "#2E6B66";
    t.greenSoft = "#E2EFED";
    t.high = "#8E1400";
    t.medium = "#8A6500";
    t.low = "#7B4A7F";
    return t;
}

double channel(double value) { return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }

double luminance(const QColor& c) { return 0.2126 * channel(c.redF()) + 0.7152 * channel(c.greenF()) + 0.0722 * channel(c.blueF()); }

} // namespace

const Tokens& tokens(ThemeName theme) {
    static const std::array<Tokens, THEMES.size()> all = {lightTokens(), darkTokens(), highContrastTokens(), colourSafeTokens()};
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
