// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/traffic/write_router.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace tealdeck {

/// Looks at the routers of the writes for the sampler. One that runs the operator's own program is asked twice a minute only; between
/// that its last answer stands.
class RouterWatch {
  public:
    using Seen = std::function<void(const std::string& name, const Result<std::optional<Side>>& target, const std::string& line)>;
    explicit RouterWatch(const Plan& plan) : m_routers(makeWriteRouters(plan)) {}
    /// Tells of each where it leads and a line for people; nowUs: steady time.
    void look(std::int64_t nowUs, Millis limit, const Seen& seen);
    /// The dear ones are asked with the next look.
    void soon() { m_known.clear(); }

  private:
    struct Known {
        Result<std::optional<Side>> target;
        std::int64_t askedUs = 0;
    };
    WriteRouters m_routers;
    std::map<std::string, Known> m_known; ///< by name, of those that are not cheap
};

} // namespace tealdeck
