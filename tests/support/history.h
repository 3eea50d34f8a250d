// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"
#include "core/util/result.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tealdeck {

/// One write of a client, from being asked for to what the client was told.
struct HistoryWrite {
    enum class Outcome { Ok, Fail, Unknown };
    std::string database;
    int client = 0;
    std::int64_t n = 0;
    std::int64_t invokeNs = 0; ///< CLOCK_MONOTONIC
    std::int64_t endNs = 0;    ///< of the answer; of an unknown one without an answer the largest number
    Outcome outcome = Outcome::Unknown;
    std::int64_t id = 0; ///< sequence value, when ok
    std::string side;    ///< blue or green, when ok
};

/// A row of load_write in the database that is production at the end.
struct FinalRow {
    std::string database;
    int client = 0;
    std::int64_t n = 0;
    std::int64_t id = 0;
};

struct HistoryRules {
    std::string finalSide; ///< the side that must have the last writes; empty: not checked
    int switches = -1;     ///< how often production changed sides at most; -1: not known
    /// When the number of switches is not known: a side that was production for a shorter time than this was not switched
    /// to, it was a second writer.
    double shortestPeriodMs = 200;
};

/// A time in which one side answered the writes.
struct HistoryPeriod {
    std::string side;
    std::int64_t fromNs = 0; ///< its first acknowledgement
    std::uint64_t writes = 0;
};

struct HistoryVerdict {
    std::uint64_t acknowledged = 0;
    std::uint64_t lost = 0;           ///< acknowledged, but not there or with another id
    std::uint64_t duplicated = 0;     ///< rows or ids that are there twice, acknowledged twice, or that nobody asked for
    std::uint64_t failedPresent = 0;  ///< told to have failed, but there
    std::uint64_t wrongSide = 0;      ///< acknowledged by a side that was not production then
    std::uint64_t sequenceErrors = 0; ///< ids given twice, or going back from one side to the next
    std::uint64_t unknown = 0;
    std::uint64_t unknownPresent = 0;
    std::vector<HistoryPeriod> periods;
    std::vector<std::string> findings; ///< the first ones of each kind, in words

    [[nodiscard]] bool ok() const { return lost + duplicated + failedPresent + wrongSide + sequenceErrors == 0 && acknowledged > 0; }
    [[nodiscard]] Json toJson() const;
};

/// Adds the writes of a history file of `tealctl lab load`. A last line that is cut off (the client was killed) is left out.
Status readHistory(const std::filesystem::path& file, std::vector<HistoryWrite>& writes);

/// Rows of public.load_write over one connection; the database's name goes into the rows.
Result<std::vector<FinalRow>> readFinalRows(const std::map<std::string, std::string>& connection, const std::string& database);
/// The same from all databases of a side's primary in a lab.
Result<std::vector<FinalRow>> readFinalRowsOfLab(const std::filesystem::path& dir, const std::string& side);

/// Decides whether the histories and what is in the databases at the end fit together.
HistoryVerdict checkHistory(const std::vector<HistoryWrite>& writes, const std::vector<FinalRow>& rows, const HistoryRules& rules);

} // namespace tealdeck
