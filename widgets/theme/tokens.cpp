// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/tokens.h"

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

double channel(double value) { return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }

double luminance(const QColor& c) { return 0.2126 * channel(c.redF()) + 0.7152 * channel(c.greenF()) + 0.0722 * channel(c.blueF()); }

} // namespace

const Tokens& tokens(ThemeName theme) {
    static const Tokens light = lightTokens();
    static const Tokens dark = darkTokens();
    return theme == ThemeName::Dark ? dark : light;
}

const Tokens& tokensFor(const QPalette& palette) {
    return tokens(palette.color(QPalette::Active, QPalette::Window).lightness() < 128 ? ThemeName::Dark : ThemeName::Light);
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
