// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/lag_plots.h"

#include "widgets/plot/plot_canvas.h"
#include "widgets/theme/theme.h"

#include <QBuffer>
#include <QKeyEvent>
#include <QSvgGenerator>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace tealdeck {

LagPlots::LagPlots(QWidget* parent) : QWidget(parent), m_impl(std::make_unique<PlotCanvas>()) {
    setAccessibleName(tr("Lag and load plots"));
    setFocusPolicy(Qt::StrongFocus);
    setMinimumHeight(static_cast<int>(PLOTS.size() / 2) * 66); // rows that can still be read
    m_impl->build(this);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(1, 1, 1, 1);
    layout->addWidget(m_impl->plot);
    m_impl->colour(tokensFor(palette()), font());
    m_throttle.setSingleShot(true);
    m_throttle.setInterval(100); // at most 10 frames a second
    connect(&m_throttle, &QTimer::timeout, this, &LagPlots::drawNow);
    connect(m_impl->plot, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
        m_impl->moveCursor(event->position().x());
        m_impl->titles(m_series, m_now.steadyUs);
        m_impl->plot->layer(QStringLiteral("overlay"))->replot();
    });
}

LagPlots::~LagPlots() = default;

void LagPlots::setSeries(const SeriesStore* series) {
    m_series = series;
    changed();
}

void LagPlots::setMarks(std::vector<PlotMark> marks) {
    m_impl->marks = std::move(marks);
    changed();
}

void LagPlots::setSpan(std::int64_t spanUs) {
    m_spanUs = std::clamp<std::int64_t>(spanUs, 10'000'000, 7LL * 86'400'000'000);
    changed();
}

void LagPlots::update(const Snapshot& snapshot, const ViewTime& now) {
    m_impl->snapshot.metrics = snapshot.metrics;
    m_now = now;
    changed();
}

void LagPlots::changed() {
    if (!m_throttle.isActive() && isVisible()) {
        m_throttle.start();
    }
}

void LagPlots::drawNow() {
    const std::int64_t to = std::max<std::int64_t>(m_now.steadyUs, 1'000'000);
    const std::int64_t from = std::max<std::int64_t>(0, to - m_spanUs);
    m_impl->refill(m_series, from, m_now.steadyUs, std::max(to, from + 30'000'000));
    m_impl->titles(m_series, m_now.steadyUs);
    m_impl->drawMarks(tokensFor(palette()), font(), from, to);
    m_impl->plot->replot(QCustomPlot::rpQueuedReplot);
    QStringList words;
    for (const Plot& p : m_impl->plots) {
        words << p.title->text();
    }
    setAccessibleDescription(words.join(QStringLiteral("; ")));
}

void LagPlots::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
        m_impl->colour(tokensFor(palette()), font());
        changed();
    }
    QWidget::changeEvent(event);
}

std::int64_t LagPlots::newestDrawnUs() const {
    double newest = -1;
    for (const Plot& p : m_impl->plots) {
        for (const QCPGraph* curve : p.curves) {
            newest = curve->dataCount() > 0 ? std::max(newest, curve->dataMainKey(curve->dataCount() - 1)) : newest;
        }
    }
    return newest < 0 ? -1 : static_cast<std::int64_t>(std::llround(newest * 1e6));
}

QByteArray LagPlots::asPng() {
    drawNow();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    m_impl->plot->toPixmap(0, 0, 2).save(&buffer, "PNG"); // twice as fine as the screen: it may be printed
    return bytes;
}

QByteArray LagPlots::asSvg() {
    drawNow();
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator svg;
    svg.setOutputDevice(&buffer);
    svg.setSize(m_impl->plot->size());
    svg.setViewBox(m_impl->plot->rect());
    svg.setTitle(tr("Lag and load plots"));
    QCPPainter painter;
    if (painter.begin(&svg)) {
        painter.setMode(QCPPainter::pmVectorized);
        m_impl->plot->toPainter(&painter);
        painter.end();
    }
    return bytes;
}

QByteArray LagPlots::asCsv() const {
    QByteArray csv = "seconds,metric,value\r\n";
    const std::int64_t from = std::max<std::int64_t>(0, m_now.steadyUs - m_spanUs);
    for (const PlotSpec& spec : PLOTS) {
        for (const CurveSpec& curve : spec.curves) {
            const Series* series = m_series != nullptr ? m_series->find(curve.metric) : nullptr;
            if (series == nullptr) {
                continue;
            }
            for (const Series::Sample& sample : series->samples()) {
                if (sample.timeUs >= from && sample.timeUs <= m_now.steadyUs) {
                    csv += QByteArray::number(static_cast<double>(sample.timeUs) / 1e6, 'f', 6) + ',' + curve.metric + ',';
                    csv += std::isnan(sample.value) ? QByteArray() : QByteArray::number(sample.value, 'g', 12); // empty: unknown
                    csv += "\r\n";
                }
            }
        }
    }
    return csv;
}

void LagPlots::resizeEvent(QResizeEvent*) {
    changed();
}

void LagPlots::showEvent(QShowEvent*) {
    changed();
}

void LagPlots::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Plus) {
        setSpan(m_spanUs / 2);
    } else if (event->key() == Qt::Key_Minus) {
        setSpan(m_spanUs * 2);
    } else {
        QWidget::keyPressEvent(event);
    }
}

} // namespace tealdeck
