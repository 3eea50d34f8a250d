// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tealdeck {

/// How long a step of SQLite may take, and until when the present one may.
struct StepWatch {
    Millis limit{0};
    std::chrono::steady_clock::time_point until;
};

/// SQLite's connection and statement with an end of life; used by the writer and the reader of recordings only.
class Statement {
  public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement, std::shared_ptr<StepWatch> watch = nullptr)
        : m_statement(statement, &Statement::finalize), m_watch(std::move(watch)) {}

    Statement& bind(int index, std::int64_t number);
    Statement& bindText(int index, std::string_view text);
    Statement& bindBlob(int index, const void* bytes, std::size_t count);
    /// SQLITE_ROW, SQLITE_DONE or an error's code.
    int step();
    void reset();

    /// Columns with the type checked: std::nullopt when the file holds another type there.
    [[nodiscard]] std::optional<std::int64_t> integer(int column) const;
    [[nodiscard]] std::optional<std::string> text(int column, std::size_t max) const;
    /// Valid until the next step.
    [[nodiscard]] std::optional<std::string_view> blob(int column) const;
    [[nodiscard]] bool isNull(int column) const;

  private:
    static void finalize(sqlite3_stmt* statement);
    std::unique_ptr<sqlite3_stmt, void (*)(sqlite3_stmt*)> m_statement{nullptr, &Statement::finalize};
    std::shared_ptr<StepWatch> m_watch;
};

class Database {
  public:
    /// flags as for sqlite3_open_v2.
    static Result<std::unique_ptr<Database>> open(const std::string& uriOrPath, int flags, std::string shownName);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// For files from elsewhere: defensive, no trusted schema, no triggers, views and extensions, tight limits.
    void harden();
    /// From now on only statements are prepared that read tables of a recording: no writing, attaching, recursion, other tables or other
    /// functions than count. Whatever a file makes SQLite believe, it can make it do nothing else.
    void allowOnlyReading();
    /// From now on each step ends with an error after the time: a file can be made to keep SQLite busy.
    void limitSteps(Millis limit);
    Status exec(const char* sql);
    Result<Statement> prepare(const char* sql);
    /// The error of the last call, in words.
    [[nodiscard]] Error error(const char* doing) const;
    [[nodiscard]] sqlite3* handle() const { return m_handle; }
    [[nodiscard]] const std::string& name() const { return m_name; }

  private:
    Database(sqlite3* handle, std::string name) : m_handle(handle), m_name(std::move(name)) {}
    sqlite3* m_handle;
    std::shared_ptr<StepWatch> m_watch;
    std::string m_name;
};

/// An error that blames the file: it is no recording, or a broken one.
Error badRecording(const std::string& name, const std::string& why);

} // namespace tealdeck
