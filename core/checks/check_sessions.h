// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"
#include "core/traffic/write_router.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace tealdeck {

/// Read-only sessions for one run of the checks, opened at first use. What failed once is not tried again in the same run, so a dead
/// server costs one time-out. One statement at a time on each server.
class CheckSessions {
  public:
    explicit CheckSessions(const Connector& connector) : m_connector(connector), m_routers(makeWriteRouters(connector.plan())) {}
    [[nodiscard]] const Plan& plan() const { return m_connector.plan(); }
    [[nodiscard]] const Connector& connector() const { return m_connector; }

    /// Every statement runs read-only, at most STATEMENT_LIMIT. An empty database means the endpoint's own.
    Result<Rows> query(Side side, const std::string& database, const std::string& sql, const Parameters& parameters = {});
    /// The same on a replica of the side, in the endpoint's own database.
    Result<Rows> replica(Side side, const Endpoint& endpoint, const std::string& sql);
    /// Major version of the primary.
    Result<int> majorVersion(Side side);
    /// Whether the database exists on the primary.
    Result<bool> exists(Side side, const std::string& database);
    /// Status of a pooler, asked once.
    const Result<PoolerStatus>& pooler(std::size_t index);
    const Result<HaproxyStatus>& balancer(std::size_t index);
    [[nodiscard]] const WriteRouters& routers() const { return m_routers; }

    static constexpr Millis STATEMENT_LIMIT{5000};
    static constexpr Millis CONNECT_LIMIT{3000};

  private:
    Result<Connection*> session(Side side, const std::string& database);
    Result<std::unique_ptr<Connection>> open(Side side, const Endpoint& endpoint, const std::string& database);

    const Connector& m_connector;
    WriteRouters m_routers;
    std::map<std::pair<Side, std::string>, Result<std::unique_ptr<Connection>>> m_sessions;
    std::map<std::pair<Side, std::string>, Result<std::unique_ptr<Connection>>> m_replicas; ///< by name in the plan
    std::map<Side, Error> m_unreachable;
    std::map<Side, Result<std::set<std::string>>> m_databases;
    std::map<std::size_t, Result<PoolerStatus>> m_poolers;
    std::map<std::size_t, Result<HaproxyStatus>> m_balancers;
};

} // namespace tealdeck
