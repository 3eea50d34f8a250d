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
constexpr std::chrono::seconds STEP_LIMIT{2};
constexpr std::chrono::seconds PAGES_LIMIT{60};
constexpr int PROGRESS_EVERY = 20'000;

void harden(sqlite3* handle) {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 16 << 20);
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 100'000);
    sqlite3_limit(handle, SQLITE_LIMIT_COLUMN, 100);
    sqlite3_limit(handle, SQLITE_LIMIT_EXPR_DEPTH, 10);
    sqlite3_limit(handle, SQLITE_LIMIT_COMPOUND_SELECT, 3);
    sqlite3_limit(handle, SQLITE_LIMIT_VDBE_OP, 25'000);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
}

/// Brings the pages of the log into the copy, as the writer would do at its end.
Status foldLog(const PrivateCopy& copy) {
    Result<std::unique_ptr<Database>> opened = Database::open(copy.file.string(), SQLITE_OPEN_READWRITE, copy.name);
    if (!opened) {
        return opened.error();
    }
    harden((*opened)->handle());
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
    if (Status folded = foldLog(m_copy); !folded) {
        return folded;
    }
    const std::string uri = "file:" + m_copy.file.string() + "?mode=ro&immutable=1"; // our own temporary name: nothing to escape
    Result<std::unique_ptr<Database>> opened = Database::open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, m_copy.name);
    if (!opened) {
        return opened.error();
    }
    m_database = std::move(opened).value();
    harden(m_database->handle());
    m_limit = std::chrono::steady_clock::now() + STEP_LIMIT;
    sqlite3_progress_handler(m_database->handle(), PROGRESS_EVERY, &RecordingReader::onProgress, this);
    if (Status set = m_database->exec("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY");
        !set) {
        return set;
    }
    if (Status ours = checkSchema(*m_database); !ours) {
        return ours;
    }
    Result<std::map<std::string, std::string>> meta = loadMeta(*m_database);
    if (!meta) {
        return meta.error();
    }
    Result<std::map<std::int64_t, std::string>> actors = loadActors(*m_database);
    if (!actors) {
        return actors.error();
    }
    m_meta = std::move(meta).value();
    m_actors = std::move(actors).value();
    m_copy.forget();
    return {};
}

int RecordingReader::onProgress(void* self) {
    return std::chrono::steady_clock::now() > static_cast<RecordingReader*>(self)->m_limit ? 1 : 0;
}

int RecordingReader::step(Statement& statement) {
    m_limit = std::chrono::steady_clock::now() + STEP_LIMIT;
    return statement.step();
}

/// The first column of the first row; std::nullopt when there is no row.
Result<std::optional<std::int64_t>> RecordingReader::oneNumber(const char* sql, std::int64_t argument) {
    Result<Statement> statement = m_database->prepare(sql);
    if (!statement) {
        return statement.error();
    }
    const int code = step(statement->bind(1, argument));
    if (code == SQLITE_DONE) {
        return std::optional<std::int64_t>();
    }
    if (code != SQLITE_ROW) {
        return m_database->error("read");
    }
    const std::optional<std::int64_t> number = statement->integer(0);
    return number ? Result<std::optional<std::int64_t>>(number) : badRecording(m_copy.name, "a number has a wrong type");
}

Result<Event> RecordingReader::toEvent(const StoredRecord& record) const {
    const auto broken = [&](const std::string& why) { return badRecording(m_copy.name, fmt::format("record {}: {}", record.seq, why)); };
    const auto actor = m_actors.find(record.actor);
    if (actor == m_actors.end() || record.kind < 0 || record.kind > std::numeric_limits<int>::max()) {
        return broken("its actor or its kind is unknown");
    }
    Event event{record.seq, record.steadyUs, record.wallUs, static_cast<EventKind>(record.kind), actor->second, {{"redacted", true}}};
    if (!record.body) {
        return event;
    }
    if (chain::leaf(*record.salt, *record.body) != record.leaf) {
        return broken("its body was changed");
    }
    std::optional<Json> body = parseJson(std::string(*record.body));
    if (!body || !body->is_object()) {
        return broken("its body is no JSON object");
    }
    event.body = std::move(*body);
    return event;
}

Status RecordingReader::read(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const Event&)>& each) {
    constexpr auto MOST = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    Result<Statement> rows =
        m_database->prepare(fmt::format("SELECT {} FROM record WHERE seq >= ? ORDER BY seq LIMIT ?", RECORD_COLUMNS).c_str());
    if (!rows) {
        return rows.error();
    }
    rows->bind(1, static_cast<std::int64_t>(std::min(fromSeq, MOST)));
    rows->bind(2, limit == 0 ? -1 : static_cast<std::int64_t>(std::min(limit, MOST)));
    std::uint64_t expected = std::max<std::uint64_t>(fromSeq, 1);
    int code = step(*rows);
    for (; code == SQLITE_ROW; code = step(*rows), ++expected) {
        StoredRecord record;
        const std::optional<std::string> wrong = takeRecord(*rows, record);
        if (wrong || record.seq != expected) {
            return badRecording(m_copy.name,
                                wrong ? fmt::format("record {}: {}", expected, *wrong) : fmt::format("record {} is missing", expected));
        }
        const Result<Event> event = toEvent(record);
        if (!event) {
            return event.error();
        }
        if (!each(*event)) {
            return {};
        }
    }
    return code == SQLITE_DONE ? Status() : Status(m_database->error("read"));
}

