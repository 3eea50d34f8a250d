// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

namespace tealdeck {

/// How the data comes to green.
enum class CopyStrategy {
    Auto,          ///< the snapshot copy where the servers allow it, else server to server
    Snapshot,      ///< one snapshot, read by several sessions; the data passes through the engine's machine
    ServerToServer ///< PostgreSQL's own table synchronisation; the data stays between the servers
};
/// "auto", "snapshot" or "server-to-server".
const char* copyStrategyName(CopyStrategy strategy);

/// A difference between the schemas of both sides that the operator knows and accepts.
struct AcceptedDifference {
    std::string object; ///< as the comparison names it, such as "index public.by_name"
    std::string why;
};

/// The initial copy and its budgets: the table [copy]. WAL kept, replicas' lag and bytes a second are looked at in the snapshot copy only.
struct CopyPlan {
    CopyStrategy strategy = CopyStrategy::Auto;
    int connections = 4;          ///< sessions with each side that copy; also the sessions that build indexes
    double bytesPerSecond = 0;    ///< of all sessions together; 0: no limit
    double maxWalRetainedMib = 0; ///< WAL that blue keeps for the copy; above it the copy holds. 0: no limit
    double maxReplicaLagMib = 0; ///< of a physical replica on either side; above it the copy holds until half of it is made up. 0: no limit
    double splitMib = 1024;      ///< tables above it are copied in parts of about that size
    double stallSeconds = 120;   ///< a stream in which nothing moves for so long is begun again
    bool rehearsal = true;       ///< restore the schema into a scratch database first
    std::vector<AcceptedDifference> accepted;
};

} // namespace tealdeck
