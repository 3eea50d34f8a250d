// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/database.h"

#include "core/recording/schema.h"
#include "core/util/text.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <sqlite3.h>

namespace tealdeck {
namespace {

template <std::size_t N>
bool takeBytes(const std::optional<std::string_view>& bytes, std::array<unsigned char, N>& into) {
    if (!bytes || bytes->size() != N) {
        return false;
    }
    std::memcpy(into.data(), bytes->data(), N);
    return true;
}

} // namespace

void Statement::finalize(sqlite3_stmt* statement) {
    sqlite3_finalize(statement);
}

Statement& Statement::bind(int index, std::int64_t number) {
    sqlite3_bind_int64(m_statement.get(), index, number);
    return *this;
}

Statement& Statement::bindText(int index, std::string_view text) {
    sqlite3_bind_text64(m_statement.get(), index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bindBlob(int index, const void* bytes, std::size_t count) {
    sqlite3_bind_blob64(m_statement.get(), index, bytes, count, SQLITE_TRANSIENT);
    return *this;
}

int Statement::step() {
    return sqlite3_step(m_statement.get());
}

void Statement::reset() {
    sqlite3_reset(m_statement.get());
    sqlite3_clear_bindings(m_statement.get());
}

std::optional<std::int64_t> Statement::integer(int column) const {
    if (sqlite3_column_type(m_statement.get(), column) != SQLITE_INTEGER) {
        return std::nullopt;
    }
    return sqlite3_column_int64(m_statement.get(), column);
}

std::optional<std::string> Statement::text(int column, std::size_t max) const {
    if (sqlite3_column_type(m_statement.get(), column) != SQLITE_TEXT) {
        return std::nullopt;
    }
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_statement.get(), column));
    const auto count = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
    if (bytes == nullptr || count > max || !isUtf8({bytes, count})) {
        return std::nullopt;
    }
    return std::string(bytes, count);
}

std::optional<std::string_view> Statement::blob(int column) const {
    if (sqlite3_column_type(m_statement.get(), column) != SQLITE_BLOB) {
        return std::nullopt;
    }
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement.get(), column));
    const auto count = static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column));
    if (bytes == nullptr) {
        return count == 0 ? std::optional(std::string_view("", 0)) : std::nullopt;
    }
    return std::string_view(bytes, count);
}

bool Statement::isNull(int column) const {
    return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& uriOrPath, int flags, std::string shownName) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(uriOrPath.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    std::unique_ptr<Database> database(new Database(handle, std::move(shownName)));
    if (code != SQLITE_OK) {
        return database->error("open");
    }
    return database;
}

Database::~Database() {
    sqlite3_close_v2(m_handle);
}

Status Database::exec(const char* sql) {
    if (sqlite3_exec(m_handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return error("change");
    }
    return {};
}

Result<Statement> Database::prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(m_handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
        return error("read");
    }
    return Statement(statement);
}

Error Database::error(const char* doing) const {
    const int code = sqlite3_errcode(m_handle) & 0xFF;
    const std::string reason = plainText(sqlite3_errmsg(m_handle), 200);
    if (code == SQLITE_FULL) {
        return {Error::Kind::Unavailable,
                fmt::format("The disk is full: the recording {} cannot be written.", m_name),
                "Free some space; what waits is written with the next record.",
                {}};
    }
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        return {Error::Kind::Refused, fmt::format("The recording {} is being written by another process.", m_name), {}, {}};
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_INTERRUPT || code == SQLITE_TOOBIG) {
        return badRecording(m_name, reason);
    }
    return {Error::Kind::Unavailable, fmt::format("Cannot {} the recording {}: {}.", doing, m_name, reason), {}, {}};
}

Error badRecording(const std::string& name, const std::string& why) {
    return {Error::Kind::Invalid, fmt::format("{} is not a sound recording: {}.", name, why), {}, {}};
}

Status checkSchema(Database& database) {
    Result<Statement> rows = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid");
    if (!rows) {
        return rows.error();
    }
    std::size_t count = 0;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step(), ++count) {
        const bool ours = count < schema::TABLES.size() && rows->text(0, 20) == "table" &&
                          rows->text(1, 100) == schema::TABLES[count].name && rows->text(2, 100) == schema::TABLES[count].name &&
                          rows->text(3, 4000) == schema::TABLES[count].sql;
        if (!ours) {
            return badRecording(database.name(), "its tables are not those of a recording");
        }
    }
    if (code != SQLITE_DONE) {
        return database.error("read");
    }
    return count == schema::TABLES.size() ? Status() : Status(badRecording(database.name(), "its tables are not those of a recording"));
}

Result<std::map<std::string, std::string>> loadMeta(Database& database) {
    Result<Statement> rows = database.prepare("SELECT key, value FROM meta");
    if (!rows) {
        return rows.error();
    }
    std::map<std::string, std::string> meta;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step()) {
        const auto key = rows->text(0, schema::MAX_NAME);
        auto value = rows->text(1, schema::MAX_VALUE);
        if (!key || !value || meta.size() >= schema::MAX_META || !meta.emplace(*key, std::move(*value)).second) {
            return badRecording(database.name(), "what it says about itself has a wrong shape");
        }
    }
    if (code != SQLITE_DONE) {
        return database.error("read");
    }
    return meta;
}

Result<std::map<std::int64_t, std::string>> loadActors(Database& database) {
    Result<Statement> rows = database.prepare("SELECT id, name FROM actor");
    if (!rows) {
        return rows.error();
    }
    std::map<std::int64_t, std::string> actors;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step()) {
        const auto id = rows->integer(0);
        auto name = rows->text(1, schema::MAX_NAME);
        if (!id || !name || actors.size() >= schema::MAX_ACTORS || !actors.emplace(*id, std::move(*name)).second) {
            return badRecording(database.name(), "its list of actors has a wrong shape");
        }
    }
    if (code != SQLITE_DONE) {
        return database.error("read");
    }
    return actors;
}

std::optional<std::string> takeRecord(const Statement& row, StoredRecord& into) {
    std::array<std::optional<std::int64_t>, 5> numbers;
    for (int i = 0; i < 5; ++i) {
        numbers[static_cast<std::size_t>(i)] = row.integer(i);
    }
    if (!std::all_of(numbers.begin(), numbers.end(), [](const auto& number) { return number.has_value(); }) || *numbers[0] < 1) {
        return "a number has a wrong type";
    }
    into.seq = static_cast<std::uint64_t>(*numbers[0]);
    into.steadyUs = *numbers[1];
    into.wallUs = *numbers[2];
    into.kind = *numbers[3];
    into.actor = *numbers[4];
    if (!takeBytes(row.blob(7), into.leaf) || !takeBytes(row.blob(8), into.hash)) {
        return "a hash has a wrong shape";
    }
    into.salt.reset();
    into.body.reset();
    if (row.isNull(5) && row.isNull(6)) {
        return std::nullopt;
    }
    chain::Salt salt{};
    into.body = row.blob(6);
    if (!takeBytes(row.blob(5), salt) || !into.body || into.body->size() > schema::MAX_BODY) {
        return "the body has a wrong shape";
    }
    into.salt = salt;
    return std::nullopt;
}

} // namespace tealdeck
