// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// A table, or a part of one, that is being copied now.
struct CopyTableState {
    std::string table;
    double bytes = 0;      ///< that passed so far
    double bytesTotal = 0; ///< its size on blue, which the stream may exceed; 0: not known
    double rows = 0;
};

/// A table that could not be copied.
struct CopyFailure {
    std::string table;
    std::string error; ///< the server's own words
    std::string remedy;
};

/// The initial copy of one database. Told at most once a second; the tables that ended are told in batches beside it and are not kept.
struct CopyState {
    std::string database;
    std::string strategy; ///< "snapshot" or "server-to-server"
    std::string reason;   ///< why this one
    std::string state;    ///< copying, paused, held, keys (they are built), handed-over (the servers copy the rest), done, failed
    std::string detail;   ///< why it is held, or what it waits for
    int tablesDone = 0;
    int tablesTotal = 0;
    int tablesFailed = 0;
    double bytesDone = 0;
    double bytesTotal = 0; ///< sizes on blue, with what deleted rows left behind; 0: not known
    double rowsDone = 0;
    int connections = 0;
    std::optional<double> bytesPerSecond;
    std::optional<double> etaSeconds;
    std::optional<double> retainedBytes; ///< WAL that blue keeps for this copy
    std::vector<CopyTableState> running; ///< at most 64
    std::vector<CopyFailure> failures;   ///< the first 20
    std::int64_t startedUs = 0;
    std::int64_t sampledUs = 0;
};

CopyState copyFromJson(const Json& json);
Json toJson(const CopyState& copy);
/// "38 of 40 tables, 1.2 of 2.5 GB, 31 MB/s, 42 s to go".
std::string copyText(const CopyState& copy);

} // namespace tealdeck
