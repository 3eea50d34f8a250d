// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/model/snapshot.h"
#include "core/util/result.h"

#include <filesystem>
#include <memory>
#include <vector>

namespace tealdeck {

/// Where a replay takes its events from. Counts begin with 0 for "before the first"; a jump to a count equals playing to it.
class ReplayArchive {
  public:
    virtual ~ReplayArchive() = default;
    [[nodiscard]] virtual std::int64_t endUs() const = 0;
    /// How many events lie at or before the time.
    [[nodiscard]] virtual std::size_t countAt(std::int64_t timeUs) const = 0;
    /// The fold of the first `count` events.
    [[nodiscard]] virtual Snapshot snapshotAfter(std::size_t count) const = 0;
    /// Events number `from + 1` to `to`, as far as they are sound.
    [[nodiscard]] virtual std::vector<Event> events(std::size_t from, std::size_t to) const = 0;
};

/// A recording file, of which only what is asked for is read: by its keyframes any moment is near. Used by one thread at a time.
Result<std::shared_ptr<const ReplayArchive>> openArchive(const std::filesystem::path& file);

} // namespace tealdeck
