// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"
#include "core/verify/compare_sql.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tealdeck::verify {

/// One row that is not the same on both sides.
struct RowDifference {
    std::string kind;                 ///< missing (on the follower), extra (only there), changed
    Key key;                          ///< empty for tables without one
    std::vector<std::string> columns; ///< that differ, of a changed row
    /// Per column of `columns` (of all for missing and extra): source's and follower's text, cut; only when values were asked for.
    std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>> values;
    std::string inspect; ///< SQL that shows the row; holds its key
};

/// For the file of differences; values are null where there is no row or no value.
Json toJson(const RowDifference& difference);

struct TableOutcome {
    std::int64_t rows = 0;            ///< of the source
    std::int64_t differences = 0;     ///< rows proven different; the rest of the table was left out when there are MOST_DIFFERENCES
    std::int64_t unsettled = 0;       ///< rows (or buckets of rows) that never stood still for long enough to tell
    std::vector<RowDifference> shown; ///< the first ones
};

/// How one table is compared.
struct CompareOptions {
    int chunkRows = 50000;
    bool exact = false;                          ///< both sessions see the same moment: what differs, differs
    bool values = false;                         ///< keep texts of rows that differ
    std::function<Status()> pass;                ///< returns when the follower has all that the source has now; not for exact
    std::function<void(std::int64_t rows)> pace; ///< slows down; may be empty
    std::function<void(const Key& upTo, std::int64_t rows)> told; ///< all rows up to the key are equal so far; may be empty
    std::function<bool()> cancelled;                              ///< may be empty
    Key resumeAbove = {};                                         ///< what is below was compared before
    std::int64_t resumeRows = 0;
};

/// Compares one table. Both sessions must have had sessionSql(). While rows change, a difference counts only when the row stood still on
/// the source round a moment at which the follower provably had everything and still had another row; a row is settled as soon as the
/// follower shows what the source had in that moment.
class TableComparer {
  public:
    TableComparer(Connection& source, Connection& follower, const TablePair& pair, CompareOptions options)
        : m_source(source), m_follower(follower), m_pair(pair), m_options(std::move(options)) {}
    Result<TableOutcome> run();

    static constexpr std::int64_t MOST_DIFFERENCES = 1000;
    static constexpr std::size_t MOST_SHOWN = 20;

  private:
    struct Digest {
        std::int64_t count = 0;
        std::string sum;
        friend bool operator==(const Digest&, const Digest&) = default;
    };
    struct Version {
        std::string hash;
        std::string version; ///< of the row on that server
        friend bool operator==(const Version&, const Version&) = default;
    };
    using Versions = std::vector<std::optional<Version>>;
    using Buckets = std::map<int, Digest>;

    Status keyed();
    Status chunk(const Part& part);
    Result<std::pair<Digest, Digest>> both(const Part& part);
    Status drill(const Part& part, const Digest& source, const Digest& follower);
    Status listRows(const Part& part);
    Status resolve();
    Status resolveMoving(std::vector<Key> keys);
    Result<Versions> lookUp(Connection& session, const std::vector<Key>& keys);
    Status addDifference(const Key& key, bool here, bool there);

    Status keyless();
    Result<Buckets> buckets(Connection& session, const std::vector<int>& only);
    Status settleBuckets(std::vector<int> open);
    Status drillBucket(int bucket);
    Status describe(RowDifference& difference, const std::string& sql);
    [[nodiscard]] Status goesOn() const;

    Connection& m_source;
    Connection& m_follower;
    const TablePair& m_pair;
    CompareOptions m_options;
    TableOutcome m_outcome;
    std::vector<Key> m_candidates;
    int m_buckets = 16;
};

} // namespace tealdeck::verify
