// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/chain.h"
#include "core/util/result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace tealdeck {

/// SQLite's connection and statement with an end of life; used by the writer and the reader of recordings only.
class Statement {
  public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement) : m_statement(statement, &Statement::finalize) {}

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
};

class Database {
  public:
    /// flags as for sqlite3_open_v2.
    static Result<std::unique_ptr<Database>> open(const std::string& uriOrPath, int flags, std::string shownName);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Status exec(const char* sql);
    Result<Statement> prepare(const char* sql);
    /// The error of the last call, in words.
    [[nodiscard]] Error error(const char* doing) const;
    [[nodiscard]] sqlite3* handle() const { return m_handle; }
    [[nodiscard]] const std::string& name() const { return m_name; }

  private:
    Database(sqlite3* handle, std::string name) : m_handle(handle), m_name(std::move(name)) {}
    sqlite3* m_handle;
    std::string m_name;
};

/// An error that blames the file: it is no recording, or a broken one.
Error badRecording(const std::string& name, const std::string& why);

/// The schema of the file is ours, byte for byte.
Status checkSchema(Database& database);
Result<std::map<std::string, std::string>> loadMeta(Database& database);
Result<std::map<std::int64_t, std::string>> loadActors(Database& database);

/// A row of `record` as the file has it, its types and lengths checked.
struct StoredRecord {
    std::uint64_t seq = 0;
    std::int64_t steadyUs = 0;
    std::int64_t wallUs = 0;
    std::int64_t kind = 0;
    std::int64_t actor = 0;
    std::optional<chain::Salt> salt;      ///< absent together with the body: redacted
    std::optional<std::string_view> body; ///< valid until the statement's next step
    chain::Digest leaf{};
    chain::Digest hash{};
};
inline constexpr const char* RECORD_COLUMNS = "seq, t_us, wall_us, kind, actor, salt, body, leaf, hash";
/// From a statement that selects RECORD_COLUMNS; a text that says what is wrong with the row.
std::optional<std::string> takeRecord(const Statement& row, StoredRecord& into);

} // namespace tealdeck
