// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/model/snapshot.h"
#include "core/util/result.h"
#include "widgets/timeline/timeline_data.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// All events of a recording with keyframes, so that jumping to a moment costs a short fold and equals playing to it.
class ReplayArchive {
  public:
    explicit ReplayArchive(std::vector<Event> events);

    [[nodiscard]] const std::vector<Event>& events() const { return m_events; }
    [[nodiscard]] const SeriesStore& series() const { return m_series; }
    [[nodiscard]] const TimelineData& timeline() const { return m_timeline; }
    [[nodiscard]] std::int64_t endUs() const { return m_events.empty() ? 0 : m_events.back().steadyUs; }
    /// How many events lie at or before the time.
    [[nodiscard]] std::size_t countAt(std::int64_t timeUs) const;
    /// The fold of the first `count` events.
    [[nodiscard]] Snapshot snapshotAfter(std::size_t count) const;

    std::string verdict;   ///< what the hash chain says, for people
    bool verified = false;

  private:
    std::vector<Event> m_events;
    std::size_t m_spacing;
    std::vector<Snapshot> m_keyframes; ///< entry k: after k * m_spacing events
    SeriesStore m_series;
    TimelineData m_timeline;
};

/// Reads, verifies and prepares a recording. Takes as long as it takes: never on the GUI thread.
Result<std::shared_ptr<const ReplayArchive>> loadArchive(const std::filesystem::path& file);

} // namespace tealdeck
