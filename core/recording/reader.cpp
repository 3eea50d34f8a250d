// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/reader.h"

#include "core/recording/schema.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

namespace tealdeck {
namespace {

/// No single step of ours comes near this; a file made to keep SQLite busy does.
constexpr Millis STEP_LIMIT{2000};
constexpr Millis PAGES_LIMIT{60'000};

/// Brings the pages of the log into the copy, as the writer would do at its end.
Status foldLog(const PrivateCopy& copy) {
    Result<std::unique_ptr<Database>> opened = Database::open(copy.file.string(), SQLITE_OPEN_READWRITE, copy.name);
    if (!opened) {
        return opened.error();
    }
    (*opened)->harden();
    return (*opened)->exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF; PRAGMA cell_size_check=ON; PRAGMA "
                           "wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE");
}

} // namespace

RecordingReader::~RecordingReader() = default;

Result<std::unique_ptr<RecordingReader>> RecordingReader::open(const std::filesystem::path& path) {
    Result<PrivateCopy> copy = PrivateCopy::make(path);
    if (!copy) {
        return copy.error();
    }
    std::unique_ptr<RecordingReader> reader(new RecordingReader(std::move(copy).value()));
    if (Status opened = reader->openCopy(); !opened) {
        return opened.error();
    }
    return reader;
}

Status RecordingReader::openCopy() {
    // A killed writer leaves the mark of WAL mode in the header even without a log; an immutable open would refuse that.
    if (Status folded = m_copy.isPlain ? Status() : foldLog(m_copy); !folded) {
        return folded;
    }
    const std::string uri = "file:" + m_copy.file.string() + "?mode=ro&immutable=1"; // our own temporary name: nothing to escape
    Result<std::unique_ptr<Database>> opened = Database::open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, m_copy.name);
    if (!opened) {
        return opened.error();
    }
    m_database = std::move(opened).value();
    m_database->harden();
    m_database->limitSteps(STEP_LIMIT);
    if (Status set = m_database->exec("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY");
        !set) {
        return set;
    }
    m_database->allowOnlyReading();
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
    m_stream = std::make_unique<RecordStream>(*m_database, m_identity);
    m_keyframes = std::make_unique<Keyframes>(*m_database, m_identity, *m_stream);
    m_copy.forget();
    return {};
}

Status RecordingReader::read(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const Event&)>& each) {
    return m_stream->events(fromSeq, limit, each);
}

Status RecordingReader::readStored(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const StoredRecord&)>& each) {
    return m_stream->records(fromSeq, limit, each);
}

Result<std::vector<Event>> RecordingReader::all() {
    std::vector<Event> events;
    const Status done = read(1, 0, [&events](const Event& event) {
        events.push_back(event);
        return true;
    });
    return done ? Result<std::vector<Event>>(std::move(events)) : Result<std::vector<Event>>(done.error());
}

Result<std::uint64_t> RecordingReader::seqAt(std::int64_t steadyUs) {
    return m_stream->seqAt(steadyUs);
}

Result<VerifyReport> RecordingReader::verify() {
    Result<Statement> rows = m_database->prepare(fmt::format("SELECT {} FROM record ORDER BY seq", RECORD_COLUMNS).c_str());
    if (!rows) {
        return rows.error();
    }
    VerifyReport report;
    chain::Digest sound = m_identity.genesis();
    std::int64_t time = std::numeric_limits<std::int64_t>::min();
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step()) {
        StoredRecord record;
        std::optional<std::string> wrong = takeRecord(*rows, m_identity.version, record);
        if (!wrong && record.seq != report.records + 1) {
            wrong = fmt::format("record {} is missing", report.records + 1);
        }
        if (!wrong && record.steadyUs < time) {
            wrong = "its time lies before that of the record before it";
        }
        wrong = wrong ? wrong : brokenLink(m_identity, record, sound);
        if (wrong) {
            report.brokenAtSeq = report.records + 1;
            report.reason = *wrong;
            break;
        }
        ++report.records;
        report.redacted += record.body ? 0 : 1;
        sound = record.hash;
        time = record.steadyUs;
    }
    report.headHash = chain::hex(sound);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        report.brokenAtSeq = report.records + 1;
        report.reason = m_database->error("read").message;
    }
    if (report.brokenAtSeq == 0) {
        if (Status checked = checkPages(report); !checked) {
            return checked.error();
        }
        report.reason = report.reason.empty() ? checkIndex().value_or("") : report.reason;
    }
    report.ok = report.brokenAtSeq == 0 && report.reason.empty();
    m_verified = report;
    return report;
}

Status RecordingReader::checkPages(VerifyReport& report) {
    Result<Statement> check = m_database->prepare("PRAGMA integrity_check(1)");
    if (!check) {
        return check.error();
    }
    m_database->limitSteps(PAGES_LIMIT);
    const bool answered = check->step() == SQLITE_ROW;
    const std::string said = answered ? check->text(0, 10'000).value_or("") : m_database->error("check").message;
    m_database->limitSteps(STEP_LIMIT);
    if (said != "ok") {
        report.reason = "the file's pages are damaged: " + plainText(said, 200);
    }
    return {};
}

Result<RecordingInfo> RecordingReader::info() {
    RecordingInfo info;
    info.meta = m_identity.shownMeta();
    info.version = m_identity.version;
    info.sizeBytes = m_copy.sizeBytes;
    info.verified = m_verified;
    info.headHash = chain::hex(m_identity.genesis());
    // As stored, and not only what follows soundly: the reader of a damaged file wants to know too.
    Result<Statement> rows = m_database->prepare(fmt::format("SELECT {0} FROM (SELECT {0} FROM record ORDER BY seq LIMIT 1) UNION ALL "
                                                             "SELECT {0} FROM (SELECT {0} FROM record ORDER BY seq DESC LIMIT 2)",
                                                             RECORD_COLUMNS)
                                                     .c_str());
    if (!rows) {
        return rows.error();
    }
    int code = rows->step();
    for (int row = 0; code == SQLITE_ROW; code = rows->step(), ++row) {
        StoredRecord record;
        if (const auto wrong = takeRecord(*rows, m_identity.version, record)) {
            return badRecording(m_copy.name, *wrong);
        }
        const Result<Event> event = row > 0 ? m_stream->toEvent(record) : Result<Event>(Event());
        if (row == 0) {
            info.firstWallUs = record.wallUs;
        } else if (row == 1) {
            info.records = record.seq;
            info.lastWallUs = record.wallUs;
            info.durationUs = record.steadyUs;
            info.headHash = chain::hex(record.hash);
            info.closed = event.ok() && event->kind == EventKind::Seal && member<bool>(event->body, "closed", false);
        } else if (info.closed && event.ok() && event->kind == EventKind::Gap && member<bool>(event->body, "salvaged", false)) {
            info.salvaged = plainText(member<std::string>(event->body, "text", ""));
        }
    }
    if (code != SQLITE_DONE) {
        return m_database->error("read");
    }
    if (m_identity.version > 1) {
        Result<Statement> count = m_database->prepare("SELECT count(*) FROM keyframe");
        info.keyframes = count && count->step() == SQLITE_ROW ? static_cast<std::uint64_t>(count->integer(0).value_or(0)) : 0;
    }
    return info;
}

} // namespace tealdeck
