// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/alarms/alarm_rules.h"

#include "core/util/clock.h"

#include <cmath>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr double MIB = 1024.0 * 1024.0;
constexpr Millis FAST_AGE{15'000};  ///< of what is sampled each second
constexpr Millis SLOW_AGE{150'000}; ///< of what is sampled twice a minute
constexpr double SILENT_SECONDS = 5;
constexpr double CLOCK_JUMP_SECONDS = 2;
constexpr double GROWTH_BYTES = 16 * MIB; ///< less than this is no trend worth a look
constexpr Millis QUIET_LIMIT{15'000};
constexpr const char* SIDES[] = {"blue", "green"};
constexpr const char* DIRECTIONS[] = {"forward", "reverse"};

Sign above(const std::optional<double>& value, double bound) {
    return !value ? Sign::Unknown : *value > bound ? Sign::Raised : Sign::Clear;
}

bool isFresh(const ReplicationState& r, const AlarmView& v) {
    return v.nowUs - r.sampledUs <= FAST_AGE.count() * 1000;
}

bool isLive(const ReplicationState& r) {
    return r.state != "none" && r.state != "retired";
}

/// One finding for each feed that there is.
template <class Look>
std::vector<AlarmFinding> eachFeed(const AlarmView& v, Look look) {
    std::vector<AlarmFinding> found;
    for (const ReplicationState& r : v.snapshot.replication) {
        if (isLive(r)) {
            AlarmFinding f = isFresh(r, v) ? look(r) : AlarmFinding{};
            f.object = r.direction + "/" + r.database;
            found.push_back(std::move(f));
        }
    }
    return found;
}

/// One finding for each side, of a metric that is sampled seldom.
std::vector<AlarmFinding> eachSide(const AlarmView& v, const std::string& metric, double bound, const char* cause, double unit) {
    std::vector<AlarmFinding> found;
    for (const char* side : SIDES) {
        const std::optional<double> value = v.metric(metric + "." + side, SLOW_AGE);
        found.push_back({side, above(value, bound), fmt::format(fmt::runtime(cause), side, value.value_or(0) / unit, bound / unit)});
    }
    return found;
}

std::vector<AlarmFinding> slotLost(const AlarmView& v) {
    return eachFeed(v, [](const ReplicationState& r) {
        const bool lost = r.slot == "lost" || r.slot == "missing";
        return AlarmFinding{{},
                            r.slot.empty() ? Sign::Unknown
                            : lost         ? Sign::Raised
                                           : Sign::Clear,
                            fmt::format("The {} slot of {} is {}: the WAL that the feed needs is gone.", r.direction, r.database, r.slot)};
    });
}

std::vector<AlarmFinding> slotRetention(const AlarmView& v) {
    const double bound = v.limits.plan.retainedMib * MIB;
    return eachFeed(v, [&](const ReplicationState& r) {
        const bool atEdge = r.slot == "unreserved";
        return AlarmFinding{{},
                            atEdge ? Sign::Raised : above(r.retainedBytes, bound),
                            fmt::format("The {} slot of {} keeps back {:.0f} MiB of WAL{}.", r.direction, r.database,
                                        r.retainedBytes.value_or(0) / MIB, atEdge ? ", more than the server guarantees" : "")};
    });
}

std::vector<AlarmFinding> applyStopped(const AlarmView& v) {
    return eachFeed(v, [](const ReplicationState& r) {
        return AlarmFinding{
            {},
            r.state == "stopped" ? Sign::Raised : Sign::Clear,
            fmt::format("The {} feed of {} does not run{}", r.direction, r.database, r.error.empty() ? "." : ": " + r.error)};
    });
}

std::vector<AlarmFinding> sideSilent(const AlarmView& v) {
    std::vector<AlarmFinding> found;
    for (const char* side : SIDES) {
        const std::optional<double> age = v.metric(std::string("heartbeat_age.") + side, FAST_AGE);
        // GREEN may be empty or away before there is a copy on it.
        const bool needed = std::string(side) == "blue" || v.snapshot.phase == Phase::Validate || v.snapshot.phase == Phase::Ramp ||
                            v.snapshot.phase == Phase::Observe || v.snapshot.phase == Phase::RolledBack;
        found.push_back({side, needed ? above(age, SILENT_SECONDS) : Sign::Clear,
                         fmt::format("{} has not answered for {:.0f} s.", side, age.value_or(0))});
    }
    return found;
}

std::vector<AlarmFinding> lagHigh(const AlarmView& v) {
    std::vector<AlarmFinding> found;
    const bool reads = v.snapshot.phase == Phase::Ramp && v.snapshot.traffic.readsGreenPercent.value_or(0) > 0;
    const double bound = reads ? v.limits.rampLagSeconds : v.limits.plan.lagSeconds;
    for (const char* direction : DIRECTIONS) {
        const std::optional<double> lag = v.metric(std::string("lag_seconds.") + direction, FAST_AGE);
        found.push_back({direction, above(lag, bound),
                         fmt::format("The {} feed is {:.1f} s behind; the bound is {:g} s.", direction, lag.value_or(0), bound)});
    }
    return found;
}

/// Compares the last third of a minute with its first third: a peak that passes is no trend.
std::vector<AlarmFinding> lagGrowing(const AlarmView& v) {
    std::vector<AlarmFinding> found;
    for (const auto& [direction, samples] : v.memory.lags) {
        AlarmFinding f{direction, Sign::Unknown, {}};
        if (!samples.empty() && samples.back().first - samples.front().first >= 50'000'000) {
            const std::int64_t begin = samples.front().first;
            const std::int64_t end = samples.back().first;
            double earlyMost = -1;
            double lateLeast = INFINITY;
            for (const auto& [at, bytes] : samples) {
                earlyMost = at - begin <= (end - begin) / 3 ? std::max(earlyMost, bytes) : earlyMost;
                lateLeast = end - at <= (end - begin) / 3 ? std::min(lateLeast, bytes) : lateLeast;
            }
            f.sign = lateLeast > GROWTH_BYTES && lateLeast > 1.5 * earlyMost ? Sign::Raised : Sign::Clear;
            f.cause = fmt::format("The {} feed falls behind: {:.0f} MiB a minute ago, {:.0f} MiB now.", direction, earlyMost / MIB,
                                  samples.back().second / MIB);
        }
        found.push_back(std::move(f));
    }
    return found;
}

std::vector<AlarmFinding> walDisk(const AlarmView& v) {
    return eachSide(v, "wal_bytes", v.limits.plan.walMib * MIB, "pg_wal of {} holds {:.0f} MiB; the bound is {:.0f} MiB.", MIB);
}

std::vector<AlarmFinding> wraparound(const AlarmView& v) {
    return eachSide(v, "xid_age", v.limits.plan.xidAgeMillions * 1e6,
                    "The oldest transaction identifier of {} is {:.0f} million old; the bound is {:.0f} million.", 1e6);
}

std::vector<AlarmFinding> longTransaction(const AlarmView& v) {
    return eachSide(v, "transaction_seconds", v.limits.plan.transactionSeconds,
                    "A transaction on {} has been open for {:.0f} s; the bound is {:.0f} s.", 1);
}

std::vector<AlarmFinding> schemaChanged(const AlarmView& v) {
    std::vector<AlarmFinding> found;
    // Of the side that has the writes: while a copy is made we change the other one ourselves, and the checklist compares.
    const Phase p = v.snapshot.phase;
    const std::string source = p == Phase::Validate || p == Phase::Ramp || p == Phase::RolledBack ? "blue"
                               : p == Phase::Observe                                              ? "green"
                                                                                                  : "";
    for (const char* side : SIDES) {
        const std::optional<double> now = v.metric(std::string("schema_changes.") + side, SLOW_AGE);
        const auto before = v.memory.schemaChanges.find(side);
        const bool more = now && before != v.memory.schemaChanges.end() && *now > before->second;
        found.push_back({side,
                         side == source && more ? Sign::Raised
                         : now                  ? Sign::Clear
                                                : Sign::Unknown,
                         fmt::format("The schema on {} has changed; logical replication carries no DDL.", side)});
    }
    return found;
}

/// Names what was changed, by whom and when.
std::vector<AlarmFinding> driftOpen(const AlarmView& v) {
    std::vector<AlarmFinding> found;
    for (const DriftState& d : v.snapshot.drift) {
        found.push_back(
            {fmt::format("{}/{}", d.database, d.id), d.state == "open" ? Sign::Raised : Sign::Clear,
             fmt::format("{} of {} in {} by {} at {} is only on {}.", d.tag, d.object, d.database, d.who, isoUtc(d.wallUs), d.side)});
    }
    return found;
}

std::vector<AlarmFinding> recordingDisk(const AlarmView& v) {
    const std::optional<double> free = v.metric("recording_free_bytes", SLOW_AGE);
    const double bound = v.limits.plan.recordingFreeMib * MIB;
    return {{{},
             !free           ? Sign::Unknown
             : *free < bound ? Sign::Raised
                             : Sign::Clear,
             fmt::format("Only {:.0f} MiB are free where the recording is written; without a record nothing is done.",
                         free.value_or(0) / MIB)}};
}

std::vector<AlarmFinding> clockJump(const AlarmView& v) {
    if (v.memory.steadyUs == 0) {
        return {{{}, Sign::Clear, {}}};
    }
    const double jump = static_cast<double>((v.wallUs - v.memory.wallUs) - (v.nowUs - v.memory.steadyUs)) / 1e6;
    return {{{},
             std::abs(jump) > CLOCK_JUMP_SECONDS ? Sign::Raised : Sign::Clear,
             fmt::format("The clock of this machine was set by {:+.1f} s; times in the recording step there.", jump)}};
}

std::vector<AlarmFinding> routerSilent(const AlarmView& v) {
    std::vector<AlarmFinding> found;
    const std::string prefix = "router_up.";
    for (const auto& [name, metric] : v.snapshot.metrics) {
        if (name.compare(0, prefix.size(), prefix) == 0) {
            const std::optional<double> up = v.metric(name, FAST_AGE);
            const std::string router = name.substr(prefix.size());
            found.push_back({router,
                             !up        ? Sign::Unknown
                             : *up == 0 ? Sign::Raised
                                        : Sign::Clear,
                             fmt::format("{} does not answer.", router)});
        }
    }
    return found;
}

std::vector<AlarmFinding> writesUnknown(const AlarmView& v) {
    const TrafficState& t = v.snapshot.traffic;
    if (!v.limits.poolers || t.sampledUs == 0 || v.snapshot.phase == Phase::Cutover) {
        return {{{}, Sign::Unknown, {}}};
    }
    return {{{},
             t.writesTo == "unknown" ? Sign::Raised : Sign::Clear,
             "Where the writes go is not known" + (t.detail.empty() ? std::string(".") : ": " + t.detail)}};
}

std::vector<AlarmFinding> writesPaused(const AlarmView& v) {
    // A PAUSE outlives whoever gave it: clients wait until somebody resumes.
    const bool paused = v.snapshot.traffic.writesTo == "paused" && v.snapshot.phase != Phase::Cutover;
    return {{{}, paused ? Sign::Raised : Sign::Clear, "A pooler is paused although no switch is under way: clients hang."}};
}

std::vector<AlarmFinding> samplerSilent(const AlarmView& v) {
    const auto newest = v.snapshot.metrics.find("sampler_ms");
    if (newest == v.snapshot.metrics.end() || v.snapshot.phase == Phase::Cutover) {
        return {{{}, Sign::Unknown, {}}};
    }
    const std::int64_t age = v.nowUs - newest->second.sampledUs;
    return {{{},
             age > QUIET_LIMIT.count() * 1000 ? Sign::Raised : Sign::Clear,
             fmt::format("Nothing was measured for {:.0f} s; what is shown is old.", static_cast<double>(age) / 1e6)}};
}

std::vector<AlarmFinding> checklistFails(const AlarmView& v) {
    const Phase p = v.snapshot.phase;
    const bool counts = p == Phase::Validate || p == Phase::Ramp || p == Phase::Observe || p == Phase::RolledBack;
    std::string names;
    for (const CheckState& check : v.snapshot.checks) {
        const bool fails = check.severity == Severity::Blocking && check.overrideBy.empty() && check.result == CheckResult::Fail;
        names += fails ? (names.empty() ? "" : ", ") + check.id : "";
    }
    return {{{}, counts && !names.empty() ? Sign::Raised : Sign::Clear, "The checklist fails: " + names + "."}};
}

} // namespace

AlarmLimits alarmLimits(const Plan& plan) {
    return {plan.alarms, plan.ramp.maxLagSeconds, !plan.pgbouncers.empty() || !plan.routers.empty()};
}

std::optional<double> AlarmView::metric(const std::string& name, Millis maxAge) const {
    const auto found = snapshot.metrics.find(name);
    if (found == snapshot.metrics.end() || nowUs - found->second.sampledUs > maxAge.count() * 1000) {
        return std::nullopt;
    }
    return found->second.value;
}

const std::vector<AlarmRule>& alarmRules() {
    static const std::vector<AlarmRule> rules = {
        {"slot-lost", "high",
         "This feed cannot go on. Before the cutover: abort and replicate anew. After it: there is no rollback by this feed.", Millis(0),
         Millis(5000), false, slotLost},
        {"writes-unknown", "high", "Look at the poolers and their targets before anything else is done.", Millis(5000), Millis(3000), false,
         writesUnknown},
        {"writes-paused", "high", "RESUME the pooler on its admin console, or run \"tealctl status\": the engine settles what was begun.",
         Millis(5000), Millis(2000), false, writesPaused},
        {"side-silent", "high", "Look at that server and the way to it. While it is silent no switch begins.", Millis(3000), Millis(5000),
         false, sideSilent},
        {"wraparound", "high",
         "Vacuum the oldest databases; look for prepared transactions, slots and old snapshots that hold the horizon.", Millis(0),
         Millis(60'000), false, wraparound},
        {"recording-disk", "high", "Free space in the engine's folder, or nothing but abort can be done any more.", Millis(0),
         Millis(30'000), false, recordingDisk},
        {"slot-retention", "medium", "Find out why the feed lags; raise the limit or abort before the disk of the source is full.",
         Millis(5000), Millis(30'000), false, slotRetention},
        {"apply-stopped", "medium", "Read the subscriber's server log: it names the table and the reason.", Millis(10'000), Millis(5000),
         false, applyStopped},
        {"lag-high", "medium", "Wait for the feed before any switch; with reads on GREEN, take them back.", Millis(5000), Millis(10'000),
         false, lagHigh},
        {"wal-disk", "medium", "Look for slots that nobody reads and an archive that does not keep up.", Millis(0), Millis(60'000), false,
         walDisk},
        {"schema-changed", "medium", "Make the same change on the other side, run the checklist, then acknowledge.", Millis(0), Millis(0),
         true, schemaChanged},
        {"drift", "medium", "See it with \"tealctl drift list\" and carry it over with \"tealctl drift apply\".", Millis(0), Millis(0),
         false, driftOpen},
        {"router-silent", "medium", "Look at that router. No switch begins without it.", Millis(5000), Millis(5000), false, routerSilent},
        {"sampler-silent", "medium", "Do not rely on the numbers. Stop the engine and start it again if this lasts.", Millis(0),
         Millis(3000), false, samplerSilent},
        {"checklist", "medium", "Read the failed items and mend them; no switch begins before.", Millis(0), Millis(0), false,
         checklistFails},
        {"lag-growing", "low", "Look at the load of the source and at what the subscriber waits for.", Millis(0), Millis(30'000), false,
         lagGrowing},
        {"long-transaction", "low", "End it before a switch: the pause would wait for it, and a slot cannot be made.", Millis(0),
         Millis(30'000), false, longTransaction},
        {"clock-jump", "low", "Check the time service of this machine, then acknowledge.", Millis(0), Millis(0), true, clockJump},
    };
    return rules;
}

} // namespace tealdeck
