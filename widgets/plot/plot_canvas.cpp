// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_canvas.h"

#include "widgets/theme/theme.h"

#include <cmath>

namespace tealdeck {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("LagPlots", text);
}

/// Ticks that read as bytes or seconds instead of powers of ten.
class UnitTicker final : public QCPAxisTicker {
  public:
    explicit UnitTicker(Unit unit) : m_unit(unit) { setTickCount(3); }

  protected:
    QString getTickLabel(double tick, const QLocale&, QChar, int) override {
        return tick < 0 ? QString() : tick == 0 ? QStringLiteral("0") : valueText(tick, m_unit);
    }
    double getTickStep(const QCPRange& range) override {
        if (m_unit != Unit::Bytes) {
            return QCPAxisTicker::getTickStep(range);
        }
        const double exact = range.size() / 3;
        const double power = std::pow(2.0, std::round(std::log2(std::max(exact, 1.0))));
        return power;
    }

  private:
    Unit m_unit;
};

/// Room for the topmost tick while nothing is measured, so that noise does not fill the plot.
double leastTop(Unit unit) {
    switch (unit) {
    case Unit::Bytes:
        return 64 * 1024;
    case Unit::Seconds:
        return 0.1;
    case Unit::Percent:
        return 1;
    default:
        return 10;
    }
}

/// Every second row: one is always in sight, also where the plots are scrolled.
bool hasTimeLabels(std::size_t plot) {
    return plot / 2 % 2 == 1;
}

/// Known values as a line; an unknown stretch breaks it. Of a column the end that is nearer to the line comes first: half as much to draw.
/// Lines that lie side by side gain nothing by being smoothed, and cost most of a frame.
void fill(QCPGraph* graph, const Series* series, std::int64_t from, std::int64_t to, int columns) {
    QVector<double> keys;
    QVector<double> values;
    const std::vector<SeriesColumn> drawn = series != nullptr ? series->columns(from, to, columns) : std::vector<SeriesColumn>();
    keys.reserve(static_cast<int>(drawn.size()) * 2);
    values.reserve(static_cast<int>(drawn.size()) * 2);
    for (const SeriesColumn& c : drawn) {
        const double key = static_cast<double>(c.timeUs) / 1e6;
        const bool isSpan = c.high != c.low && !std::isnan(c.high);
        const bool falls = isSpan && !values.isEmpty() && std::abs(values.back() - c.high) < std::abs(values.back() - c.low);
        keys << key;
        values << (falls ? c.high : c.low);
        if (isSpan) {
            keys << key;
            values << (falls ? c.low : c.high);
        }
    }
    graph->setAntialiased(values.size() < columns);
    graph->setData(keys, values, true);
}

} // namespace

void PlotCanvas::build(QWidget* parent) {
    plot = new QCustomPlot(parent);
    plot->setAccessibleName(tr("Lag and load plots"));
    plot->setFocusPolicy(Qt::NoFocus);
    plot->setNoAntialiasingOnDrag(true);
    plot->plotLayout()->clear();
    plot->plotLayout()->setRowSpacing(2);
    plot->plotLayout()->setColumnSpacing(4);
    // Cursor and marks are drawn on a buffer of their own: moving them costs no redraw of the curves.
    plot->addLayer(QStringLiteral("marks"), plot->layer(QStringLiteral("main")), QCustomPlot::limAbove);
    plot->layer(QStringLiteral("marks"))->setMode(QCPLayer::lmBuffered);
    plot->layer(QStringLiteral("overlay"))->setMode(QCPLayer::lmBuffered);
    for (std::size_t i = 0; i < PLOTS.size(); ++i) {
        buildPlot(i);
    }
    auto* group = new QCPMarginGroup(plot);
    for (Plot& p : plots) {
        p.rect->setMarginGroup(QCP::msLeft, group);
    }
    empty = new QCPItemText(plot);
    empty->position->setType(QCPItemPosition::ptViewportRatio);
    empty->position->setCoords(0.5, 0.5);
    empty->setText(tr("No samples yet. They begin when the engine talks to the servers."));
    empty->setClipToAxisRect(false);
}

