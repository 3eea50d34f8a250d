// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/chain.h"
#include "core/recording/database.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tealdeck {

/// What a recording file holds, with types and lengths checked: the vocabulary of its writer, its reader, salvage and redaction.

/// A value of meta or the name of an actor. In version 2 the text may have been redacted: then only its leaf is left.
struct StoredText {
    std::optional<std::string> text;
    std::optional<chain::Salt> salt; ///< version 2, with the text
    chain::Digest leaf{};            ///< version 2: of salt and text, or the stored one of a redacted text

    [[nodiscard]] std::string shown() const { return text.value_or("(redacted)"); }
    bool operator==(const StoredText&) const = default;
};
/// A text with a new salt.
StoredText saltedText(const std::string& text);

/// What the chain begins with and who its actors are.
struct Identity {
    std::uint32_t version = 0; ///< of the format
    std::map<std::string, StoredText> meta;
    std::map<std::int64_t, StoredText> actors;

    [[nodiscard]] std::map<std::string, std::string> shownMeta() const;
    [[nodiscard]] chain::Digest genesis() const;
};

/// A row of `record` as the file has it.
struct StoredRecord {
    std::uint64_t seq = 0;
    std::int64_t steadyUs = 0;
    std::int64_t wallUs = 0;
    std::int64_t kind = 0;
    std::int64_t actor = 0;
    std::optional<chain::Salt> salt;      ///< absent together with the body: redacted
    std::optional<std::string_view> body; ///< valid until the statement's next step
    chain::Digest leaf{};                 ///< as stored; in version 2 of salt and body when they are there
    chain::Digest hash{};
};
inline constexpr const char* RECORD_COLUMNS = "seq, t_us, wall_us, kind, actor, salt, body, leaf, hash";

/// Why the record does not follow from the one before it, whose hash is `previous`; nothing when it does.
std::optional<std::string> brokenLink(const Identity& identity, const StoredRecord& record, const chain::Digest& previous);
/// From a statement that selects RECORD_COLUMNS; a text that says what is wrong with the row.
std::optional<std::string> takeRecord(const Statement& row, std::uint32_t version, StoredRecord& into);

/// The schema of the file is that of the version, byte for byte.
Status checkSchema(Database& database, std::uint32_t version);
/// The user_version that SQLite reads from the file, one that this program knows.
Result<std::uint32_t> loadVersion(Database& database);
Result<Identity> loadIdentity(Database& database, std::uint32_t version);

/// Tables of the version in a file that is still empty; leaves a transaction open.
Status beginTables(Database& database, std::uint32_t version);
Status insertMeta(Database& database, const Identity& identity);
Status insertActor(Database& database, std::uint32_t version, std::int64_t id, const StoredText& name);
/// Binds a record to a statement made of INSERT_RECORD and steps it.
inline constexpr const char* INSERT_RECORD = "INSERT INTO record(seq, t_us, wall_us, kind, actor, salt, body, leaf, hash) "
                                             "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
Status insertRecord(Database& database, Statement& insert, std::uint32_t version, const StoredRecord& record);

} // namespace tealdeck
