// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cutover/sessions.h"

#include "core/postgres/sql.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tealdeck {

Result<SideSessions> SideSessions::open(const Connector& connector, Side side, Millis limit) {
    SideSessions sessions;
    sessions.m_side = side;
    const Deadline deadline(limit);
    for (const std::string& database : connector.plan().databases) {
        auto session = connector.primary(side, database, std::max(deadline.left(), Millis(1)));
        if (!session) {
            return session.error();
        }
        sessions.m_sessions.push_back(std::move(*session));
    }
    return sessions;
}

std::vector<int> SideSessions::pids() const {
    std::vector<int> pids;
    for (const auto& session : m_sessions) {
        pids.push_back(session->backendPid());
    }
    return pids;
}

bool SideSessions::broken() const {
    return std::any_of(m_sessions.begin(), m_sessions.end(), [](const auto& session) { return session->broken(); });
}

std::string pidArray(const std::vector<int>& pids) {
    return fmt::format("array[{}]::int[]", fmt::join(pids, ","));
}

std::string textArray(const std::vector<std::string>& texts) {
    std::vector<std::string> quoted;
    for (const std::string& text : texts) {
        quoted.push_back(quoteLiteral(text));
    }
    return fmt::format("array[{}]::text[]", fmt::join(quoted, ","));
}

} // namespace tealdeck