void PlotCanvas::buildPlot(std::size_t i) {
    Plot& p = plots[i];
    p.rect = new QCPAxisRect(plot);
    plot->plotLayout()->addElement(static_cast<int>(i / 2), static_cast<int>(i % 2), p.rect);
    QCPAxis* x = p.rect->axis(QCPAxis::atBottom);
    QCPAxis* y = p.rect->axis(QCPAxis::atLeft);
    QSharedPointer<QCPAxisTickerTime> time(new QCPAxisTickerTime);
    time->setTimeFormat(QStringLiteral("%m:%s"));
    time->setTickCount(4);
    x->setTicker(time);
    x->setTickLabels(hasTimeLabels(i));
    y->setTicker(QSharedPointer<QCPAxisTicker>(new UnitTicker(PLOTS[i].unit)));
    p.rect->setMinimumMargins(QMargins(4, 4, 8, hasTimeLabels(i) ? 4 : 2));
    for (std::size_t c = 0; c < p.curves.size(); ++c) {
        p.curves[c] = plot->addGraph(x, y);
        p.curves[c]->setAdaptiveSampling(false); // the series is drawn by columns already
    }
    const auto line = [&](const char* layer) {
        auto* item = new QCPItemStraightLine(plot);
        item->setLayer(QLatin1String(layer));
        for (QCPItemPosition* position : {item->point1, item->point2}) {
            position->setAxes(x, y);
            position->setAxisRect(p.rect);
        }
        item->setClipAxisRect(p.rect);
        item->setVisible(false);
        return item;
    };
    p.limit = line("marks");
    p.cursor = line("overlay");
    p.title = new QCPItemText(plot);
    p.title->setLayer(QStringLiteral("overlay"));
    p.title->setClipToAxisRect(false);
    p.title->position->setType(QCPItemPosition::ptAxisRectRatio);
    p.title->position->setAxisRect(p.rect);
    p.title->position->setCoords(0, 0);
    p.title->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    p.title->setPadding(QMargins(4, 1, 4, 1));
}

void PlotCanvas::colour(const Tokens& t, const QFont& font) {
    plot->setBackground(t.surface);
    empty->setColor(t.muted);
    empty->setFont(font);
    for (std::size_t i = 0; i < plots.size(); ++i) {
        colourPlot(plots[i], PLOTS[i], t, font);
    }
}

void PlotCanvas::colourPlot(Plot& p, const PlotSpec& spec, const Tokens& t, const QFont& font) {
    const QFont small = scaledFont(font, 0.82);
    for (const QCPAxis::AxisType type : {QCPAxis::atBottom, QCPAxis::atLeft, QCPAxis::atTop, QCPAxis::atRight}) {
        QCPAxis* axis = p.rect->axis(type);
        if (axis == nullptr) {
            continue;
        }
        axis->setBasePen(QPen(t.line, 1));
        axis->setTickPen(QPen(t.line, 1));
        axis->setSubTickPen(Qt::NoPen);
        axis->setTickLabelColor(t.muted);
        axis->setTickLabelFont(small);
        axis->grid()->setPen(QPen(t.line, 1, Qt::DotLine));
        axis->grid()->setZeroLinePen(QPen(t.line, 1));
    }
    for (std::size_t c = 0; c < p.curves.size(); ++c) {
        const CurveSpec& curve = spec.curves[c];
        const QColor ink = curve.ink == Ink::Blue ? t.blue : curve.ink == Ink::Green ? t.green : t.text;
        p.curves[c]->setPen(QPen(ink, 1, curve.dashed ? Qt::DashLine : Qt::SolidLine)); // width 1: wider is 20 times slower
    }
    p.limit->setPen(QPen(t.high, 1, Qt::DashDotLine));
    p.cursor->setPen(QPen(t.mark, 1));
    p.title->setFont(scaledFont(font, 0.85, QFont::DemiBold));
    p.title->setColor(t.text);
    QColor ground = t.surface;
    ground.setAlpha(225);
    p.title->setBrush(ground);
}

void PlotCanvas::refill(const SeriesStore* series, std::int64_t from, std::int64_t now, std::int64_t to) {
    bool any = false;
    for (std::size_t i = 0; i < plots.size(); ++i) {
        Plot& p = plots[i];
        const int columns = std::max(50, p.rect->width());
        p.rect->axis(QCPAxis::atBottom)->ticker()->setTickCount(std::clamp(p.rect->width() / 70, 2, 5));
        for (std::size_t c = 0; c < p.curves.size(); ++c) {
            fill(p.curves[c], series != nullptr ? series->find(PLOTS[i].curves[c].metric) : nullptr, from, now, columns);
            any = any || p.curves[c]->dataCount() > 0;
        }
        p.rect->axis(QCPAxis::atBottom)->setRange(static_cast<double>(from) / 1e6, static_cast<double>(to) / 1e6);
        scale(p, PLOTS[i], from, to);
    }
    empty->setVisible(!any);
}

void PlotCanvas::scale(Plot& p, const PlotSpec& spec, std::int64_t from, std::int64_t to) {
    double top = leastTop(spec.unit);
    for (QCPGraph* curve : p.curves) {
        bool found = false;
        const QCPRange range =
            curve->getValueRange(found, QCP::sdBoth, QCPRange(static_cast<double>(from) / 1e6, static_cast<double>(to) / 1e6));
        top = found ? std::max(top, range.upper) : top;
    }
    const auto limit = snapshot.metrics.find(spec.limitMetric);
    const bool known = limit != snapshot.metrics.end() && limit->second.value;
    p.limit->setVisible(known);
    if (known) {
        p.limit->point1->setCoords(0, *limit->second.value);
        p.limit->point2->setCoords(1, *limit->second.value);
        top = std::max(top, *limit->second.value * 1.1);
    }
    p.rect->axis(QCPAxis::atLeft)->setRange(0, top * 1.35); // the title's room
}

