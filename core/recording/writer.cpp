// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/writer.h"

#include "core/recording/finish.h"
#include "core/recording/pack.h"
#include "core/recording/schema.h"
#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::size_t MAX_QUEUED = std::size_t{64} << 20;
constexpr std::int64_t SEAL_EVERY_US = 60'000'000;

std::string shown(const std::filesystem::path& path) {
    return plainText(path.string(), 200);
}

Status checkMeta(const std::map<std::string, std::string>& meta) {
    const bool fine = meta.size() <= schema::MAX_META && std::all_of(meta.begin(), meta.end(), [](const auto& entry) {
                          return entry.first.size() <= schema::MAX_NAME && entry.second.size() <= schema::MAX_VALUE &&
                                 isUtf8(entry.first) && isUtf8(entry.second);
                      });
    return fine ? Status()
                : Status(Error{Error::Kind::Invalid, "What the recording should say about itself is too long or not UTF-8.", {}, {}});
}

Identity identityOf(const std::map<std::string, std::string>& meta, std::uint32_t version) {
    Identity identity;
    identity.version = version;
    for (const auto& [key, value] : meta) {
        identity.meta.emplace(key, version == 1 ? StoredText{value, {}, {}} : saltedText(value));
    }
    return identity;
}

} // namespace

RecordingWriter::RecordingWriter(std::filesystem::path path, Identity identity)
    : m_path(std::move(path)), m_meta(identity.shownMeta()), m_identity(std::move(identity)) {}

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(const std::filesystem::path& path,
                                                                 const std::map<std::string, std::string>& meta, std::uint32_t version) {
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
    std::unique_ptr<RecordingWriter> writer(new RecordingWriter(path, identityOf(meta, version)));
    Status made = writer->openDatabase();
    made = made ? writer->makeTables() : made;
    made = made ? writer->prepare() : made;
    made = made ? syncFolderOf(path) : made;
    if (!made) {
        writer->m_database.reset();
        ::unlink(path.c_str());
        return made.error();
    }
    writer->m_head = writer->m_identity.genesis();
    if (version > 1) {
        writer->m_index.emplace();
    }
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
    std::unique_ptr<RecordingWriter> writer(new RecordingWriter(path, Identity()));
    Status opened = writer->openDatabase();
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

Status RecordingWriter::enqueue(const Event& event, IndexRows index) {
    std::string json = dumpJson(event.body);
    if (!event.body.is_object() || json.size() > schema::MAX_BODY || isNestedDeeper(json, 60)) {
        return Error{Error::Kind::Internal,
                     fmt::format("Event {} cannot be recorded: its body is no object, too long or too deep.", event.seq),
                     {},
                     {}};
    }
    if (m_closed || m_closing || event.seq != m_lastSeq + 1) {
        return Error{Error::Kind::Conflict,
                     m_closed || m_closing ? "The recording is closed."
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
    link(event, std::move(json), std::move(index));
    return {};
}

/// What is measured is stored compactly; what was decided and done stays text that any SQLite can show.
std::string RecordingWriter::stored(const Event& event, const Json& body, std::string json) {
    if (isDurableKind(event.kind)) {
        return json;
    }
    std::string shorter = event.kind == EventKind::Metrics ? m_encoder.encode(event.seq, body) : std::string();
    if (!MetricsDecoder::isCompact(shorter)) {
        shorter = std::string(1, PACKED) + pack(body);
    }
    return shorter.size() < json.size() ? shorter : json;
}

/// The chain goes on with an event that was accepted.
void RecordingWriter::link(const Event& event, std::string json, IndexRows index) {
    // The body as a reader will have it: bytes that are no UTF-8 have been replaced on the way.
    Json body = parseJson(json).value_or(Json::object());
    Row row;
    row.actor = plainText(event.actor, schema::MAX_NAME / 4);
    row.body = m_identity.version == 1 ? std::move(json) : stored(event, body, std::move(json));
    row.index = std::move(index);
    StoredRecord& record = row.record;
    record.seq = event.seq;
    record.steadyUs = std::max(event.steadyUs, m_lastSteadyUs);
    record.wallUs = event.wallUs;
    record.kind = static_cast<std::int64_t>(event.kind);
    record.salt = chain::randomSalt();
    record.leaf = chain::leaf(*record.salt, row.body);
    const chain::Header header{record.seq, record.steadyUs, record.wallUs, record.kind};
    record.hash = m_identity.version == 1 ? chain::next(m_head, header, row.actor, record.leaf)
                                          : chain::next(m_head, header, actorText(row.actor).leaf, record.leaf);
    m_head = record.hash;
    m_lastSeq = event.seq;
    m_lastSteadyUs = record.steadyUs;
    m_queuedBytes += row.body.size();
    if (m_index) {
        m_index->apply({event.seq, record.steadyUs, event.wallUs, event.kind, row.actor, std::move(body)});
    }
    m_queue.push_back(std::move(row));
}

const StoredText& RecordingWriter::actorText(const std::string& name) {
    const auto known = m_actorTexts.find(name);
    return known != m_actorTexts.end() ? known->second : m_actorTexts.emplace(name, saltedText(name)).first->second;
}

/// A seal over everything so far; with a keyframe when the index is asked for.
Status RecordingWriter::enqueueSeal(std::int64_t wallUs, bool withIndex, bool closing, Event& seal) {
    Event made{m_lastSeq + 1, m_lastSteadyUs, wallUs, EventKind::Seal, "engine", {{"head", chain::hex(m_head)}}};
    if (closing) {
        made.body["closed"] = true;
    }
    IndexRows rows = m_index && withIndex ? m_index->take(closing) : IndexRows();
    if (rows.keyframe) {
        made.body["keyframe"] = digestOf(*rows.keyframe);
    }
    if (!rows.pyramid.empty()) {
        PyramidDigest digest;
        for (const PyramidRow& row : rows.pyramid) {
            digest.add(row.name, row.chunk, row.body);
        }
        made.body["pyramid"] = digest.hex();
    }
    Status queued = enqueue(made, std::move(rows));
    if (queued) {
        m_sealUs = m_lastSteadyUs;
        seal = std::move(made);
    }
    return queued;
}

Status RecordingWriter::append(const Event& event) {
    {
        const std::lock_guard lock(m_queueMutex);
        if (Status queued = enqueue(event); !queued) {
            return queued;
        }
    }
    if (isDurableKind(event.kind)) {
        return drain(event.seq);
    }
    m_queueChanged.notify_one();
    return {};
}

Status RecordingWriter::appendSealed(const Event& event, Event& seal) {
    seal = Event();
    {
        const std::lock_guard lock(m_queueMutex);
        if (Status queued = enqueue(event); !queued) {
            return queued;
        }
        // A durable event may be on the way of a switch: it does not wait for a keyframe to be made.
        if (Status queued = enqueueSeal(event.wallUs, !isDurableKind(event.kind), false, seal); !queued) {
            return queued;
        }
    }
    if (isDurableKind(event.kind)) {
        return drain(event.seq);
    }
    m_queueChanged.notify_one();
    return {};
}

bool RecordingWriter::sealDue() const {
    const std::lock_guard lock(m_queueMutex);
    return (m_index && m_index->due()) || m_lastSteadyUs - m_sealUs >= SEAL_EVERY_US;
}

Status RecordingWriter::flush() {
    return drain(std::numeric_limits<std::uint64_t>::max());
}

std::string RecordingWriter::headHash() const {
    return chain::hex(locked(m_head));
}

std::uint64_t RecordingWriter::lastSeq() const {
    return locked(m_lastSeq);
}

bool RecordingWriter::isOpen() const {
    const std::lock_guard lock(m_queueMutex);
    return !m_closing && !m_closed;
}

std::int64_t RecordingWriter::lastSteadyUs() const {
    return locked(m_lastSteadyUs);
}

Status RecordingWriter::close() {
    Event seal;
    {
        const std::lock_guard lock(m_queueMutex);
        if (m_closed) {
            return {};
        }
        if (Status sealed = m_closing ? Status() : enqueueSeal(Clock::system().wallUs(), true, true, seal); !sealed) {
            return sealed;
        }
        m_closing = true; // a full disk may make us come back, and one closing seal is enough
    }
    if (Status written = flush(); !written) {
        return written;
    }
    {
        const std::lock_guard lock(m_queueMutex);
        m_closed = true;
    }
    stopFlusher();
    return finishFile();
}

} // namespace tealdeck
