// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/postgres/connection.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tealdeck {

/// What the servers of the plan say about themselves. Keeps one session with each server between calls and opens it again when it broke.
/// A server that does not answer is "down" with the reason; nothing here fails. Calls may come from one thread at a time.
class Discovery {
  public:
    /// The connector is borrowed. The clock gives a sample's steady time in microseconds; empty: the machine's.
    explicit Discovery(const Connector& connector, std::function<std::int64_t()> steadyUs = {});

    /// One server. Its lag is unknown, because that takes its primary too.
    Node inspect(Side side, const Endpoint& endpoint, bool primary, Millis limit = Millis(2000));
    /// All servers of a side, asked at the same time, the primary first. Replicas' lag: bytes between what the primary wrote and what the
    /// replica replayed; seconds since its last replayed commit, 0 when it has everything.
    std::vector<Node> nodes(Side side, Millis limit = Millis(2000));

    /// A statement on the session that is kept with this server.
    Result<Rows> ask(Side side, const Endpoint& endpoint, const std::string& sql, Millis limit);

  private:
    struct Sample {
        Node node;
        std::optional<std::uint64_t> position; ///< written (primary) or replayed (replica)
    };
    Sample sample(Side side, const Endpoint& endpoint, bool primary, Millis limit);
    std::shared_ptr<Connection> session(Side side, const Endpoint& endpoint, Millis limit, std::string& reason);

    const Connector& m_connector;
    std::function<std::int64_t()> m_steadyUs;
    std::mutex m_mutex; ///< guards m_sessions while servers are asked side by side
    std::map<std::pair<Side, std::string>, std::shared_ptr<Connection>> m_sessions;
};

} // namespace tealdeck
