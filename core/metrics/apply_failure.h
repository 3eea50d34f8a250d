// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/metrics/sampler_queries.h"

#include <map>
#include <string>
#include <utility>

namespace tealdeck {

/// What keeps a feed from being applied. The server that follows tells the reason only in its log, and how often it failed in
/// pg_stat_subscription_stats (15 and newer). Which transaction it is says the publisher: the first one that its slot still holds.
class ApplyFailures {
  public:
    /// A sentence with the relations that the failing transaction changes, where it ends, and the ways out; empty when nothing failed, or
    /// it cannot be known. Asks for the transaction once for each failure: the slot is busy meanwhile.
    std::string describe(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database);

    /// The feed streams again: what failed before is over.
    void recovered(Direction direction, const std::string& database);

  private:
    struct Known {
        std::string before; ///< failures that are over
        std::string count;  ///< failures when the text was made
        std::string text;
    };
    std::map<std::pair<Direction, std::string>, Known> m_known;
};

} // namespace tealdeck
