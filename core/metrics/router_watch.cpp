// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/router_watch.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::int64_t DEAR_PERIOD_US = 30'000'000;

} // namespace

void RouterWatch::look(std::int64_t nowUs, Millis limit, const Seen& seen) {
    for (const auto& router : m_routers) {
        auto known = m_known.find(router->name());
        if (router->cheap() || known == m_known.end() || nowUs - known->second.askedUs > DEAR_PERIOD_US) {
            known = m_known.insert_or_assign(router->name(), Known{router->target(limit), nowUs}).first;
        }
        const Result<std::optional<Side>>& target = known->second.target;
        const std::string line =
            target ? fmt::format("{}: {} → {}", router->name(), router->what(), *target ? sideName(**target) : "nobody, closed")
                   : fmt::format("{}: {}", router->name(), target.error().message);
        seen(router->name(), target, line);
    }
}

} // namespace tealdeck
