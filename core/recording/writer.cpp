// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/writer.h"

#include "core/recording/schema.h"
#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr Millis FLUSH_AFTER{80}; ///< with the commit itself within the promised 100 ms
constexpr Millis RETRY_AFTER{500};
constexpr std::size_t MAX_QUEUED = std::size_t{64} << 20;

std::string shown(const std::filesystem::path& path) {
    return plainText(path.string(), 200);
}

Status syncPath(const std::filesystem::path& path, int flags) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
    const bool fine = fd >= 0 && ::fsync(fd) == 0;
    const int reason = errno;
    if (fd >= 0) {
        ::close(fd);
    }
    return fine ? Status()
                : Status(Error{Error::Kind::Unavailable, fmt::format("Cannot flush {}: {}.", shown(path), systemReason(reason)), {}, {}});
}

std::filesystem::path folderOf(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

Status checkMeta(const std::map<std::string, std::string>& meta) {
    const bool fine = meta.size() <= schema::MAX_META && std::all_of(meta.begin(), meta.end(), [](const auto& entry) {
                          return entry.first.size() <= schema::MAX_NAME && entry.second.size() <= schema::MAX_VALUE &&
                                 isUtf8(entry.first) && isUtf8(entry.second);
                      });
    return fine ? Status()
                : Status(Error{Error::Kind::Invalid, "What the recording should say about itself is too long or not UTF-8.", {}, {}});
}

} // namespace

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(const std::filesystem::path& path,
                                                                 const std::map<std::string, std::string>& meta) {
    if (Status fine = checkMeta(meta); !fine) {
        return fine.error();
    }
    if (Status made = makePrivateFolder(folderOf(path)); !made) {
        return made.error();
    }
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return Error{errno == EEXIST ? Error::Kind::Conflict : Error::Kind::Unavailable,
                     fmt::format("Cannot make the recording {}: {}.", shown(path), systemReason(errno)),
                     "A recording is never written over; choose another name or folder.",
                     {}};
    }
    ::close(fd);
    std::unique_ptr<RecordingWriter> writer(new RecordingWriter(path, meta));
    Status made = writer->openDatabase();
    made = made ? writer->makeTables() : made;
    made = made ? writer->prepare() : made;
    made = made ? syncPath(folderOf(path), O_DIRECTORY) : made;
    if (!made) {
        writer->m_database.reset();
        ::unlink(path.c_str());
        return made.error();
    }
    writer->m_head = chain::genesis(meta);
    writer->startFlusher();
    return writer;
}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::reopen(const std::filesystem::path& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) {
        return Error{Error::Kind::Invalid, fmt::format("There is no recording {}.", shown(path)), {}, {}};
    }
    if ((found.st_mode & S_IWUSR) == 0) {
        return Error{Error::Kind::Refused, fmt::format("The recording {} is finished; nothing can be added to it.", shown(path)), {}, {}};
    }
    std::unique_ptr<RecordingWriter> writer(new RecordingWriter(path, {}));
    Status opened = writer->openDatabase();
    opened = opened ? checkSchema(*writer->m_database) : opened;
    opened = opened ? writer->loadTail() : opened;
    opened = opened ? writer->prepare() : opened;
    if (!opened) {
        return opened.error();
    }
    writer->startFlusher();
    return writer;
}

RecordingWriter::~RecordingWriter() {
    stopFlusher();
    if (m_database) {
        // What cannot be written now is lost, as it would be in a crash; durable records never wait here.
        const Status ignored = flush();
        static_cast<void>(ignored);
    }
}

