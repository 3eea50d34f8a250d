// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/metrics/sampler_queries.h"

#include <map>
#include <string>
#include <utility>

namespace tealdeck {

/// Why a feed stands still.
struct ApplyFailure {
    std::string text; ///< a sentence with the ways out; empty: nothing failed, or it cannot be known
    std::string lsn;  ///< where the transaction ends that fails; empty while that is not known
};

/// What keeps a feed from being applied. The server that follows tells the reason only in its log, and how often it failed in
/// pg_stat_subscription_stats (15 and newer). Which transaction it is says the publisher: the first one that its slot still holds.
class ApplyFailures {
  public:
    /// Names the relations that the failing transaction changes, where it ends, and the ways out. Asks for the transaction once for each
    /// failure: the slot is busy meanwhile.
    ApplyFailure describe(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database);

    /// The feed streams again: what failed before is over.
    void recovered(Direction direction, const std::string& database);

  private:
    struct Known {
        std::string before; ///< failures that are over
        std::string count;  ///< failures when the text was made
        std::string text;
        std::string lsn;
    };
    std::map<std::pair<Direction, std::string>, Known> m_known;
};

} // namespace tealdeck
