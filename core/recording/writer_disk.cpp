// SPDX-License-Identifier: GPL-3.0-or-later
// The part of the writer that works on the disk.
#include "core/recording/finish.h"
#include "core/recording/keyframes.h"
#include "core/recording/schema.h"
#include "core/recording/writer.h"
#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

namespace tealdeck {
namespace {

constexpr Millis FLUSH_AFTER{80}; ///< with the commit itself within the promised 100 ms
constexpr Millis RETRY_AFTER{500};

} // namespace

Status RecordingWriter::openDatabase() {
    Result<std::unique_ptr<Database>> opened = Database::open(m_path.string(), SQLITE_OPEN_READWRITE, plainText(m_path.string(), 200));
    if (!opened) {
        return opened.error();
    }
    m_database = std::move(opened).value();
    sqlite3_db_config(m_database->handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(m_database->handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    // Exclusive: a second writer is refused, and the index of the write-ahead log needs no shared file.
    return m_database->exec(
        "PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY");
}

Status RecordingWriter::makeTables() {
    Status made = beginTables(*m_database, m_identity.version);
    made = made ? insertMeta(*m_database, m_identity) : made;
    // Into the file itself at once: a reader knows a recording by its first page, before it looks at the log.
    return made ? m_database->exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)") : made;
}

/// The state in which the last record left the chain.
Status RecordingWriter::loadTail() {
    const Result<std::uint32_t> version = loadVersion(*m_database);
    if (!version) {
        return version.error();
    }
    if (Status ours = checkSchema(*m_database, *version); !ours) {
        return ours;
    }
    Result<Identity> identity = loadIdentity(*m_database, *version);
    if (!identity) {
        return identity.error();
    }
    m_identity = std::move(identity).value();
    m_meta = m_identity.shownMeta();
    for (const auto& [id, name] : m_identity.actors) {
        m_actors.emplace(name.shown(), id);
        m_actorTexts.emplace(name.shown(), name);
    }
    m_head = m_identity.genesis();
    RecordStream stream(*m_database, m_identity);
    const Result<std::uint64_t> last = stream.lastSeq();
    if (!last || *last == 0) {
        m_index = last && *version > 1 ? std::optional<IndexBuilder>(std::in_place) : std::nullopt;
        return last ? Status() : Status(last.error());
    }
    bool finished = false;
    const Status read = stream.records(*last, 1, [&](const StoredRecord& record) {
        m_head = record.hash;
        m_lastSeq = m_writtenSeq = record.seq;
        m_lastSteadyUs = m_sealUs = record.steadyUs;
        const Result<Event> event = stream.toEvent(record);
        finished = event.ok() && event->kind == EventKind::Seal && member<bool>(event->body, "closed", false);
        return false;
    });
    if (!read || m_lastSeq != *last) {
        return read ? Status(badRecording(m_database->name(), "its last record cannot be read")) : read;
    }
    if (finished) {
        return Error{
            Error::Kind::Refused, fmt::format("The recording {} is finished; nothing can be added to it.", m_database->name()), {}, {}};
    }
    m_index = *version > 1 ? loadIndex(stream) : std::nullopt;
    return {};
}

/// The derived tables go on where they were; without them when they are unsound, since records matter more.
std::optional<IndexBuilder> RecordingWriter::loadIndex(RecordStream& stream) {
    IndexBuilder builder;
    Keyframes keyframes(*m_database, m_identity, stream);
    const Result<std::optional<RestoredKeyframe>> frame = keyframes.atOrBefore(std::numeric_limits<std::uint64_t>::max());
    if (!frame) {
        return std::nullopt;
    }
    const std::uint64_t seq = *frame ? (*frame)->snapshot.seq : 0;
    Status read;
    if (*frame) {
        const std::int64_t timeUs = (*frame)->snapshot.steadyUs;
        const Result<std::uint64_t> before = stream.seqAt(pyramid::chunkAt(timeUs) * pyramid::CHUNK_US - 1);
        builder.resume((*frame)->snapshot, (*frame)->metrics);
        read = before ? stream.events(*before + 1, seq - *before,
                                      [&](const Event& event) {
                                          builder.sampleAgain(event);
                                          return true;
                                      })
                      : Status(before.error());
    }
    read = read ? stream.events(seq + 1, 0,
                                [&](const Event& event) {
                                    builder.apply(event);
                                    return true;
                                })
                : read;
    return read ? std::optional(std::move(builder)) : std::nullopt;
}

Status RecordingWriter::prepare() {
    Result<Statement> insert = m_database->prepare(INSERT_RECORD);
    if (!insert) {
        return insert.error();
    }
    m_insert = std::move(insert).value();
    return {};
}

/// Writes everything that waits, unless another thread has already written up to the given record.
Status RecordingWriter::drain(std::uint64_t upTo) {
    const std::lock_guard disk(m_diskMutex);
    if (m_writtenSeq >= upTo) {
        return {};
    }
    if (!m_database) {
        return Error{Error::Kind::Conflict, "The recording is closed.", {}, {}};
    }
    std::deque<Row> rows;
    {
        const std::lock_guard lock(m_queueMutex);
        rows.swap(m_queue);
        m_queuedBytes = 0;
    }
    if (rows.empty()) {
        return {};
    }
    Status written = writeRows(rows);
    if (written) {
        m_writtenSeq = rows.back().record.seq;
        return {};
    }
    if (sqlite3_get_autocommit(m_database->handle()) == 0) {
        const Status undone = m_database->exec("ROLLBACK");
        static_cast<void>(undone);
    }
    // Back to the front in their order: the next attempt takes them together with what came meanwhile.
    const std::lock_guard lock(m_queueMutex);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        m_queuedBytes += row->body.size();
        m_queue.push_front(std::move(*row));
    }
    return written;
}

Status RecordingWriter::writeRows(const std::deque<Row>& rows) {
    if (Status begun = m_database->exec("BEGIN IMMEDIATE"); !begun) {
        return begun;
    }
    const std::map<std::string, std::int64_t> actorsBefore = m_actors;
    Status written;
    for (auto row = rows.begin(); written && row != rows.end(); ++row) {
        written = writeRow(*row);
    }
    written = written ? m_database->exec("COMMIT") : written;
    if (!written) {
        m_actors = actorsBefore;
    }
    return written;
}

Status RecordingWriter::writeRow(const Row& row) {
    const Result<std::int64_t> actor = actorId(row.actor);
    if (!actor) {
        return actor.error();
    }
    StoredRecord record = row.record;
    record.actor = *actor;
    record.body = row.body;
    Status written = insertRecord(*m_database, m_insert, m_identity.version, record);
    return written ? writeIndex(row.index, record.seq) : written;
}

Status RecordingWriter::writeIndex(const IndexRows& rows, std::uint64_t seal) {
    if (!rows.keyframe) {
        return {};
    }
    Result<Statement> keyframe = m_database->prepare("INSERT INTO keyframe(seq, base, body) VALUES(?, ?, ?)");
    Result<Statement> pyramid = m_database->prepare("INSERT INTO pyramid(name, chunk, seal, body) VALUES(?, ?, ?, ?)");
    if (!keyframe || !pyramid) {
        return keyframe ? pyramid.error() : keyframe.error();
    }
    const KeyframeRow& key = *rows.keyframe;
    keyframe->bind(1, static_cast<std::int64_t>(key.seq)).bind(2, static_cast<std::int64_t>(key.base));
    bool done = keyframe->bindBlob(3, key.body.data(), key.body.size()).step() == SQLITE_DONE;
    for (auto row = rows.pyramid.begin(); done && row != rows.pyramid.end(); ++row) {
        pyramid->bindText(1, row->name).bind(2, row->chunk).bind(3, static_cast<std::int64_t>(seal));
        done = pyramid->bindBlob(4, row->body.data(), row->body.size()).step() == SQLITE_DONE;
        if (done) {
            pyramid->reset();
        }
    }
    return done ? Status() : Status(m_database->error("write"));
}

Result<std::int64_t> RecordingWriter::actorId(const std::string& name) {
    if (const auto known = m_actors.find(name); known != m_actors.end()) {
        return known->second;
    }
    if (m_actors.size() >= schema::MAX_ACTORS) {
        return Error{Error::Kind::Internal, "Too many different actors for one recording.", {}, {}};
    }
    const auto id = static_cast<std::int64_t>(m_actors.size()) + 1;
    StoredText text{name, {}, {}};
    if (m_identity.version > 1) {
        const std::lock_guard lock(m_queueMutex);
        text = actorText(name);
    }
    if (Status inserted = insertActor(*m_database, m_identity.version, id, text); !inserted) {
        return inserted.error();
    }
    m_actors.emplace(name, id);
    return id;
}

void RecordingWriter::startFlusher() {
    m_flusher = std::thread([this] { flusher(); });
}

void RecordingWriter::stopFlusher() {
    {
        const std::lock_guard lock(m_queueMutex);
        m_stopping = true;
    }
    m_queueChanged.notify_all();
    if (m_flusher.joinable()) {
        m_flusher.join();
    }
}

void RecordingWriter::flusher() {
    std::unique_lock lock(m_queueMutex);
    while (!m_stopping) {
        m_queueChanged.wait(lock, [this] { return m_stopping || !m_queue.empty(); });
        m_queueChanged.wait_for(lock, FLUSH_AFTER, [this] { return m_stopping; });
        lock.unlock();
        const Status written = flush();
        lock.lock();
        if (!written) {
            m_queueChanged.wait_for(lock, RETRY_AFTER, [this] { return m_stopping; });
        }
    }
}

Status RecordingWriter::finishFile() {
    const std::lock_guard disk(m_diskMutex);
    m_insert = Statement();
    if (Status folded = m_database->exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE"); !folded) {
        return folded;
    }
    m_database.reset();
    return finishRecordingFile(m_path);
}

} // namespace tealdeck
