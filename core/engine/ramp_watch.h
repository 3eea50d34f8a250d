// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/plan/plan.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tealdeck {

/// What the reads on GREEN look like against the plan's bounds.
struct ReadsVerdict {
    enum class Kind {
        Fine,
        Stale, ///< too far behind, or nobody knows how far: no read belongs there
        Bad    ///< answers, but with errors or slowly
    };
    Kind kind = Kind::Fine;
    std::string reason; ///< a sentence with the numbers
};
/// From the metrics of the snapshot; what was not measured (too few reads) is no breach, but an unknown lag is (law 2).
ReadsVerdict judgeReads(const Snapshot& snapshot, const RampPlan& plan, std::int64_t nowUs);

/// Decides when reads go back by themselves: after three breaches in a row, so that one slow sample moves nothing. Stale ones go back to
/// BLUE whole, and may come again as soon as GREEN is fresh; bad ones go to the step before, and until somebody says "resume" the share
/// rises no more.
class RampWatch {
  public:
    struct StepBack {
        double percent = 0;
        std::string reason;
        bool held = false;
    };
    /// One look for each new sample (the snapshot's newest metrics); the same sample twice is looked at once.
    std::optional<StepBack> look(const Snapshot& snapshot, const RampPlan& plan, std::int64_t nowUs);
    static constexpr int IN_A_ROW = 3;

  private:
    int m_breaches = 0;
    std::int64_t m_lastUs = 0;
};

/// The plan's step below a share; 0 below the first.
double stepBelow(const RampPlan& plan, double percent);

} // namespace tealdeck
