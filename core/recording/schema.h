// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// The layout of a recording file. A reader compares the schema of a file with these texts byte for byte, so that a file can
/// hold no view, trigger or virtual table: any change here is a new user_version.
///
/// Version 2 keeps a leaf only where the text or body was redacted (else it follows from salt and body), salts the names and what
/// the file says about itself too, stores metrics compactly (compact.h) and has two derived tables (index.h). Version 1 is read,
/// and gone on with after a crash, but no longer begun.
namespace tealdeck::schema {

inline constexpr std::uint32_t APPLICATION_ID = 0x5445414C; // "TEAL"
inline constexpr std::uint32_t FIRST_VERSION = 1;
inline constexpr std::uint32_t USER_VERSION = 2;
inline constexpr std::uint32_t PAGE_SIZE = 4096;

struct Table {
    const char* name;
    const char* sql;
};

/// In the order in which they are made. There is no index besides the primary keys: seq has no holes and t_us never falls, so
/// that a moment is found by halving, and no index can contradict what the chain protects.
inline constexpr std::array<Table, 3> TABLES_1{{
    {"meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"},
    {"actor", "CREATE TABLE actor(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT"},
    {"record", "CREATE TABLE record(seq INTEGER PRIMARY KEY, t_us INTEGER NOT NULL, wall_us INTEGER NOT NULL, kind INTEGER NOT NULL, "
               "actor INTEGER NOT NULL, salt BLOB, body BLOB, leaf BLOB NOT NULL, hash BLOB NOT NULL) STRICT"},
}};
inline constexpr std::array<Table, 5> TABLES_2{{
    {"meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT, salt BLOB, leaf BLOB) STRICT, WITHOUT ROWID"},
    {"actor", "CREATE TABLE actor(id INTEGER PRIMARY KEY, name TEXT, salt BLOB, leaf BLOB) STRICT"},
    {"record", "CREATE TABLE record(seq INTEGER PRIMARY KEY, t_us INTEGER NOT NULL, wall_us INTEGER NOT NULL, kind INTEGER NOT NULL, "
               "actor INTEGER NOT NULL, salt BLOB, body BLOB, leaf BLOB, hash BLOB NOT NULL) STRICT"},
    {"keyframe", "CREATE TABLE keyframe(seq INTEGER PRIMARY KEY, base INTEGER NOT NULL, body BLOB NOT NULL) STRICT"},
    {"pyramid", "CREATE TABLE pyramid(name TEXT NOT NULL, chunk INTEGER NOT NULL, seal INTEGER NOT NULL, body BLOB NOT NULL, "
                "PRIMARY KEY(name, chunk)) STRICT, WITHOUT ROWID"},
}};

inline constexpr std::span<const Table> tables(std::uint32_t version) {
    return version == 1 ? std::span<const Table>(TABLES_1) : std::span<const Table>(TABLES_2);
}

inline constexpr std::size_t MAX_BODY = std::size_t{8} << 20;
inline constexpr std::size_t MAX_NAME = 200;                    ///< of an actor or a key of meta
inline constexpr std::size_t MAX_VALUE = std::size_t{64} << 10; ///< of meta
inline constexpr std::size_t MAX_META = 64;
inline constexpr std::size_t MAX_ACTORS = 10'000;
inline constexpr std::uint64_t MAX_FILE = std::uint64_t{4} << 30;

} // namespace tealdeck::schema
