// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace tealdeck {

/// What sampling costs this machine: processor time of the sampler's thread and of the statements on their own threads. What the servers
/// spend on the answers is not in it.
class SamplerCost {
  public:
    /// A connector whose statements are counted here.
    [[nodiscard]] Connector counted(const Connector& connector) const;
    /// Percent of one core over the last ten seconds or more; std::nullopt before that. On the sampler's thread, with the steady time.
    std::optional<double> percent(std::int64_t nowUs);

  private:
    std::shared_ptr<std::atomic<std::int64_t>> m_statementsUs = std::make_shared<std::atomic<std::int64_t>>(0);
    std::int64_t m_sinceUs = 0;
    std::int64_t m_spentUs = 0; ///< at that time
    std::optional<double> m_percent;
};

} // namespace tealdeck
