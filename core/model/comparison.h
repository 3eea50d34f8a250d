// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tealdeck {

struct Event;

/// What the comparison of one table found. Values of rows are never part of it.
struct TableComparison {
    std::string database;
    std::string table;                ///< quoted as in SQL: "shop".orders
    std::string result = "undecided"; ///< equal, different, undecided
    std::string mode;                 ///< convergent or exact
    std::string method;               ///< record hash or text hash; empty: rows were not looked at
    std::int64_t rows = 0;            ///< of the source
    std::int64_t differences = 0;     ///< rows that are proven different; at least so many
    std::string detail;
    std::string lsn;         ///< of the source, when the table was compared (convergent: at the end; exact: of the snapshots)
    std::int64_t atUs = 0;   ///< steady time when it was compared
    std::int64_t wallUs = 0; ///< the same in wall time
};

/// The newest comparison of the data of both sides.
struct ComparisonState {
    std::string id;             ///< tells one run from another
    std::string state = "none"; ///< none, running, done, cancelled, failed
    std::string mode;           ///< convergent, exact, or both
    std::string source;         ///< blue or green: the side that has the writes
    bool complete = false;      ///< every table of every database was meant
    int tables = 0;
    int equal = 0;
    int different = 0;
    int undecided = 0;
    std::int64_t rows = 0;
    std::int64_t differences = 0;
    int sequences = 0;
    int sequencesBehind = 0;  ///< on the follower; the next switch raises them
    int sequencesMissing = 0; ///< on the follower
    std::string lsn;          ///< of the source at the beginning
    std::string detail;
    std::int64_t startedUs = 0; ///< steady time
    std::int64_t endedUs = 0;
    std::int64_t startedWallUs = 0;
    std::int64_t endedWallUs = 0;
    /// All that are not equal and the newest of the others; at most KEPT of each.
    std::vector<TableComparison> list;
    static constexpr std::size_t KEPT = 200;
};

/// A change of the schema on one side that the other does not have, as far as it was seen.
struct DriftState {
    std::int64_t id = 0; ///< number in the log of the database
    std::string database;
    std::string side; ///< where it was made
    std::string tag;  ///< CREATE TABLE
    std::string object;
    std::string statement;
    std::string who;
    std::int64_t wallUs = 0;
    std::string state = "open"; ///< open, applied, settled (both sides agree again)
    std::string detail;
};

/// Follows events of the kinds Verify and Drift.
void applyComparison(ComparisonState& state, const Event& event);
void applyDrift(std::vector<DriftState>& list, const Event& event);

Json toJson(const TableComparison& table);
/// Without the list when it is not wanted.
Json toJson(const ComparisonState& state, bool withList = true);
Json toJson(const DriftState& drift);
TableComparison tableComparisonFromJson(const Json& json);
ComparisonState comparisonFromJson(const Json& json);
DriftState driftFromJson(const Json& json);

} // namespace tealdeck
