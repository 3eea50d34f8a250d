// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/postgres/connection.h"
#include "core/replication/names.h"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tealdeck {

/// What one round of asking both primaries gave. A value that could not be had is std::nullopt, never zero.
struct LinkSample {
    std::vector<ReplicationState> links;          ///< each database in each direction
    std::optional<double> transactions[2];        ///< by side: commits of all databases since the server's start
    std::optional<double> connections[2];         ///< by side: client sessions in the deployment's databases
    std::optional<double> retainedBytes[2];       ///< by side: WAL kept by our slots
    bool answered[2] = {false, false};
};

/// Asks both primaries for the feeds' state and beats the heart, on sessions of its own; from one thread.
class LinkSampler {
  public:
    explicit LinkSampler(const Connector& connector) : m_connector(connector) {}
    /// Row 3 of the marker is written there at each round; std::nullopt: nowhere.
    void setHeartbeat(std::optional<Side> source) { m_heartbeat = source ? (*source == Side::Blue ? 0 : 1) : -1; }
    LinkSample sample(std::int64_t nowUs);

  private:
    Connection* session(Side side, const std::string& database);
    void sampleSide(Side side, LinkSample& sample);
    void samplePublisher(ReplicationState& state, Direction direction, const std::string& database, bool& slotFound);
    void sampleSubscriber(ReplicationState& state, Direction direction, const std::string& database, bool& subscriptionFound);
    void beat(const std::string& database);
    std::optional<double> heartbeatLag(Direction direction, const std::string& database);

    const Connector& m_connector;
    std::atomic<int> m_heartbeat{-1};
    std::map<std::pair<Side, std::string>, std::unique_ptr<Connection>> m_sessions;
    std::map<std::pair<Side, std::string>, std::chrono::steady_clock::time_point> m_retryAt;
};

} // namespace tealdeck
