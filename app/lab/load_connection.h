// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace tealdeck {

/// What became of one statement.
struct LoadReply {
    enum class Outcome {
        Ok,
        Refused, ///< the server said ERROR: the statement had no effect
        Lost     ///< connection lost, FATAL or deadline: nobody told us what happened
    };
    Outcome outcome = Outcome::Ok;
    std::vector<std::vector<std::string>> rows;
    std::string sqlstate;
    std::string message;
};

/// A client connection that never blocks for longer than its limit and notices when the run is to stop.
class LoadConnection {
  public:
    /// With stop set, waits end after the grace time instead of the limit.
    explicit LoadConnection(const std::atomic<bool>& stop) : m_stop(stop) {}

    [[nodiscard]] bool isOpen() const { return m_connection != nullptr; }
    LoadReply open(const std::map<std::string, std::string>& parameters);
    LoadReply execute(const std::string& sql, const std::vector<std::string>& values = {});
    void close() { m_connection.reset(); }

  private:
    struct Finish {
        void operator()(pg_conn* connection) const;
    };
    bool waitFor(bool forWriting, const Deadline& limit);
    bool waitForAnswer(const Deadline& limit);
    LoadReply lost(const char* fallback);
    static void take(LoadReply& reply, const pg_result* result);

    const std::atomic<bool>& m_stop;
    std::unique_ptr<pg_conn, Finish> m_connection;
    std::chrono::steady_clock::time_point m_stopSeen{};
};

} // namespace tealdeck
