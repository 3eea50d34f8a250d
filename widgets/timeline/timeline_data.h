// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/model/phase.h"
#include "core/model/series.h"

#include <span>
#include <string>
#include <vector>

namespace tealdeck {

struct PhaseSpan {
    std::int64_t fromUs = 0;
    std::int64_t toUs = 0;
    Phase phase = Phase::Plan;
};

struct TimeMark {
    std::int64_t timeUs = 0;
    std::string text;
    int weight = 0; ///< alarms: 2 high, 1 medium, 0 low; the weightiest of a pixel is drawn
    std::int64_t toUs = 0; ///< the end of a span; not after timeUs: a moment
};

struct StatementSpan {
    std::int64_t fromUs = 0;
    std::int64_t toUs = 0;
    bool ok = true;
};

/// What the scrubber's lanes show, made once from all events of a recording.
struct TimelineData {
    std::int64_t endUs = 0;
    std::vector<PhaseSpan> phases;
    std::vector<TimeMark> alarms;
    std::vector<TimeMark> acts;  ///< what operators did
    std::vector<PhaseSpan> gaps; ///< spans without any record: never interpolated
    std::vector<std::int64_t> events; ///< times of everything that is listed, rising
    std::vector<StatementSpan> statements;
    std::uint64_t statementsLeftOut = 0;
    std::vector<SeriesColumn> lag;   ///< seconds that the follower was behind
    std::vector<TimeMark> notes;     ///< what reviewers wrote
    std::vector<TimeMark> others;    ///< events that others recorded
    std::vector<TimeMark> clockSteps; ///< the wall clock jumped here
};

/// Takes events one after the other; what it keeps of each is small.
class TimelineBuilder {
  public:
    TimelineBuilder();
    void apply(const Event& event);
    [[nodiscard]] TimelineData done();

  private:
    void takePhase(const Event& event);
    void takeStatement(const Event& event);
    TimelineData m_data;
    std::int64_t m_last = 0;
    std::int64_t m_lastWall = 0;
};
TimelineData timelineOf(std::span<const Event> events);

/// Time to pixels and back.
struct TimeScale {
    double left = 0;
    double width = 1;
    std::int64_t endUs = 1;
    std::int64_t fromUs = 0;
    [[nodiscard]] double x(std::int64_t timeUs) const {
        return left + width * (static_cast<double>(timeUs) - static_cast<double>(fromUs)) / (static_cast<double>(endUs) - static_cast<double>(fromUs));
    }
    [[nodiscard]] std::int64_t time(double px) const;
};

/// The next or previous time in a rising list; `from` itself when there is none.
std::int64_t nextTime(const std::vector<std::int64_t>& times, std::int64_t from, bool forward);
std::vector<std::int64_t> timesOf(const std::vector<TimeMark>& marks);

} // namespace tealdeck
