// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/model/snapshot.h"
#include "core/recording/compact.h"
#include "core/recording/index.h"
#include "core/recording/stored.h"

#include <functional>
#include <optional>
#include <string>

namespace tealdeck {

/// The records of an open file in their order. Each is checked to follow from the one before it; at the first unsound one the
/// reading ends with an error that names it. Both must outlive the stream. Not thread-safe.
class RecordStream {
  public:
    RecordStream(Database& database, const Identity& identity) : m_database(database), m_identity(identity) {}

    /// Records from the seq on, at most `limit` (0: all), until the function returns false.
    Status records(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const StoredRecord&)>& each);
    /// The same as events, with the bodies that were appended.
    Status events(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const Event&)>& each);
    Result<Event> at(std::uint64_t seq);
    /// 0 when there are none.
    Result<std::uint64_t> lastSeq();
    /// The seq of the last record at or before the steady time; 0: none. Finds it by halving.
    Result<std::uint64_t> seqAt(std::int64_t steadyUs);

    /// The event of a record of this file. A body that was redacted, or that needs one that was, is {"redacted": true}.
    Result<Event> toEvent(const StoredRecord& record);
    [[nodiscard]] Error broken(std::uint64_t seq, const std::string& why) const;

  private:
    Result<std::optional<std::int64_t>> oneNumber(const char* sql, std::int64_t argument);
    Result<std::optional<Json>> metricsBody(const StoredRecord& record);

    Database& m_database;
    const Identity& m_identity;
    MetricsDecoder m_decoder;
};

/// The snapshot that a keyframe holds, with its metrics: for `state` the whole state, already patched. Also says which records
/// the metrics came from.
struct RestoredKeyframe {
    Snapshot snapshot;
    std::vector<Event> metrics;
};
Result<RestoredKeyframe> restoreKeyframe(RecordStream& stream, std::uint64_t seq, const Json& state,
                                         const std::vector<std::uint64_t>& metricSeqs);

} // namespace tealdeck