void PlotCanvas::titles(const SeriesStore* series, std::int64_t now) {
    for (std::size_t i = 0; i < plots.size(); ++i) {
        const bool narrow = plots[i].rect->width() < plots[i].title->font().pointSizeF() * 32;
        QStringList parts{tr(narrow ? PLOTS[i].shortTitle : PLOTS[i].title)};
        for (const CurveSpec& curve : PLOTS[i].curves) {
            const Series* s = series != nullptr ? series->find(curve.metric) : nullptr;
            const Series::Sample* sample = s != nullptr ? s->at(cursorUs >= 0 ? std::min(cursorUs, now) : now) : nullptr;
            if (sample == nullptr) {
                continue;
            }
            const bool stale = cursorUs < 0 && now - sample->timeUs > staleness::METRIC_US;
            const QString value = std::isnan(sample->value) ? unknownMark() : valueText(sample->value, PLOTS[i].unit);
            parts << QStringLiteral("%1 %2 %3%4")
                         .arg(curve.dashed ? QStringLiteral("┄") : QStringLiteral("─"), QString::fromUtf8(curve.label), value,
                              stale ? tr(" STALE") : QString());
        }
        if (parts.size() == 1) {
            parts << tr("no samples yet");
        }
        plots[i].title->setText(parts.join(QStringLiteral("   ")));
    }
}

std::vector<PlotCanvas::MarkLabel> PlotCanvas::labelsOf(const QFontMetricsF& metrics, std::int64_t from, std::int64_t to) const {
    const QCPAxis* axis = plots[0].rect->axis(QCPAxis::atBottom);
    const double room = plots[0].rect->height() * 0.94;
    std::vector<MarkLabel> labels;
    double lastX = -1e9;
    std::size_t labelled = 0;
    QStringList shared; // near moments share one line of text
    for (const PlotMark& mark : marks) {
        if (mark.timeUs <= from || mark.timeUs > to) {
            continue;
        }
        const double x = axis->coordToPixel(static_cast<double>(mark.timeUs) / 1e6);
        labels.push_back({mark.timeUs, {}});
        if (labels.size() == 1 || x - lastX >= metrics.height()) {
            lastX = x;
            labelled = labels.size() - 1;
            shared.clear();
        }
        shared << mark.text;
        const QString all = shared.join(QStringLiteral(" · "));
        const bool fits = shared.size() == 1 || metrics.horizontalAdvance(all) <= room;
        labels[labelled].text = fits ? all : QStringLiteral("%1 +%2").arg(mark.text).arg(shared.size() - 1);
    }
    return labels;
}

void PlotCanvas::drawMarks(const Tokens& t, const QFont& font, std::int64_t from, std::int64_t to) {
    for (QCPAbstractItem* item : markItems) {
        plot->removeItem(item);
    }
    markItems.clear();
    const std::vector<MarkLabel> labels = labelsOf(QFontMetricsF(scaledFont(font, 0.75)), from, to);
    for (const MarkLabel& mark : labels) {
        const double x = static_cast<double>(mark.timeUs) / 1e6;
        for (std::size_t i = 0; i < plots.size(); ++i) {
            auto* line = new QCPItemStraightLine(plot);
            line->setLayer(QStringLiteral("marks"));
            for (QCPItemPosition* position : {line->point1, line->point2}) {
                position->setAxes(plots[i].rect->axis(QCPAxis::atBottom), plots[i].rect->axis(QCPAxis::atLeft));
                position->setAxisRect(plots[i].rect);
            }
            line->setClipAxisRect(plots[i].rect);
            line->point1->setCoords(x, 0);
            line->point2->setCoords(x, 1);
            line->setPen(QPen(t.mark, 1, Qt::DashLine));
            markItems.push_back(line);
            if (i >= 2 || mark.text.isEmpty()) {
                continue;
            }
            auto* label = new QCPItemText(plot);
            label->setLayer(QStringLiteral("marks"));
            label->setText(mark.text);
            label->setFont(scaledFont(font, 0.75));
            label->setColor(t.muted);
            label->setRotation(-90);
            label->position->setTypeX(QCPItemPosition::ptPlotCoords);
            label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
            label->position->setAxes(plots[i].rect->axis(QCPAxis::atBottom), plots[i].rect->axis(QCPAxis::atLeft));
            label->position->setAxisRect(plots[i].rect);
            label->position->setCoords(x, 0.97);
            label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
            label->setClipAxisRect(plots[i].rect);
            markItems.push_back(label);
        }
    }
}

void PlotCanvas::moveCursor(double x) {
    cursorUs = -1;
    for (const Plot& p : plots) {
        if (x >= p.rect->left() && x <= p.rect->right()) {
            cursorUs = static_cast<std::int64_t>(p.rect->axis(QCPAxis::atBottom)->pixelToCoord(x) * 1e6);
        }
    }
    for (Plot& p : plots) {
        p.cursor->setVisible(cursorUs >= 0);
        p.cursor->point1->setCoords(static_cast<double>(cursorUs) / 1e6, 0);
        p.cursor->point2->setCoords(static_cast<double>(cursorUs) / 1e6, 1);
    }
}

} // namespace tealdeck