Status RecordingWriter::openDatabase() {
    Result<std::unique_ptr<Database>> opened = Database::open(m_path.string(), SQLITE_OPEN_READWRITE, shown(m_path));
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
    std::string sql = fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; BEGIN;", schema::APPLICATION_ID, schema::USER_VERSION);
    for (const schema::Table& table : schema::TABLES) {
        sql += std::string(table.sql) + ";";
    }
    if (Status made = m_database->exec(sql.c_str()); !made) {
        return made;
    }
    Result<Statement> insert = m_database->prepare("INSERT INTO meta(key, value) VALUES(?, ?)");
    if (!insert) {
        return insert.error();
    }
    for (const auto& [key, value] : m_meta) {
        if (insert->bindText(1, key).bindText(2, value).step() != SQLITE_DONE) {
            return m_database->error("write");
        }
        insert->reset();
    }
    // Into the file itself at once: a reader knows a recording by its first page, before it looks at the log.
    return m_database->exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

/// The state in which the last record left the chain.
Status RecordingWriter::loadTail() {
    Result<std::map<std::string, std::string>> meta = loadMeta(*m_database);
    Result<std::map<std::int64_t, std::string>> actors = loadActors(*m_database);
    if (!meta || !actors) {
        return meta ? actors.error() : meta.error();
    }
    m_meta = *meta;
    for (const auto& [id, name] : *actors) {
        m_actors.emplace(name, id);
    }
    Result<Statement> rows = m_database->prepare(fmt::format("SELECT {} FROM record ORDER BY seq DESC LIMIT 2", RECORD_COLUMNS).c_str());
    if (!rows) {
        return rows.error();
    }
    StoredRecord last;
    StoredRecord previous;
    previous.hash = chain::genesis(m_meta);
    std::string body;
    int found = 0;
    int code = rows->step();
    for (; code == SQLITE_ROW && found < 2; code = rows->step(), ++found) {
        if (const auto wrong = takeRecord(*rows, found == 0 ? last : previous)) {
            return badRecording(m_database->name(), *wrong);
        }
        body = found == 0 ? std::string(last.body.value_or("")) : body;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return m_database->error("read");
    }
    if (found == 0) {
        m_head = previous.hash;
        return {};
    }
    const auto actor = actors->find(last.actor);
    const bool fits = actor != actors->end() && last.seq == previous.seq + 1 &&
                      (!last.salt || chain::leaf(*last.salt, body) == last.leaf) &&
                      chain::next(previous.hash, {last.seq, last.steadyUs, last.wallUs, last.kind, actor->second}, last.leaf) == last.hash;
    if (!fits) {
        return badRecording(m_database->name(), fmt::format("the chain is broken at its last record {}", last.seq));
    }
    const std::optional<Json> parsed = parseJson(body);
    if (last.kind == static_cast<std::int64_t>(EventKind::Seal) && parsed && member<bool>(*parsed, "closed", false)) {
        return Error{
            Error::Kind::Refused, fmt::format("The recording {} is finished; nothing can be added to it.", m_database->name()), {}, {}};
    }
    m_head = last.hash;
    m_lastSeq = m_writtenSeq = last.seq;
    m_lastSteadyUs = last.steadyUs;
    return {};
}

Status RecordingWriter::prepare() {
    Result<Statement> insert =
        m_database->prepare(fmt::format("INSERT INTO record({}) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", RECORD_COLUMNS).c_str());
    Result<Statement> insertActor = m_database->prepare("INSERT INTO actor(id, name) VALUES(?, ?)");
    if (!insert || !insertActor) {
        return insert ? insertActor.error() : insert.error();
    }
    m_insert = std::move(insert).value();
    m_insertActor = std::move(insertActor).value();
    return {};
}

Status RecordingWriter::enqueue(const Event& event) {
    Row row;
    row.body = dumpJson(event.body);
    row.salt = chain::randomSalt();
    row.leaf = chain::leaf(row.salt, row.body);
    row.event = {event.seq, event.steadyUs, event.wallUs, event.kind, plainText(event.actor, schema::MAX_NAME / 4), Json()};
    if (!event.body.is_object() || row.body.size() > schema::MAX_BODY || isNestedDeeper(row.body, 60)) {
        return Error{Error::Kind::Internal,
                     fmt::format("Event {} cannot be recorded: its body is no object, too long or too deep.", event.seq),
                     {},
                     {}};
    }
    const std::lock_guard lock(m_queueMutex);
    if (m_closed || event.seq != m_lastSeq + 1) {
        return Error{Error::Kind::Conflict,
                     m_closed ? "The recording is closed."
                              : fmt::format("Event {} cannot follow event {} in the recording.", event.seq, m_lastSeq),
                     {},
                     {}};
    }
    if (m_queuedBytes > MAX_QUEUED) {
        return Error{Error::Kind::Unavailable,
                     "The recording could not be written for so long that no more records fit in memory.",
                     "Free some disk space.",
                     {}};
    }
    row.event.steadyUs = std::max(event.steadyUs, m_lastSteadyUs);
    const auto kind = static_cast<std::int64_t>(row.event.kind);
    row.hash = chain::next(m_head, {event.seq, row.event.steadyUs, event.wallUs, kind, row.event.actor}, row.leaf);
    m_head = row.hash;
    m_lastSeq = event.seq;
    m_lastSteadyUs = row.event.steadyUs;
    m_queuedBytes += row.body.size();
    m_queue.push_back(std::move(row));
    return {};
}

Status RecordingWriter::append(const Event& event) {
    if (Status queued = enqueue(event); !queued) {
        return queued;
    }
    if (isDurableKind(event.kind)) {
        return drain(event.seq);
    }
    m_queueChanged.notify_one();
    return {};
}

Status RecordingWriter::flush() {
    return drain(std::numeric_limits<std::uint64_t>::max());
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
        m_writtenSeq = rows.back().event.seq;
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
    for (const Row& row : rows) {
        const Result<std::int64_t> actor = actorId(row.event.actor);
        if (!actor) {
            written = actor.error();
            break;
        }
        m_insert.bind(1, static_cast<std::int64_t>(row.event.seq)).bind(2, row.event.steadyUs).bind(3, row.event.wallUs);
        m_insert.bind(4, static_cast<std::int64_t>(row.event.kind)).bind(5, *actor).bindBlob(6, row.salt.data(), row.salt.size());
        m_insert.bindBlob(7, row.body.data(), row.body.size()).bindBlob(8, row.leaf.data(), row.leaf.size());
        if (m_insert.bindBlob(9, row.hash.data(), row.hash.size()).step() != SQLITE_DONE) {
            written = m_database->error("write");
        }
        m_insert.reset();
        if (!written) {
            break;
        }
    }
    written = written ? m_database->exec("COMMIT") : written;
    if (!written) {
        m_actors = actorsBefore;
    }
    return written;
}

Result<std::int64_t> RecordingWriter::actorId(const std::string& name) {
    if (const auto known = m_actors.find(name); known != m_actors.end()) {
        return known->second;
    }
    if (m_actors.size() >= schema::MAX_ACTORS) {
        return Error{Error::Kind::Internal, "Too many different actors for one recording.", {}, {}};
    }
    const auto id = static_cast<std::int64_t>(m_actors.size()) + 1;
    const int code = m_insertActor.bind(1, id).bindText(2, name).step();
    if (code != SQLITE_DONE) {
        const Error error = m_database->error("write");
        m_insertActor.reset();
        return error;
    }
    m_insertActor.reset();
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

std::string RecordingWriter::headHash() const {
    return chain::hex(locked(m_head));
}

std::uint64_t RecordingWriter::lastSeq() const {
    return locked(m_lastSeq);
}

std::int64_t RecordingWriter::lastSteadyUs() const {
    return locked(m_lastSteadyUs);
}

Status RecordingWriter::close() {
    {
        const std::lock_guard lock(m_queueMutex);
        if (m_closed) {
            return {};
        }
    }
    const Event seal{lastSeq() + 1,   lastSteadyUs(), Clock::system().wallUs(),
                     EventKind::Seal, "engine",       {{"head", headHash()}, {"closed", true}}};
    if (Status sealed = append(seal); !sealed) {
        return sealed;
    }
    {
        const std::lock_guard lock(m_queueMutex);
        m_closed = true;
    }
    stopFlusher();
    return finishFile();
}

Status RecordingWriter::finishFile() {
    const std::lock_guard disk(m_diskMutex);
    m_insert = Statement();
    m_insertActor = Statement();
    if (Status folded = m_database->exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE"); !folded) {
        return folded;
    }
    m_database.reset();
    if (::chmod(m_path.c_str(), 0400) != 0) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot make {} read-only: {}.", shown(m_path), systemReason(errno)), {}, {}};
    }
    Status synced = syncPath(m_path, 0);
    return synced ? syncPath(folderOf(m_path), O_DIRECTORY) : synced;
}

} // namespace tealdeck