Result<std::vector<Event>> RecordingReader::all() {
    std::vector<Event> events;
    const Status done = read(1, 0, [&events](const Event& event) {
        events.push_back(event);
        return true;
    });
    return done ? Result<std::vector<Event>>(std::move(events)) : Result<std::vector<Event>>(done.error());
}

/// Goes one link on; why it does not fit, if it does not.
std::optional<std::string> RecordingReader::checkLink(const StoredRecord& record, std::uint64_t expectedSeq, chain::Digest& head) const {
    if (record.seq != expectedSeq) {
        return fmt::format("record {} is missing", expectedSeq);
    }
    const auto actor = m_actors.find(record.actor);
    if (actor == m_actors.end()) {
        return "its actor is not in the list";
    }
    if (record.salt && chain::leaf(*record.salt, *record.body) != record.leaf) {
        return "its body was changed";
    }
    head = chain::next(head, {record.seq, record.steadyUs, record.wallUs, record.kind, actor->second}, record.leaf);
    return head == record.hash ? std::nullopt : std::optional<std::string>("its hash does not follow from the record before it");
}

Result<VerifyReport> RecordingReader::verify() {
    Result<Statement> rows = m_database->prepare(fmt::format("SELECT {} FROM record ORDER BY seq", RECORD_COLUMNS).c_str());
    if (!rows) {
        return rows.error();
    }
    VerifyReport report;
    chain::Digest head = chain::genesis(m_meta);
    chain::Digest sound = head;
    int code = step(*rows);
    for (; code == SQLITE_ROW; code = step(*rows)) {
        StoredRecord record;
        std::optional<std::string> wrong = takeRecord(*rows, record);
        wrong = wrong ? wrong : checkLink(record, report.records + 1, head);
        if (wrong) {
            report.brokenAtSeq = report.records + 1;
            report.reason = *wrong;
            break;
        }
        ++report.records;
        report.redacted += record.body ? 0 : 1;
        sound = record.hash;
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
    m_limit = std::chrono::steady_clock::now() + PAGES_LIMIT;
    const bool answered = check->step() == SQLITE_ROW;
    const std::string said = answered ? check->text(0, 10'000).value_or("") : m_database->error("check").message;
    if (said != "ok") {
        report.reason = "the file's pages are damaged: " + plainText(said, 200);
    }
    return {};
}

Result<RecordingInfo> RecordingReader::info() {
    RecordingInfo info;
    info.meta = m_meta;
    info.sizeBytes = m_copy.sizeBytes;
    info.verified = m_verified;
    info.headHash = chain::hex(chain::genesis(m_meta));
    for (const char* end : {"ASC", "DESC"}) {
        Result<Statement> row =
            m_database->prepare(fmt::format("SELECT {} FROM record ORDER BY seq {} LIMIT 1", RECORD_COLUMNS, end).c_str());
        if (!row) {
            return row.error();
        }
        const int code = step(*row);
        if (code == SQLITE_DONE) {
            return info;
        }
        StoredRecord record;
        const std::optional<std::string> wrong = code == SQLITE_ROW ? takeRecord(*row, record) : std::optional<std::string>();
        if (code != SQLITE_ROW || wrong) {
            return wrong ? badRecording(m_copy.name, *wrong) : m_database->error("read");
        }
        if (end[0] == 'A') {
            info.firstWallUs = record.wallUs;
            continue;
        }
        info.records = record.seq;
        info.lastWallUs = record.wallUs;
        info.durationUs = record.steadyUs;
        info.headHash = chain::hex(record.hash);
        const Result<Event> last = toEvent(record);
        info.closed = last.ok() && last->kind == EventKind::Seal && member<bool>(last->body, "closed", false);
    }
    return info;
}

Result<std::uint64_t> RecordingReader::seqAt(std::int64_t steadyUs) {
    const Result<std::optional<std::int64_t>> last = oneNumber("SELECT seq FROM record WHERE seq >= ? ORDER BY seq DESC LIMIT 1", 1);
    if (!last) {
        return last.error();
    }
    std::int64_t low = 0; // at or before the time, or none
    std::int64_t high = last->value_or(0);
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2 + (high - low) % 2;
        const Result<std::optional<std::int64_t>> time = oneNumber("SELECT t_us FROM record WHERE seq = ?", middle);
        if (!time) {
            return time.error();
        }
        if (!*time) {
            return badRecording(m_copy.name, fmt::format("record {} is missing", middle));
        }
        if (**time <= steadyUs) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return static_cast<std::uint64_t>(low);
}

} // namespace tealdeck
