// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/timeline/timeline_data.h"

#include <algorithm>
#include <cmath>

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

constexpr std::size_t MOST_MARKS = 200'000;
constexpr std::size_t MOST_TEXTS = 5'000; ///< further marks are drawn without words
constexpr std::int64_t CLOCK_STEP_US = 1'000'000;

void addMark(std::vector<TimeMark>& marks, const Event& event, int weight) {
    if (marks.size() < MOST_MARKS) {
        marks.push_back({event.steadyUs, marks.size() < MOST_TEXTS ? describe(event) : std::string(), weight});
    }
}

} // namespace

TimelineBuilder::TimelineBuilder() { m_data.phases.push_back({0, 0, Phase::Plan}); }

void TimelineBuilder::takePhase(const Event& e) {
    const auto phase = phaseFromName(member<std::string>(e.body, "phase", ""));
    if (phase && *phase != m_data.phases.back().phase && m_data.phases.size() < MOST_MARKS) {
        m_data.phases.back().toUs = e.steadyUs;
        m_data.phases.push_back({e.steadyUs, e.steadyUs, *phase});
    }
}

void TimelineBuilder::takeStatement(const Event& e) {
    if (m_data.statements.size() == MOST_MARKS) {
        ++m_data.statementsLeftOut;
        return;
    }
    const double ms = std::clamp(member<double>(e.body, "ms", 0), 0.0, 1e10);
    const std::int64_t end = std::clamp<std::int64_t>(member<std::int64_t>(e.body, "ended_us", e.steadyUs), 0, std::max<std::int64_t>(0, e.steadyUs));
    m_data.statements.push_back({std::max<std::int64_t>(0, end - static_cast<std::int64_t>(ms * 1000)), end, member<bool>(e.body, "ok", true)});
}

void TimelineBuilder::apply(const Event& e) {
    const bool first = m_lastWall == 0;
    if (e.steadyUs - m_last > SILENCE_US || e.kind == EventKind::Gap) {
        m_data.gaps.push_back({m_last, e.steadyUs, m_data.phases.back().phase});
    }
    const double drift = (static_cast<double>(e.wallUs) - static_cast<double>(m_lastWall)) - (static_cast<double>(e.steadyUs) - static_cast<double>(m_last));
    if (!first && std::abs(drift) > CLOCK_STEP_US && m_data.clockSteps.size() < MOST_TEXTS) {
        m_data.clockSteps.push_back({e.steadyUs, "the wall clock moved by " + std::to_string(static_cast<long long>(drift / 1000)) + " ms", 0});
    }
    m_last = e.steadyUs;
    m_lastWall = e.wallUs;
    if (e.kind == EventKind::Phase) {
        takePhase(e);
    } else if (e.kind == EventKind::Statement) {
        takeStatement(e);
    } else if (e.kind == EventKind::Alarm && member<bool>(e.body, "active", true)) {
        addMark(m_data.alarms, e, weightOf(e));
    } else if (isAct(e.kind)) {
        addMark(m_data.acts, e, 0);
    }
    if (!isTelemetry(e.kind)) {
        m_data.events.push_back(e.steadyUs);
    }
}

TimelineData TimelineBuilder::done() {
    m_data.endUs = m_last;
    m_data.phases.back().toUs = m_last;
    return std::move(m_data);
}

TimelineData timelineOf(std::span<const Event> events) {
    TimelineBuilder builder;
    for (const Event& event : events) {
        builder.apply(event);
    }
    return builder.done();
}

std::int64_t TimeScale::time(double px) const {
    const double part = std::clamp((px - left) / std::max(width, 1.0), 0.0, 1.0);
    return fromUs + static_cast<std::int64_t>(part * (static_cast<double>(endUs) - static_cast<double>(fromUs)));
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
