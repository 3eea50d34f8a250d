// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/timeline/timeline_data.h"

#include <algorithm>

namespace tealdeck {
namespace {

constexpr std::int64_t SILENCE_US = 30'000'000; ///< the engine samples every second: this long without a record is a gap

int weightOf(const Event& event) {
    const auto priority = member<std::string>(event.body, "priority", "low");
    return priority == "high" ? 2 : priority == "medium" ? 1 : 0;
}

bool isTelemetry(EventKind kind) {
    return kind == EventKind::Metrics || kind == EventKind::Seal || kind == EventKind::Topology || kind == EventKind::Traffic || kind == EventKind::Replication || kind == EventKind::Copy;
}

bool isAct(EventKind kind) {
    return kind == EventKind::Operator || kind == EventKind::Answer || kind == EventKind::SignOff;
}

} // namespace

TimelineData timelineOf(std::span<const Event> events) {
    TimelineData data;
    std::int64_t last = 0;
    data.phases.push_back({0, 0, Phase::Plan});
    for (const Event& e : events) {
        if (e.steadyUs - last > SILENCE_US || e.kind == EventKind::Gap) {
            data.gaps.push_back({last, e.steadyUs, data.phases.back().phase});
        }
        last = e.steadyUs;
        if (e.kind == EventKind::Phase) {
            const auto phase = phaseFromName(member<std::string>(e.body, "phase", ""));
            if (phase && *phase != data.phases.back().phase) {
                data.phases.back().toUs = e.steadyUs;
                data.phases.push_back({e.steadyUs, e.steadyUs, *phase});
            }
        } else if (e.kind == EventKind::Alarm && member<bool>(e.body, "active", true)) {
            data.alarms.push_back({e.steadyUs, describe(e), weightOf(e)});
        } else if (isAct(e.kind)) {
            data.acts.push_back({e.steadyUs, describe(e), 0});
        }
        if (!isTelemetry(e.kind)) {
            data.events.push_back(e.steadyUs);
        }
    }
    data.endUs = last;
    data.phases.back().toUs = last;
    return data;
}

std::int64_t TimeScale::time(double px) const {
    const double part = std::clamp((px - left) / std::max(width, 1.0), 0.0, 1.0);
    return static_cast<std::int64_t>(part * static_cast<double>(endUs));
}

std::int64_t nextTime(const std::vector<std::int64_t>& times, std::int64_t from, bool forward) {
    if (forward) {
        const auto found = std::upper_bound(times.begin(), times.end(), from);
        return found == times.end() ? from : *found;
    }
    const auto found = std::lower_bound(times.begin(), times.end(), from);
    return found == times.begin() ? from : *std::prev(found);
}

std::vector<std::int64_t> timesOf(const std::vector<TimeMark>& marks) {
    std::vector<std::int64_t> times;
    for (const TimeMark& mark : marks) {
        times.push_back(mark.timeUs);
    }
    return times;
}

} // namespace tealdeck
