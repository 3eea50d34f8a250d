// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/theme/format.h"

#include <array>
#include <cmath>

namespace tealdeck {

enum class Unit { Bytes, Seconds, PerSecond };
enum class Ink { Neutral, Blue, Green };

struct CurveSpec {
    const char* metric;
    const char* label;
    Ink ink;
    bool dashed;
};

struct PlotSpec {
    const char* title;
    const char* shortTitle; ///< where the plot is narrow
    Unit unit;
    const char* limitMetric; ///< a metric that the engine may publish: drawn as a threshold
    std::array<CurveSpec, 2> curves;
};

inline constexpr std::array<PlotSpec, 4> PLOTS = {{
    {"Lag, bytes",
     "Lag",
     Unit::Bytes,
     "lag_bytes.limit",
     {{{"lag_bytes.forward", "B→G", Ink::Neutral, false}, {"lag_bytes.reverse", "G→B", Ink::Neutral, true}}}},
    {"Lag, seconds",
     "Lag",
     Unit::Seconds,
     "lag_seconds.limit",
     {{{"lag_seconds.forward", "B→G", Ink::Neutral, false}, {"lag_seconds.reverse", "G→B", Ink::Neutral, true}}}},
    {"Retained WAL",
     "WAL",
     Unit::Bytes,
     "retained_bytes.limit",
     {{{"retained_bytes.blue", "B", Ink::Blue, false}, {"retained_bytes.green", "G", Ink::Green, true}}}},
    {"Transactions/s", "tx/s", Unit::PerSecond, "", {{{"tps.blue", "B", Ink::Blue, false}, {"tps.green", "G", Ink::Green, true}}}},
}};

inline QString valueText(double value, Unit unit) {
    return unit == Unit::Bytes ? formatBytes(value) : unit == Unit::Seconds ? formatSeconds(value) : formatNumber(std::round(value));
}

} // namespace tealdeck
