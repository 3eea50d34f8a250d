// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <set>
#include <string>
#include <vector>

namespace tealdeck {

/// A table with rows of its own that is to be copied: a plain table or a leaf of a partition tree.
struct CopyTable {
    std::string name;        ///< quoted: "public"."t"
    std::string entry;       ///< as ALTER PUBLICATION names it: ONLY and the table, or the root of its partition tree
    std::string oid;         ///< on blue
    std::string columns;     ///< quoted list without generated columns; empty: a table without columns
    bool binary = false;     ///< every column's binary form is the same in all supported versions
    double bytes = 0;        ///< on blue, with what deleted rows left behind
    double pages = 0;        ///< of the table itself, without its long values
    bool emptyThere = false; ///< green's table has no page: it needs no truncation
};

/// A table, or a range of its pages.
struct CopyPart {
    std::size_t table = 0; ///< its place in the list
    int number = 0;        ///< from 0
    int parts = 1;         ///< of this table
    std::string where;     ///< a condition on ctid; empty: the whole table
    double bytes = 0;
};

/// Parts that travel in one transaction on each side.
struct CopyGroup {
    std::vector<CopyPart> parts;
    int attempts = 0;
};

namespace copy_tables {

/// What the publication has, as the session sees it: in a transaction on the snapshot, exactly the tables of the snapshot. Largest first.
Result<std::vector<CopyTable>> list(Connection& source, const std::string& publication);
/// Tells which are empty on the destination; an error when one is not there.
Status compareWith(Connection& destination, std::vector<CopyTable>& tables);
/// Big tables in parts of about splitBytes (needs a source of 14 or later: older ones scan the whole table for each), small ones together.
std::vector<CopyGroup> split(const std::vector<CopyTable>& tables, double splitBytes, int sourceVersion);

/// The tables of which every part was committed with this snapshot. The record is written in the transactions that copied (law 4).
Result<std::set<std::string>> finished(Connection& destination, const std::string& snapshot);
/// The statement that records parts in the transaction that copied them.
std::string recordSql(const std::vector<CopyTable>& tables, const std::vector<CopyPart>& parts, const std::vector<long>& rows,
                      const std::string& snapshot);
/// Empties the tables and forgets every record that is not of this snapshot.
Status beginAnew(Connection& destination, const std::vector<std::string>& tables, const std::string& snapshot, Millis limit);

} // namespace copy_tables
} // namespace tealdeck
