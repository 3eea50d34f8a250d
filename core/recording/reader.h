// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/recording/database.h"
#include "core/recording/private_copy.h"

#include <chrono>
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
    std::map<std::string, std::string> meta; ///< recording_id, deployment, plan_sha256, tool
    std::uint64_t records = 0;
    std::int64_t firstWallUs = 0;
    std::int64_t lastWallUs = 0;
    std::int64_t durationUs = 0; ///< in steady time
    bool closed = false;         ///< ends with the seal of a recording that was finished in order
    std::string headHash;        ///< as stored in the last record
    std::uint64_t sizeBytes = 0;
    std::optional<VerifyReport> verified; ///< what verify() found, once it was called
};

/// Reads a recording from anywhere, trusting nothing in it: from a private copy, read-only, with limits, the schema compared
/// with ours and every column checked. A recording that is being written can be read too, as it was at open().
class RecordingReader {
  public:
    static Result<std::unique_ptr<RecordingReader>> open(const std::filesystem::path& path);
    ~RecordingReader();
    RecordingReader(const RecordingReader&) = delete;
    RecordingReader& operator=(const RecordingReader&) = delete;

    Result<RecordingInfo> info();
    /// Recomputes the whole chain and lets SQLite check its pages.
    Result<VerifyReport> verify();
    /// Events from the seq on, at most `limit` (0: all), until the function returns false. Each body is checked against its leaf;
    /// at the first unsound record the reading ends with an error that names it.
    Status read(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const Event&)>& each);
    Result<std::vector<Event>> all();
    /// The seq of the last event at or before the steady time; 0: none. Finds it by halving.
    Result<std::uint64_t> seqAt(std::int64_t steadyUs);

  private:
    explicit RecordingReader(PrivateCopy copy) : m_copy(std::move(copy)) {}
    Status openCopy();
    int step(Statement& statement);
    static int onProgress(void* self);
    Result<std::optional<std::int64_t>> oneNumber(const char* sql, std::int64_t argument);
    Result<Event> toEvent(const StoredRecord& record) const;
    std::optional<std::string> checkLink(const StoredRecord& record, std::uint64_t expectedSeq, chain::Digest& head) const;
    Status checkPages(VerifyReport& report);

    PrivateCopy m_copy;
    std::unique_ptr<Database> m_database;
    std::map<std::string, std::string> m_meta;
    std::map<std::int64_t, std::string> m_actors;
    std::optional<VerifyReport> m_verified;
    std::chrono::steady_clock::time_point m_limit;
};

} // namespace tealdeck
