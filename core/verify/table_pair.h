// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <string>
#include <vector>

namespace tealdeck::verify {

/// How rows are told apart.
enum class Method {
    RecordHash, ///< hash_record_extended (14 and newer on both sides) over values whose hash is as exact as the value itself
    TextHash    ///< hashtextextended over the row as text
};
const char* methodName(Method method);

struct Column {
    std::string name;
    std::string type;    ///< as format_type says, qualified
    std::string builtin; ///< name of a base type of pg_catalog, such as int8; empty: anything else
};

/// A table that holds rows of its own: plain, partition, or inheritance child. Its parent's rows are not its own.
struct Table {
    std::string name;                           ///< quoted: "shop".orders
    std::vector<Column> columns;                ///< in their order, generated ones too
    std::vector<std::vector<std::string>> keys; ///< of unique indexes that cover every row; the best first
    double bytes = 0;                           ///< of the rows themselves, without indexes and what is stored apart
};

/// The same table on both sides, and how its rows are compared.
struct TablePair {
    Table source;
    std::vector<std::string> key; ///< columns that name a row on both sides; empty: none
    std::vector<std::string> keyTypes;
    Method method = Method::TextHash;
    std::string rowHash; ///< SQL over alias t: one bigint
    std::vector<std::string> columns;
    std::string note;       ///< such as a column that is only on the follower
    std::string problem;    ///< why rows can't be compared; empty: they can
    bool missing = false;   ///< on the follower
    bool onlyThere = false; ///< on the follower, and not on the source
};

/// Every permanent table with rows of its own, without our own schemas, the system's and what belongs to extensions.
Result<std::vector<Table>> readTables(Connection& session);
/// Pairs them by name. Text hashes are for sides of which one is older than 14.
std::vector<TablePair> pairTables(const std::vector<Table>& source, const std::vector<Table>& follower, Method method);

/// Whether one of the names means the table: as the server spells it, without its quotes, or without "public.".
bool isNamed(const std::string& table, const std::vector<std::string>& names);

} // namespace tealdeck::verify
