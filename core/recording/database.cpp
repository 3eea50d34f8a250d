// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/database.h"

#include "core/recording/schema.h"
#include "core/util/text.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace tealdeck {
namespace {

constexpr int PROGRESS_EVERY = 20'000;

bool isTableOfOurs(std::string_view name) {
    for (const schema::Table& table : schema::TABLES_2) {
        if (name == table.name) {
            return true;
        }
    }
    return name == "sqlite_schema" || name == "sqlite_master";
}

/// SQLite asks for each thing that a statement would do (sqlite3_set_authorizer).
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
    const std::string_view one = first != nullptr ? first : "";
    const std::string_view two = second != nullptr ? second : "";
    switch (action) {
    case SQLITE_SELECT:
        return SQLITE_OK;
    case SQLITE_READ: // an empty name: a sub-select of our own statement
        return one.empty() || isTableOfOurs(one) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
        return two == "count" ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:
        return (one == "user_version" && second == nullptr) || (one == "integrity_check" && two == "1") ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
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
    if (m_watch) {
        m_watch->until = std::chrono::steady_clock::now() + m_watch->limit;
    }
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

void Database::limitSteps(Millis limit) {
    if (!m_watch) {
        m_watch = std::make_shared<StepWatch>();
    }
    m_watch->limit = limit;
    m_watch->until = std::chrono::steady_clock::now() + limit;
    const auto late = [](void* watch) { return std::chrono::steady_clock::now() > static_cast<StepWatch*>(watch)->until ? 1 : 0; };
    sqlite3_progress_handler(m_handle, PROGRESS_EVERY, late, m_watch.get());
}

void Database::harden() {
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_limit(m_handle, SQLITE_LIMIT_LENGTH, 16 << 20);
    sqlite3_limit(m_handle, SQLITE_LIMIT_SQL_LENGTH, 100'000);
    sqlite3_limit(m_handle, SQLITE_LIMIT_COLUMN, 100);
    sqlite3_limit(m_handle, SQLITE_LIMIT_EXPR_DEPTH, 10);
    sqlite3_limit(m_handle, SQLITE_LIMIT_COMPOUND_SELECT, 3);
    sqlite3_limit(m_handle, SQLITE_LIMIT_VDBE_OP, 25'000);
    sqlite3_limit(m_handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(m_handle, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_limit(m_handle, SQLITE_LIMIT_WORKER_THREADS, 0);
}

void Database::allowOnlyReading() {
    sqlite3_set_authorizer(m_handle, authorize, nullptr);
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
    return Statement(statement, m_watch);
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

} // namespace tealdeck
