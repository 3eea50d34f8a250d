// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/sampler_cost.h"

#include "core/util/cpu_time.h"

#include <cmath>

namespace tealdeck {
namespace {
constexpr std::int64_t WINDOW_US = 10'000'000;
} // namespace

Connector SamplerCost::counted(const Connector& connector) const {
    return connector.alsoObservedBy(
        [spent = m_statementsUs](const StatementReport& report) { *spent += static_cast<std::int64_t>(report.cpuMs * 1000); });
}

std::optional<double> SamplerCost::percent(std::int64_t nowUs) {
    const std::int64_t spent = threadCpuUs() + *m_statementsUs;
    if (m_sinceUs != 0 && nowUs - m_sinceUs < WINDOW_US) {
        return m_percent;
    }
    if (m_sinceUs != 0) {
        // More digits say nothing and fill the recording.
        m_percent = std::round(static_cast<double>(spent - m_spentUs) * 10000.0 / static_cast<double>(nowUs - m_sinceUs)) / 100;
    }
    m_sinceUs = nowUs;
    m_spentUs = spent;
    return m_percent;
}

} // namespace tealdeck
