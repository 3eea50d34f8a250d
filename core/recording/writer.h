// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/recording/database.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
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
    /// tool.
    static Result<std::unique_ptr<RecordingWriter>> create(const std::filesystem::path& path,
                                                           const std::map<std::string, std::string>& meta);
    /// Goes on with an unfinished recording, for example after a crash, once its last record has been verified.
    static Result<std::unique_ptr<RecordingWriter>> reopen(const std::filesystem::path& path);
    /// Writes what waits; the recording stays unfinished unless close() was called.
    ~RecordingWriter();
    RecordingWriter(const RecordingWriter&) = delete;
    RecordingWriter& operator=(const RecordingWriter&) = delete;

    /// The seq must be lastSeq() + 1. A steady time below the last one is raised to it.
    Status append(const Event& event);
    /// Writes what waits now.
    Status flush();
    /// Head of the chain over everything appended so far, 64 hexadecimal digits.
    std::string headHash() const;
    std::uint64_t lastSeq() const;
    std::int64_t lastSteadyUs() const;
    const std::map<std::string, std::string>& meta() const { return m_meta; }
    const std::filesystem::path& path() const { return m_path; }
    /// Seals the recording and makes it a single file of mode 0400. Nothing can be appended afterwards.
    Status close();

  private:
    struct Row {
        Event event; ///< body moved to `body`
        std::string body;
        chain::Salt salt{};
        chain::Digest leaf{};
        chain::Digest hash{};
    };

    template <class T>
    T locked(const T& value) const {
        const std::lock_guard lock(m_queueMutex);
        return value;
    }
    RecordingWriter(std::filesystem::path path, std::map<std::string, std::string> meta)
        : m_path(std::move(path)), m_meta(std::move(meta)) {}
    Status openDatabase();
    Status makeTables();
    Status loadTail();
    Status prepare();
    void startFlusher();
    void stopFlusher();
    void flusher();
    Status enqueue(const Event& event);
    Status drain(std::uint64_t upTo);
    Status writeRows(const std::deque<Row>& rows);
    Result<std::int64_t> actorId(const std::string& name);
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
    bool m_closed = false;
    bool m_stopping = false;

    std::mutex m_diskMutex; ///< taken before m_queueMutex when both are needed; guards the ones below
    std::unique_ptr<Database> m_database;
    Statement m_insert;
    Statement m_insertActor;
    std::map<std::string, std::int64_t> m_actors;
    std::uint64_t m_writtenSeq = 0;
    std::thread m_flusher;
};

} // namespace tealdeck
