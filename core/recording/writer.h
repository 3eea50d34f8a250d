// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/recording/compact.h"
#include "core/recording/index.h"
#include "core/recording/schema.h"
#include "core/recording/stream.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace tealdeck {

/// Writes a recording: one SQLite file that is opened by this object alone. Thread-safe.
///
/// Records of durable kinds are on disk when append() returns; the others follow within 100 ms, or together with the next
/// durable one. When the disk refuses, append() of a durable kind fails ("no record, no action"), but the record stays in
/// memory in its place and is written as soon as the disk allows: a recording has no holes.
class RecordingWriter {
  public:
    /// Makes a new file (0600, never over an existing one; a missing folder is made 0700). meta: recording_id, deployment, plan_sha256,
    /// tool. The version is for tests that need a file of an older format.
    static Result<std::unique_ptr<RecordingWriter>>
    create(const std::filesystem::path& path, const std::map<std::string, std::string>& meta, std::uint32_t version = schema::USER_VERSION);
    /// Goes on with an unfinished recording, for example after a crash, once its last record has been verified. It keeps the
    /// version of its format.
    static Result<std::unique_ptr<RecordingWriter>> reopen(const std::filesystem::path& path);
    /// Writes what waits; the recording stays unfinished unless close() was called.
    ~RecordingWriter();
    RecordingWriter(const RecordingWriter&) = delete;
    RecordingWriter& operator=(const RecordingWriter&) = delete;

    /// The seq must be lastSeq() + 1. A steady time below the last one is raised to it.
    Status append(const Event& event);
    /// The event, and behind it in the same transaction a seal over all before, which becomes `seal`: the two cost one wait for the
    /// disk when the event is durable, else none. The seal's seq stays 0 when the event was not accepted.
    Status appendSealed(const Event& event, Event& seal);
    /// A minute or some hundred records have passed since the last keyframe, which comes with a seal.
    [[nodiscard]] bool sealDue() const;
    /// Writes what waits now.
    Status flush();
    /// Head of the chain over everything appended so far, 64 hexadecimal digits.
    std::string headHash() const;
    std::uint64_t lastSeq() const;
    /// False once close() began: nothing is taken in any more.
    bool isOpen() const;
    std::int64_t lastSteadyUs() const;
    const std::map<std::string, std::string>& meta() const { return m_meta; }
    const std::filesystem::path& path() const { return m_path; }
    /// Seals the recording and makes it a single file of mode 0400, with its SHA-256 beside it in FILE.sha256. Nothing can be
    /// appended afterwards.
    Status close();

  private:
    struct Row {
        StoredRecord record; ///< body and salt below, actor still to be found
        std::string actor;
        std::string body;
        IndexRows index; ///< what a seal brings along
    };

    template <class T>
    T locked(const T& value) const {
        const std::lock_guard lock(m_queueMutex);
        return value;
    }
    RecordingWriter(std::filesystem::path path, Identity identity);
    Status openDatabase();
    Status makeTables();
    Status loadTail();
    std::optional<IndexBuilder> loadIndex(RecordStream& stream);
    Status prepare();
    void startFlusher();
    void stopFlusher();
    void flusher();
    Status enqueue(const Event& event, IndexRows index = {});
    std::string stored(const Event& event, const Json& body, std::string json);
    void link(const Event& event, std::string json, IndexRows index);
    Status enqueueSeal(std::int64_t wallUs, bool withIndex, bool closing, Event& seal);
    Status drain(std::uint64_t upTo);
    Status writeRows(const std::deque<Row>& rows);
    Status writeRow(const Row& row);
    Status writeIndex(const IndexRows& rows, std::uint64_t seal);
    Result<std::int64_t> actorId(const std::string& name);
    const StoredText& actorText(const std::string& name);
    Status finishFile();

    const std::filesystem::path m_path;
    std::map<std::string, std::string> m_meta;

    mutable std::mutex m_queueMutex; ///< guards the chain's head and the queue; never held while the disk works
    std::condition_variable m_queueChanged;
    std::deque<Row> m_queue;
    std::size_t m_queuedBytes = 0;
    std::uint64_t m_lastSeq = 0;
    std::int64_t m_lastSteadyUs = 0;
    chain::Digest m_head{};
    std::map<std::string, StoredText> m_actorTexts;
    MetricsEncoder m_encoder;
    std::optional<IndexBuilder> m_index; ///< none for version 1, and when the file's own cannot be gone on with
    std::int64_t m_sealUs = 0;           ///< steady time of the last seal
    bool m_closing = false;
    bool m_closed = false;
    bool m_stopping = false;

    std::mutex m_diskMutex; ///< taken before m_queueMutex when both are needed; guards the ones below
    Identity m_identity;    ///< its actors are those that are in the file
    std::unique_ptr<Database> m_database;
    Statement m_insert;
    std::map<std::string, std::int64_t> m_actors;
    std::uint64_t m_writtenSeq = 0;
    std::thread m_flusher;
};

} // namespace tealdeck
