// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// One session with the primary of a side for each database of the plan, in the plan's order; the first holds the control tables.
class SideSessions {
  public:
    static Result<SideSessions> open(const Connector& connector, Side side, Millis limit);
    [[nodiscard]] Connection& control() const { return *m_sessions.front(); }
    [[nodiscard]] Connection& operator[](std::size_t i) const { return *m_sessions[i]; }
    [[nodiscard]] std::size_t size() const { return m_sessions.size(); }
    [[nodiscard]] Side side() const { return m_side; }
    [[nodiscard]] std::vector<int> pids() const;
    /// True when one of them is lost: then nothing more can be asked on it.
    [[nodiscard]] bool broken() const;

  private:
    Side m_side = Side::Blue;
    std::vector<std::unique_ptr<Connection>> m_sessions;
};

/// "array[1,2]::int[]" for use in SQL.
std::string pidArray(const std::vector<int>& pids);
/// "array['a','b']::text[]".
std::string textArray(const std::vector<std::string>& texts);

} // namespace tealdeck
