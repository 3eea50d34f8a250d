// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/theme/tokens.h"

#include <QString>

#include <optional>

namespace tealdeck {

/// What the command line asks for.
struct Options {
    QString socket;
    QString engineCommand; ///< a program that speaks for an engine on its standard streams
    QString plan;
    QString replay;
    std::optional<std::int64_t> atUs; ///< replay: where to begin
    bool observer = false;
    std::optional<ThemeName> theme;
    QString language; ///< "en" or "de"; empty: the settings', else the machine's
    QString actor;
    QString report; ///< replay: write a PDF here and end
    QString grab;     ///< save one picture here and end
    int grabAfterMs = 2000;
    QString pictures; ///< folder for pictures of the main moments
    int width = 0;    ///< 0: as last time
    int height = 0;

    /// Pictures are made the same everywhere: nothing is read from or kept in the user's settings.
    [[nodiscard]] bool headless() const { return !grab.isEmpty() || !pictures.isEmpty() || !report.isEmpty(); }
};

} // namespace tealdeck
