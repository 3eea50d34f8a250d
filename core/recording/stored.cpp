// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/stored.h"

#include "core/recording/schema.h"

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

/// Columns first (text), first + 1 (salt) and first + 2 (leaf) of version 2, or the text alone of version 1.
std::optional<StoredText> takeText(const Statement& row, int first, std::uint32_t version, std::size_t max) {
    StoredText stored;
    stored.text = row.text(first, max);
    if (version == 1) {
        return stored.text ? std::optional(stored) : std::nullopt;
    }
    if (row.isNull(first) && row.isNull(first + 1)) {
        return takeBytes(row.blob(first + 2), stored.leaf) ? std::optional(stored) : std::nullopt;
    }
    chain::Salt salt{};
    if (!stored.text || !takeBytes(row.blob(first + 1), salt) || !row.isNull(first + 2)) {
        return std::nullopt;
    }
    stored.salt = salt;
    stored.leaf = chain::textLeaf(salt, *stored.text);
    return stored;
}

/// Binds a text in the order text, salt, leaf.
void bindText(Statement& insert, int first, std::uint32_t version, const StoredText& stored) {
    if (stored.text) {
        insert.bindText(first, *stored.text);
    }
    if (version > 1 && stored.salt) {
        insert.bindBlob(first + 1, stored.salt->data(), stored.salt->size());
    }
    if (version > 1 && !stored.text) {
        insert.bindBlob(first + 2, stored.leaf.data(), stored.leaf.size());
    }
}

} // namespace

StoredText saltedText(const std::string& text) {
    const chain::Salt salt = chain::randomSalt();
    return {text, salt, chain::textLeaf(salt, text)};
}

std::map<std::string, std::string> Identity::shownMeta() const {
    std::map<std::string, std::string> shown;
    for (const auto& [key, value] : meta) {
        shown.emplace(key, value.shown());
    }
    return shown;
}

chain::Digest Identity::genesis() const {
    if (version == 1) {
        return chain::genesis(shownMeta());
    }
    std::map<std::string, chain::Digest> leaves;
    for (const auto& [key, value] : meta) {
        leaves.emplace(key, value.leaf);
    }
    return chain::genesis(leaves);
}

std::optional<std::string> brokenLink(const Identity& identity, const StoredRecord& record, const chain::Digest& previous) {
    const auto actor = identity.actors.find(record.actor);
    if (actor == identity.actors.end()) {
        return "its actor is not in the list";
    }
    // Version 2 has no leaf besides salt and body: there the hash alone tells that the body was changed.
    if (identity.version == 1 && record.salt && chain::leaf(*record.salt, *record.body) != record.leaf) {
        return "its body was changed";
    }
    const chain::Header header{record.seq, record.steadyUs, record.wallUs, record.kind};
    const chain::Digest hash = identity.version == 1 ? chain::next(previous, header, actor->second.shown(), record.leaf)
                                                     : chain::next(previous, header, actor->second.leaf, record.leaf);
    return hash == record.hash ? std::nullopt : std::optional<std::string>("its hash does not follow from the record before it");
}

std::optional<std::string> takeRecord(const Statement& row, std::uint32_t version, StoredRecord& into) {
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
    into.salt.reset();
    into.body.reset();
    const bool redacted = row.isNull(5) && row.isNull(6);
    if (!takeBytes(row.blob(8), into.hash) || ((version == 1 || redacted) && !takeBytes(row.blob(7), into.leaf))) {
        return "a hash has a wrong shape";
    }
    if (redacted) {
        return std::nullopt;
    }
    chain::Salt salt{};
    into.body = row.blob(6);
    if (!takeBytes(row.blob(5), salt) || !into.body || into.body->size() > schema::MAX_BODY || (version > 1 && !row.isNull(7))) {
        return "the body has a wrong shape";
    }
    into.salt = salt;
    if (version > 1) {
        into.leaf = chain::leaf(salt, *into.body);
    }
    return std::nullopt;
}

Status checkSchema(Database& database, std::uint32_t version) {
    const auto tables = schema::tables(version);
    Result<Statement> rows = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid");
    if (!rows) {
        return rows.error();
    }
    std::size_t count = 0;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step(), ++count) {
        const bool ours = count < tables.size() && rows->text(0, 20) == "table" && rows->text(1, 100) == tables[count].name &&
                          rows->text(2, 100) == tables[count].name && rows->text(3, 4000) == tables[count].sql;
        if (!ours) {
            return badRecording(database.name(), "its tables are not those of a recording");
        }
    }
    if (code != SQLITE_DONE) {
        return database.error("read");
    }
    return count == tables.size() ? Status() : Status(badRecording(database.name(), "its tables are not those of a recording"));
}

