// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/theme/format.h"

#include <array>
#include <cmath>

namespace tealdeck {

enum class Unit { Bytes, Seconds, PerSecond, Count, Percent, Milliseconds };
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

/// In the order of reading, two in a row. Both sides are drawn in one plot, so that they have one scale.
inline constexpr std::array<PlotSpec, 8> PLOTS = {{
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
    {"Connections", "Conn.", Unit::Count, "", {{{"connections.blue", "B", Ink::Blue, false}, {"connections.green", "G", Ink::Green, true}}}},
    {"Failed reads",
     "Failed",
     Unit::Percent,
     "",
     {{{"read_errors_percent.blue", "B", Ink::Blue, false}, {"read_errors_percent.green", "G", Ink::Green, true}}}},
    {"Reads, median", "p50", Unit::Milliseconds, "", {{{"read_p50_ms.blue", "B", Ink::Blue, false}, {"read_p50_ms.green", "G", Ink::Green, true}}}},
    {"Reads, slowest 5 %", "p95", Unit::Milliseconds, "", {{{"read_p95_ms.blue", "B", Ink::Blue, false}, {"read_p95_ms.green", "G", Ink::Green, true}}}},
}};

inline QString valueText(double value, Unit unit) {
    switch (unit) {
    case Unit::Bytes:
        return formatBytes(value);
    case Unit::Seconds:
        return formatSeconds(value);
    case Unit::Milliseconds:
        return formatSeconds(value / 1000);
    case Unit::Percent:
        return QStringLiteral("%1 %").arg(formatNumber(std::round(value * 10) / 10));
    case Unit::PerSecond:
    case Unit::Count:
        break;
    }
    return formatNumber(std::round(value));
}

} // namespace tealdeck
