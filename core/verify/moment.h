// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/verify/feed_pass.h"
#include "core/verify/verifier.h"

#include <functional>
#include <memory>
#include <string>

namespace tealdeck::verify {

/// The two sessions that read one database, and what an exact comparison needs beside them. Sessions that broke are opened again.
class SessionPair {
  public:
    SessionPair(const Connector& connector, Side source, std::string database)
        : m_connector(connector), m_source(source), m_database(std::move(database)) {}
    /// Both are there and ready to read; opens what is not.
    Status open();
    [[nodiscard]] Connection& source() { return *m_here; }
    [[nodiscard]] Connection& follower() { return *m_there; }

    /// Both sessions see the table at one point of the source's log: writers of the table are held up from the lock until a marker has come
    /// through the feed. They wait at most twice the plan's bound. The point, or why it could not be had.
    Result<std::string> lockedMoment(const std::string& table, FeedPass& feed, const std::function<bool()>& cancelled);
    /// Both sessions see what was exported.
    Status importMoment(const SnapshotPair& snapshots);
    /// Back to reading what is there now.
    void leaveMoment();
    /// Whatever runs in either session ends.
    void cancel();

  private:
    Result<std::string> tryMoment(const std::string& table, FeedPass& feed);
    const Connector& m_connector;
    Side m_source;
    std::string m_database;
    std::mutex m_mutex; ///< guards the pointers against cancel(), which comes from another thread
    std::unique_ptr<Connection> m_here;
    std::unique_ptr<Connection> m_there;
    std::unique_ptr<Connection> m_locker;
};

} // namespace tealdeck::verify
