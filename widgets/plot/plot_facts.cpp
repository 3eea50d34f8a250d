// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/plot_facts.h"

#include "widgets/plot/plot_spec.h"

#include <QCoreApplication>

#include <algorithm>

namespace tealdeck {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("LagPlots", text);
}

QString orUnknown(double value, Unit unit) {
    return std::isnan(value) ? unknownMark() : valueText(value, unit);
}

} // namespace

std::vector<Fact> plotFacts(const SeriesStore& store, const ViewTime& now, std::int64_t spanUs) {
    constexpr int COLUMNS = 64; // the pyramid keeps every extreme, however few columns are asked for
    std::vector<Fact> facts;
    for (const PlotSpec& spec : PLOTS) {
        for (const CurveSpec& curve : spec.curves) {
            const Series* series = store.find(curve.metric);
            const Series::Sample* newest = series != nullptr ? series->at(now.steadyUs) : nullptr;
            if (newest == nullptr) {
                continue;
            }
            double low = NAN;
            double high = NAN;
            for (const SeriesColumn& column : series->columns(std::max<std::int64_t>(0, now.steadyUs - spanUs), now.steadyUs, COLUMNS)) {
                low = std::fmin(low, column.low);
                high = std::fmax(high, column.high);
            }
            const std::int64_t age = now.steadyUs - newest->timeUs;
            const bool stale = age > staleness::METRIC_US || std::isnan(newest->value);
            facts.push_back({curve.metric,
                             {QStringLiteral("%1, %2").arg(tr(spec.title), QString::fromUtf8(curve.label)),
                              orUnknown(newest->value, spec.unit), orUnknown(low, spec.unit), orUnknown(high, spec.unit), formatAge(age)},
                             stale,
                             false});
        }
    }
    return facts;
}

} // namespace tealdeck
