// SPDX-License-Identifier: GPL-3.0-or-later
// Measures the plots: plot_bench; prints one JSON object with medians in milliseconds. Used by tests/perf/run. Draws without a screen.
#include "core/util/json.h"
#include "widgets/plot/lag_plots.h"
#include "widgets/plot/plot_spec.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <qcustomplot.h>
#include <random>

using namespace tealdeck;

namespace {

constexpr std::int64_t SECOND = 1'000'000;
constexpr int DAY = 86'400;
constexpr int POINTS = 10'000'000;
constexpr int REPEATS = 15;
constexpr int WIDTH = 1600;

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// What one turn takes: by the clock, and of the processor's time, which other work on the machine does not change.
struct Cost {
    double ms = 0;
    double cpuMs = 0;
};

double cpuNowMs() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

template <class What>
Cost medianCost(What what) {
    std::vector<double> ms;
    std::vector<double> cpuMs;
    for (int i = 0; i < REPEATS; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        const double cpu = cpuNowMs();
        what(i);
        cpuMs.push_back(cpuNowMs() - cpu);
        ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    return {median(ms), median(cpuMs)};
}

/// All curves of the window over a day at 1 Hz, drawn as a live window does.
Cost liveFrame() {
    SeriesStore store;
    std::mt19937 random(1);
    for (int second = 0; second < DAY; ++second) {
        Json values = Json::object();
        for (const PlotSpec& spec : PLOTS) {
            for (const CurveSpec& curve : spec.curves) {
                values[curve.metric] = static_cast<double>(random() % 100'000);
            }
        }
        store.apply({static_cast<std::uint64_t>(second) + 1, second * SECOND, 0, EventKind::Metrics, "engine", {{"values", values}}});
    }
    LagPlots plots;
    plots.resize(WIDTH, 500); // eight plots with sixteen curves
    plots.setSeries(&store);
    plots.setSpan(DAY * SECOND);
    plots.show();
    QApplication::processEvents();
    return medianCost([&](int i) {
        plots.update(Snapshot(), {(DAY - REPEATS + i) * SECOND, 0});
        plots.drawNow();
        QApplication::processEvents(); // the queued replot
    });
}

struct Pyramid {
    Cost ours;
    Cost plain;
};

/// Panning and zooming over ten million points: through the pyramid, and as QCustomPlot does by itself with adaptive sampling.
Pyramid pyramid() {
    Series series;
    QVector<QCPGraphData> data;
    data.reserve(POINTS);
    std::mt19937 random(2);
    double value = 0;
    for (int i = 0; i < POINTS; ++i) {
        value += static_cast<double>(random() % 201) - 100;
        series.append(i * SECOND, value);
        data.push_back({static_cast<double>(i), value});
    }
    const auto span = [](int i) { return std::pair(POINTS / 100.0 * i, POINTS - POINTS / 50.0 * i); }; // narrower and further each time
    QCustomPlot plot;
    plot.resize(WIDTH, 500);
    QCPGraph* graph = plot.addGraph();
    graph->setAdaptiveSampling(true);
    plot.yAxis->setRange(-500'000, 500'000);
    Pyramid found;
    found.ours = medianCost([&](int i) {
        const auto [from, to] = span(i);
        QVector<double> keys;
        QVector<double> values;
        for (const SeriesColumn& column : series.columns(static_cast<std::int64_t>(from) * SECOND, static_cast<std::int64_t>(to) * SECOND, WIDTH)) {
            const double key = static_cast<double>(column.timeUs) / SECOND;
            const bool falls = !values.isEmpty() && std::abs(values.back() - column.high) < std::abs(values.back() - column.low);
            keys << key << key;
            values << (falls ? column.high : column.low) << (falls ? column.low : column.high);
        }
        graph->setData(keys, values, true);
        plot.xAxis->setRange(from, to);
        plot.replot();
    });
    graph->data()->set(data, true);
    found.plain = medianCost([&](int i) {
        const auto [from, to] = span(i);
        plot.xAxis->setRange(from, to);
        plot.replot();
    });
    return found;
}

} // namespace

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    applyTheme(application, ThemeName::Light);
    const Cost frame = liveFrame();
    const Pyramid redraw = pyramid();
    const Json found = {{"live_frame_ms", frame.ms},     {"live_frame_cpu_ms", frame.cpuMs},    {"pyramid_ms", redraw.ours.ms},
                        {"pyramid_cpu_ms", redraw.ours.cpuMs}, {"plain_ms", redraw.plain.ms}, {"plain_cpu_ms", redraw.plain.cpuMs}};
    std::printf("%s\n", dumpJson(found).c_str());
    return 0;
}
