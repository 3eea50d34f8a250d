// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/model/series.h"
#include "core/recording/keyframes.h"
#include "core/recording/private_copy.h"
#include "core/recording/stream.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What the chain of a recording says.
struct VerifyReport {
    bool ok = false;
    std::uint64_t records = 0;     ///< how many were found sound, from the first one on
    std::uint64_t redacted = 0;    ///< of these, how many have had their body taken out
    std::uint64_t brokenAtSeq = 0; ///< 0: nowhere
    std::string reason;            ///< why it is not ok
    std::string headHash;          ///< of the last sound record
};

struct RecordingInfo {
    std::map<std::string, std::string> meta; ///< recording_id, deployment, plan_sha256, tool; "(redacted)" for what was
    std::uint32_t version = 0;               ///< of the format
    std::uint64_t records = 0;
    std::int64_t firstWallUs = 0;
    std::int64_t lastWallUs = 0;
    std::int64_t durationUs = 0; ///< in steady time
    bool closed = false;         ///< ends with the seal of a recording that was finished in order
    std::string salvaged;        ///< what salvage said about the loss; empty: this is no salvaged copy
    std::string headHash;        ///< as stored in the last record
    std::uint64_t keyframes = 0;
    std::uint64_t sizeBytes = 0;
    std::optional<VerifyReport> verified; ///< what verify() found, once it was called
};

/// Reads a recording from anywhere, trusting nothing in it: from a private copy, read-only, with limits, the schema compared
/// with ours, every column checked and every record checked to follow from the one before. A recording that is being written
/// can be read too, as it was at open().
class RecordingReader {
  public:
    static Result<std::unique_ptr<RecordingReader>> open(const std::filesystem::path& path);
    ~RecordingReader();
    RecordingReader(const RecordingReader&) = delete;
    RecordingReader& operator=(const RecordingReader&) = delete;

    Result<RecordingInfo> info();
    /// Recomputes the whole chain, compares the derived tables with what the seals say, and lets SQLite check its pages.
    Result<VerifyReport> verify();
    /// Events from the seq on, at most `limit` (0: all), until the function returns false. At the first unsound record the
    /// reading ends with an error that names it.
    Status read(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const Event&)>& each);
    /// The records as stored, for copies.
    Status readStored(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const StoredRecord&)>& each);
    [[nodiscard]] const Identity& identity() const { return m_identity; }
    /// The event of a record that readStored() gave.
    Result<Event> eventOf(const StoredRecord& record) { return m_stream->toEvent(record); }
    Result<std::vector<Event>> all();
    /// The seq of the last event at or before the steady time; 0: none. Finds it by halving.
    Result<std::uint64_t> seqAt(std::int64_t steadyUs);

    /// The fold of the first `seq` events: from the keyframe before and what follows it. A file without sound keyframes (of
    /// version 1, redacted or salvaged) is folded once as a whole.
    Result<Snapshot> snapshotAfter(std::uint64_t seq);
    /// The metrics by name for plots: at most `columns` columns of [fromUs, toUs] with the extremes of their samples. Columns wider
    /// than a bucket of the pyramid (8 s) come from it and begin on its buckets; narrower ones come from the records.
    Result<std::map<std::string, std::vector<SeriesColumn>>> columns(std::int64_t fromUs, std::int64_t toUs, int columns);

  private:
    explicit RecordingReader(PrivateCopy copy) : m_copy(std::move(copy)) {}
    Status openCopy();
    Status checkPages(VerifyReport& report);
    std::optional<std::string> checkIndex();
    std::optional<std::string> checkPyramid(const std::map<std::uint64_t, std::string>& pyramidsOfSeals);
    void useOwnIndex();
    Result<std::int64_t> pyramidEndsUs();
    Status addPyramid(std::int64_t fromUs, std::int64_t toUs,
                      const std::function<bool(const std::string& name, std::int64_t chunk, std::string_view body)>& add);
    Status addRecords(std::int64_t fromUs, std::int64_t toUs,
                      const std::function<void(const std::string& name, std::int64_t timeUs, double value)>& add);

    PrivateCopy m_copy;
    std::unique_ptr<Database> m_database;
    Identity m_identity;
    std::unique_ptr<RecordStream> m_stream;
    std::unique_ptr<Keyframes> m_keyframes;
    std::optional<VerifyReport> m_verified;
    std::optional<bool> m_indexSound; ///< once it was looked at as a whole
    bool m_ownIndex = false;          ///< what was made in memory replaces the tables of the file
    std::vector<PyramidRow> m_pyramid;
};

} // namespace tealdeck
