// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <memory>
#include <mutex>
#include <string>

namespace tealdeck::verify {

/// Proves that the follower has everything that the source had: a marker goes through the feed, which applies in the source's commit order
/// (law 5: no lag view is trusted). For several threads; each has its own marker.
class FeedPass {
  public:
    FeedPass(const Connector& connector, Side source, std::string database)
        : m_connector(connector), m_source(source), m_database(std::move(database)) {}
    /// An error when the marker is not there in time.
    Status pass(Millis limit);

  private:
    Status open();
    const Connector& m_connector;
    Side m_source;
    std::string m_database;
    std::mutex m_mutex;
    std::unique_ptr<Connection> m_writer;
    std::unique_ptr<Connection> m_reader;
};

} // namespace tealdeck::verify