Result<std::uint32_t> loadVersion(Database& database) {
    Result<Statement> row = database.prepare("PRAGMA user_version");
    if (!row) {
        return row.error();
    }
    const std::optional<std::int64_t> version = row->step() == SQLITE_ROW ? row->integer(0) : std::nullopt;
    if (!version || *version < schema::FIRST_VERSION || *version > schema::USER_VERSION) {
        return badRecording(database.name(), "its format has another version");
    }
    return static_cast<std::uint32_t>(*version);
}

Result<Identity> loadIdentity(Database& database, std::uint32_t version) {
    Identity identity;
    identity.version = version;
    const char* more = version == 1 ? "" : ", salt, leaf";
    Result<Statement> meta = database.prepare(fmt::format("SELECT key, value{} FROM meta", more).c_str());
    Result<Statement> actors = database.prepare(fmt::format("SELECT id, name{} FROM actor", more).c_str());
    if (!meta || !actors) {
        return meta ? actors.error() : meta.error();
    }
    int code = meta->step();
    for (; code == SQLITE_ROW; code = meta->step()) {
        const auto key = meta->text(0, schema::MAX_NAME);
        const auto value = takeText(*meta, 1, version, schema::MAX_VALUE);
        if (!key || !value || identity.meta.size() >= schema::MAX_META || !identity.meta.emplace(*key, *value).second) {
            return badRecording(database.name(), "what it says about itself has a wrong shape");
        }
    }
    if (code != SQLITE_DONE) {
        return database.error("read");
    }
    code = actors->step();
    for (; code == SQLITE_ROW; code = actors->step()) {
        const auto id = actors->integer(0);
        const auto name = takeText(*actors, 1, version, schema::MAX_NAME);
        if (!id || !name || identity.actors.size() >= schema::MAX_ACTORS || !identity.actors.emplace(*id, *name).second) {
            return badRecording(database.name(), "its list of actors has a wrong shape");
        }
    }
    return code == SQLITE_DONE ? Result<Identity>(std::move(identity)) : Result<Identity>(database.error("read"));
}

Status beginTables(Database& database, std::uint32_t version) {
    std::string sql = fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; BEGIN;", schema::APPLICATION_ID, version);
    for (const schema::Table& table : schema::tables(version)) {
        sql += std::string(table.sql) + ";";
    }
    return database.exec(sql.c_str());
}

Status insertMeta(Database& database, const Identity& identity) {
    Result<Statement> insert = database.prepare(identity.version == 1 ? "INSERT INTO meta(key, value) VALUES(?, ?)"
                                                                      : "INSERT INTO meta(key, value, salt, leaf) VALUES(?, ?, ?, ?)");
    if (!insert) {
        return insert.error();
    }
    for (const auto& [key, value] : identity.meta) {
        insert->bindText(1, key);
        bindText(*insert, 2, identity.version, value);
        if (insert->step() != SQLITE_DONE) {
            return database.error("write");
        }
        insert->reset();
    }
    return {};
}

Status insertActor(Database& database, std::uint32_t version, std::int64_t id, const StoredText& name) {
    Result<Statement> insert = database.prepare(version == 1 ? "INSERT INTO actor(id, name) VALUES(?, ?)"
                                                             : "INSERT INTO actor(id, name, salt, leaf) VALUES(?, ?, ?, ?)");
    if (!insert) {
        return insert.error();
    }
    insert->bind(1, id);
    bindText(*insert, 2, version, name);
    return insert->step() == SQLITE_DONE ? Status() : Status(database.error("write"));
}

Status insertRecord(Database& database, Statement& insert, std::uint32_t version, const StoredRecord& record) {
    insert.bind(1, static_cast<std::int64_t>(record.seq)).bind(2, record.steadyUs).bind(3, record.wallUs);
    insert.bind(4, record.kind).bind(5, record.actor).bindBlob(9, record.hash.data(), record.hash.size());
    if (record.body && record.salt) {
        insert.bindBlob(6, record.salt->data(), record.salt->size()).bindBlob(7, record.body->data(), record.body->size());
    }
    if (version == 1 || !record.body) {
        insert.bindBlob(8, record.leaf.data(), record.leaf.size());
    }
    const bool done = insert.step() == SQLITE_DONE;
    const Status status = done ? Status() : Status(database.error("write"));
    insert.reset();
    return status;
}

} // namespace tealdeck
