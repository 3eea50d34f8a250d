// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/comparison.h"
#include "core/model/copy_state.h"
#include "core/model/event.h"
#include "core/model/inventory.h"
#include "core/model/phase.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What a session is about; the first thing that a client or a recording tells.
struct SessionInfo {
    std::string deployment;
    std::string recordingId;
    std::string mode = "live"; ///< "live" or "rehearsal"
    std::vector<std::string> databases;
    std::string planSha256;
    std::int64_t epoch = 0;
    std::int64_t startedWallUs = 0;
    double pauseBudgetMs = 0; ///< the longest write pause that the plan allows; 0: a recording that does not tell
};

/// One server as the topology shows it.
struct Node {
    std::string name;
    std::string role; ///< "primary", "replica"
    std::string host;
    int port = 0;
    std::string zone;
    std::string version; ///< "15.20"; empty while unknown
    std::string systemIdentifier;
    std::string state = "unknown";     ///< "up", "down", "unknown"
    std::string detail;                ///< why it is down or unknown
    std::optional<double> connections; ///< client sessions
    std::optional<double> lagBytes;    ///< replicas: behind their primary
    std::optional<double> lagSeconds;
    std::int64_t sampledUs = 0; ///< steady time of the sample
};

enum class CheckResult { Pass, Fail, Unknown };
enum class Severity { Blocking, Warning, Info };
const char* checkResultName(CheckResult result);
const char* severityName(Severity severity);

/// One line of the checklist with its latest answer.
struct CheckState {
    std::string id; ///< "SRV02"; with side and database when it is asked several times: "SRV02/blue/shop"
    std::string family;
    Severity severity = Severity::Blocking;
    std::string question;
    std::string why;
    std::string expected;
    std::string actual;
    std::string fix;
    std::string source;
    CheckResult result = CheckResult::Unknown;
    std::int64_t evaluatedUs = 0; ///< steady time
    std::int64_t validForUs = 0;  ///< older than this is stale; 0: for ever
    std::string overrideBy;       ///< who took the responsibility; empty: nobody
    std::string overrideReason;
};

/// True when the check stands in the way at this time: blocking, not overridden, and failed, unknown or stale.
bool isBlocking(const CheckState& check, std::int64_t nowUs);
bool isStale(const CheckState& check, std::int64_t nowUs);

struct StepState {
    std::string id; ///< "cutover.fence"
    std::string title;
    std::string state = "pending"; ///< pending, held, running, done, failed, skipped, undone
    std::string waitingFor;
    std::string detail;
    std::string onTimeout; ///< what follows when the limit passes
    std::int64_t startedUs = 0;
    std::int64_t endedUs = 0;
    std::int64_t limitMs = 0;
    double progress = -1;   ///< 0..1, -1: not known
    double expectedMs = -1; ///< median of earlier recordings; -1: not known
};

/// One direction of logical replication for one database.
struct ReplicationState {
    std::string database;
    std::string direction;      ///< "forward" (blue to green) or "reverse"
    std::string state = "none"; ///< none, prepared, copying, streaming, stopped, retired
    int tablesReady = 0;
    int tablesTotal = 0;
    std::optional<double> bytesCopied;
    std::optional<double> bytesTotal;
    std::optional<double> lagBytes;
    std::optional<double> lagSeconds;
    std::optional<double> retainedBytes;
    std::string error;
    std::string failedLsn; ///< where the transaction ends that cannot be applied; empty: none is known
    std::string slot; ///< reserved, extended, unreserved, lost, missing; empty: not known
    std::int64_t sampledUs = 0;
};

/// Where clients go.
struct TrafficState {
    std::string writesTo = "unknown";        ///< "blue", "green", "paused", "unknown"
    std::optional<double> readsGreenPercent; ///< observed at the balancer
    double readsGreenTarget = 0;
    std::vector<std::string> poolers; ///< a line each: "pooler-1: shop → 127.0.0.1:5432, active"
    std::string detail;
    std::int64_t sampledUs = 0;
};

