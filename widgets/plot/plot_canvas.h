// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Only the .cpp files of this folder include this: QCustomPlot is a long read for the compiler.
#include "widgets/plot/lag_plots.h"
#include "widgets/plot/plot_spec.h"
#include "widgets/theme/tokens.h"

#include <array>
#include <qcustomplot.h>

namespace tealdeck {

/// One of the plots with what is drawn in it.
struct Plot {
    QCPAxisRect* rect = nullptr;
    std::array<QCPGraph*, 2> curves{};
    QCPItemStraightLine* limit = nullptr;
    QCPItemText* title = nullptr;
    QCPItemStraightLine* cursor = nullptr;
};

/// The drawing inside of LagPlots.
struct PlotCanvas {
    QCustomPlot* plot = nullptr;
    std::array<Plot, PLOTS.size()> plots;
    std::vector<PlotMark> marks;
    std::vector<QCPAbstractItem*> markItems;
    QCPItemText* empty = nullptr;
    std::int64_t cursorUs = -1;
    Snapshot snapshot;

    void build(QWidget* parent);
    void colour(const Tokens& t, const QFont& font);
    /// Draws samples up to `now` alone: a replay holds the future too, and must not show it.
    void refill(const SeriesStore* series, std::int64_t from, std::int64_t now, std::int64_t to);
    void titles(const SeriesStore* series, std::int64_t now);
    void drawMarks(const Tokens& t, const QFont& font, std::int64_t from, std::int64_t to);
    void moveCursor(double x);

  private:
    struct MarkLabel {
        std::int64_t timeUs;
        QString text; ///< empty: told by the label before it
    };
    void buildPlot(std::size_t i);
    void colourPlot(Plot& p, const PlotSpec& spec, const Tokens& t, const QFont& font);
    void scale(Plot& p, const PlotSpec& spec, std::int64_t from, std::int64_t to);
    [[nodiscard]] std::vector<MarkLabel> labelsOf(const QFontMetricsF& metrics, std::int64_t from, std::int64_t to) const;
};

} // namespace tealdeck
