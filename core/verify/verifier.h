// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/comparison.h"
#include "core/postgres/connection.h"
#include "core/verify/table_comparer.h"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tealdeck::verify {

/// Snapshots of one database that show both sides at the same point of the source's log, as pg_export_snapshot() names them. The sessions
/// that export them must stay open until the comparison has begun with that database.
struct SnapshotPair {
    std::string source;
    std::string follower;
    std::string lsn;
};

struct Request {
    Side source = Side::Blue; ///< has the writes
    bool exact = false;       ///< each table at one moment, by holding up its writers shortly (the plan must allow it), or by `snapshots`
    bool afresh = false;      ///< forget what an earlier run that was cut short has compared
    bool values = false;      ///< keep texts of rows that differ in the file of differences
    std::vector<std::string> databases;            ///< empty: all of the plan
    std::vector<std::string> tables;               ///< schema.table, as in SQL; empty: all
    std::map<std::string, SnapshotPair> snapshots; ///< by database; for exact
};

struct Watcher {
    std::function<void(const ComparisonState&)> summary; ///< begin, end, and what changed; without list
    std::function<void(const TableComparison&)> table;   ///< a table is done
    std::function<void(const std::string& now, double share)> progress;
    std::function<bool()> cancelled;
    std::function<std::int64_t()> steadyUs;
};

/// Compares both sides with the plan's connections, throttled as it says. Progress is kept in the engine's folder, so that a run that was
/// cut short goes on; rows that differ are described in differencesFile(), never in what is told. An error only when nothing could be
/// compared.
Result<ComparisonState> compare(const Connector& connector, const Request& request, const Watcher& watcher);

/// What a comparison that was cut short has behind it counts no more: the next one begins anew.
void forgetProgress(const Plan& plan);
/// Where the rows that differ are described: {"id", "differences": [{database, table, kind, columns, key, values, inspect}]}; mode 0600.
std::filesystem::path differencesFile(const Plan& plan);

} // namespace tealdeck::verify
