// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/postgres/connection.h"
#include "core/replication/names.h"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace tealdeck {

/// Milliseconds since that steady time of the machine, in tenths: more digits say nothing and fill the recording.
double millisSince(std::int64_t steadyUs);

/// Sessions with the primaries for sampling. One that broke is opened again, after a pause that doubles up to MAX_BACK_OFF.
class SamplerSessions {
  public:
    explicit SamplerSessions(const Connector& connector) : m_connector(connector) {}
    /// At most the limit, connecting included. Fails at once while the server is being left alone.
    Result<Rows> query(Side side, const std::string& database, const std::string& sql, const Parameters& parameters = {},
                       Millis limit = LIMIT);
    /// From another thread: whatever runs is ended and nothing new begins until allow().
    void interrupt();
    void allow();
    /// Ends every session; only while no query runs.
    void close();
    /// As server_version_num of the session that asked last; 0 when there is none.
    [[nodiscard]] int serverVersion(Side side, const std::string& database) const;

    static constexpr Millis LIMIT{800};
    static constexpr Millis MAX_BACK_OFF{8000};

  private:
    struct Entry {
        std::shared_ptr<Connection> connection;
        Millis backOff{250};
        std::int64_t notBeforeUs = 0;
        std::string reason;
    };
    const Connector& m_connector;
    std::mutex m_mutex; ///< guards m_current and m_interrupted
    std::shared_ptr<Connection> m_current;
    bool m_interrupted = false;
    std::map<std::pair<Side, std::string>, Entry> m_entries;
    std::map<Side, std::pair<std::int64_t, std::string>> m_leftAlone; ///< a server that timed out: until when, and why
};

/// Commits of a side's databases and when they were counted.
struct CommitCount {
    double commits = 0;
    std::int64_t atUs = 0;
};

/// Heartbeats of one database that the destination has not shown yet, in seconds of the source's clock, oldest first. The lag is the age
/// of the oldest: it grows while nothing arrives, and a beat that is only on its way does not count for a whole period.
struct HeartbeatWatch {
    std::deque<double> unseen;
    void written(double at);
    /// The destination shows the beat `seen`; std::nullopt: none yet. The lag in seconds at the source's time `now`.
    std::optional<double> lag(std::optional<double> seen, double now);
};

/// What one primary says about itself, in one statement: commits, client sessions, its clock, our slots and subscriptions.
struct SideSample {
    double commits = 0;
    double connections = 0;
    double clock = 0;                   ///< seconds since 1970 of the server's clock
    std::int64_t askedUs = 0;           ///< steady time of ours before it was asked
    Json slots = Json::object();        ///< by name: [bytes not confirmed, bytes kept, active, wal_status, invalidation_reason]
    Json subscriptions = Json::array(); ///< [name, database]
};
Result<SideSample> sampleSide(SamplerSessions& sessions, const Plan& plan, Side side);
/// The server's clock by now, or a little more: never less.
double clockNow(const SideSample& sample);

/// One direction of one database, as publisher and subscriber see it; lagSeconds is left open. What could not be asked stays unknown
/// and is named in error. State "none" when neither slot nor subscription exists.
struct LinkSample {
    ReplicationState state;
    std::optional<double> seen; ///< the newest heartbeat that the destination shows, in seconds of the source's clock
    bool markerGone = false;    ///< the marker's table was expected and is not there
};
LinkSample sampleLink(SamplerSessions& sessions, const Plan& plan, Direction direction, const std::string& database,
                      const Result<SideSample>& source, const Result<SideSample>& destination, bool withMarker);

} // namespace tealdeck
