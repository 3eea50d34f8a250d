// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/verify/table_pair.h"

#include <string>
#include <vector>

/// The statements of a comparison. Names and values are quoted here and nowhere else.
namespace tealdeck::verify {

/// A key as the server prints it, one text for each column.
using Key = std::vector<std::string>;

/// A part of a table: rows above one key and up to another, or the rows of one bucket of their hash.
struct Part {
    Key above;       ///< empty: from the beginning
    Key upTo;        ///< empty: to the end
    int bucket = -1; ///< for tables without key; -1: all
    int buckets = 0;
};

/// Settings under which values have one text on every version; and nothing can be written.
const char* sessionSql();
/// Columns: count, sum of the rows' hashes.
std::string digestSql(const TablePair& pair, const Part& part);
/// The same for every bucket, or only for some: bucket, count, sum.
std::string bucketsSql(const TablePair& pair, int buckets, const std::vector<int>& only = {});
/// The key after `rows` rows of the part, or nothing when there are no more.
std::string boundSql(const TablePair& pair, const Part& part, std::int64_t rows);
/// Of every row: its key's columns, its hash.
std::string rowsSql(const TablePair& pair, const Part& part);
/// Looks keys up: number in the list, hash, version of the row. Does not depend on the order of texts.
std::string lookUpSql(const TablePair& pair, const std::vector<Key>& keys);
/// Of a bucket: hash of the row, how often it is there.
std::string bucketRowsSql(const TablePair& pair, const Part& part, int most);
/// For one row: for each column a hash and the beginning of its text.
std::string valuesSql(const TablePair& pair, const Key& key, int mostLetters);
/// The same for a row that only its hash names.
std::string valuesOfHashSql(const TablePair& pair, const std::string& hash, int mostLetters);
/// For a person: shows the row on either side.
std::string inspectSql(const TablePair& pair, const Key& key);
std::string inspectHashSql(const TablePair& pair, const std::string& hash);

} // namespace tealdeck::verify