/// One alarm: a condition that asks for an act of a person.
struct AlarmState {
    std::string id;               ///< "slot-lost/forward/shop"
    std::string priority = "low"; ///< high, medium, low
    std::string cause;
    std::string response;
    bool active = true;
    std::int64_t sinceUs = 0; ///< steady time when it was raised; when it is over: when it ended
    std::string acknowledgedBy;
    std::string shelvedBy; ///< who put it aside; empty: nobody
    std::string shelveReason;
    std::int64_t shelvedUntilUs = 0; ///< steady time
};

/// True when the alarm is put aside at this time.
bool isShelved(const AlarmState& alarm, std::int64_t nowUs);
/// The alarms that ask for attention: active and not put aside; high before low, newest first.
std::vector<AlarmState> standingAlarms(const std::vector<AlarmState>& alarms, std::int64_t nowUs);

/// One finished move of the writes.
struct SwitchReport {
    std::string direction; ///< "cutover" or "rollback"
    bool ok = false;
    double pauseMs = 0;                    ///< PAUSE issued to RESUME answered, on all poolers; without a pooler: fence to open
    std::map<std::string, double> partsMs; ///< per part of the pause
    std::string detail;
    std::int64_t endedWallUs = 0;
};

/// A metric's newest value; std::nullopt is unknown.
struct MetricValue {
    std::optional<double> value;
    std::int64_t sampledUs = 0;
};

/// Everything that the panels show. Made only by folding events, live and in replay.
struct Snapshot {
    std::uint64_t seq = 0;     ///< last event folded
    std::uint64_t gateSeq = 0; ///< last event that changed a gate: a command based on an older one is refused
    std::int64_t steadyUs = 0;
    std::int64_t wallUs = 0;
    SessionInfo session;
    Phase phase = Phase::Plan;
    std::string phaseReason;
    std::int64_t phaseSinceUs = 0;
    bool pastPointOfNoReturn = false; ///< inside the current move of the writes
    std::string busyWith;             ///< command that runs now; empty: idle
    std::vector<Node> blue;
    std::vector<Node> green;
    std::vector<Inventory> inventory; ///< one a server; empty until it was asked
    std::string blueFence = "open"; ///< open, read-only, fenced, unknown
    std::string greenFence = "unknown";
    std::vector<CheckState> checks;
    std::vector<StepState> steps; ///< of the command that runs or ran last
    std::vector<ReplicationState> replication;
    std::vector<CopyState> copies; ///< the initial copy of each database, while it runs and as it ended
    TrafficState traffic;
    std::vector<AlarmState> alarms;
    std::vector<SwitchReport> switches;
    std::map<std::string, MetricValue> metrics;
    std::int64_t rollbackUntilWallUs = 0; ///< end of the rollback window; 0: none
    std::string rollbackReadiness;        ///< why a rollback would or would not be lossless now
    ComparisonState comparison;
    std::vector<DriftState> drift;
};

/// The pure fold: the next snapshot from this one and an event. Unknown kinds and malformed bodies change only seq and the clocks.
Snapshot fold(Snapshot snapshot, const Event& event);
/// The same in place, for long sequences.
void apply(Snapshot& snapshot, const Event& event);

Json toJson(const Snapshot& snapshot);
Snapshot snapshotFromJson(const Json& json);

Json toJson(const SessionInfo& info);
Json toJson(const Node& node);
Json toJson(const CheckState& check);
Json toJson(const StepState& step);
Json toJson(const ReplicationState& replication);
Json toJson(const TrafficState& traffic);
Json toJson(const AlarmState& alarm);
Json toJson(const SwitchReport& report);

/// Gates that stand in the way of a command, each as one sentence; empty: allowed. The engine and the console ask the same function.
std::vector<std::string> whyNot(const Snapshot& snapshot, CommandKind command, std::int64_t nowUs);

} // namespace tealdeck
