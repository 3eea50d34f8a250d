// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/snapshot_json.h"

namespace tealdeck {
namespace {

std::vector<std::string> strings(const Json& json, const char* key) {
    std::vector<std::string> list;
    const Json found = member(json, key, Json::array());
    if (found.is_array()) {
        for (const Json& item : found) {
            if (item.is_string()) {
                list.push_back(item.get<std::string>());
            }
        }
    }
    return list;
}

CheckResult resultFromName(const std::string& name) {
    // Whatever is not clearly a pass or a fail is unknown (law 2).
    return name == "pass" ? CheckResult::Pass : name == "fail" ? CheckResult::Fail : CheckResult::Unknown;
}

Severity severityFromName(const std::string& name) {
    return name == "info" ? Severity::Info : name == "warning" ? Severity::Warning : Severity::Blocking;
}

template <class T>
Json listToJson(const std::vector<T>& list) {
    Json array = Json::array();
    for (const T& item : list) {
        array.push_back(toJson(item));
    }
    return array;
}

} // namespace

SessionInfo sessionFromJson(const Json& j) {
    return {member<std::string>(j, "deployment", ""),      member<std::string>(j, "recording_id", ""),
            member<std::string>(j, "mode", "live"),        strings(j, "databases"),
            member<std::string>(j, "plan_sha256", ""),     member<std::int64_t>(j, "epoch", 0),
            member<std::int64_t>(j, "started_wall_us", 0), member<double>(j, "pause_budget_ms", 0)};
}

Node nodeFromJson(const Json& j) {
    Node n;
    n.name = member<std::string>(j, "name", "");
    n.role = member<std::string>(j, "role", "");
    n.host = member<std::string>(j, "host", "");
    n.port = member<int>(j, "port", 0);
    n.zone = member<std::string>(j, "zone", "");
    n.version = member<std::string>(j, "version", "");
    n.systemIdentifier = member<std::string>(j, "system_identifier", "");
    n.state = member<std::string>(j, "state", "unknown");
    n.detail = member<std::string>(j, "detail", "");
    n.connections = optionalNumber(j, "connections");
    n.lagBytes = optionalNumber(j, "lag_bytes");
    n.lagSeconds = optionalNumber(j, "lag_seconds");
    n.sampledUs = member<std::int64_t>(j, "sampled_us", 0);
    return n;
}

CheckState checkFromJson(const Json& j) {
    CheckState c;
    c.id = member<std::string>(j, "id", "");
    c.family = member<std::string>(j, "family", "");
    c.severity = severityFromName(member<std::string>(j, "severity", ""));
    c.question = member<std::string>(j, "question", "");
    c.why = member<std::string>(j, "why", "");
    c.expected = member<std::string>(j, "expected", "");
    c.actual = member<std::string>(j, "actual", "");
    c.fix = member<std::string>(j, "fix", "");
    c.source = member<std::string>(j, "source", "");
    c.result = resultFromName(member<std::string>(j, "result", ""));
    c.evaluatedUs = member<std::int64_t>(j, "evaluated_us", 0);
    c.validForUs = member<std::int64_t>(j, "valid_for_us", 0);
    c.overrideBy = member<std::string>(j, "override_by", "");
    c.overrideReason = member<std::string>(j, "override_reason", "");
    return c;
}

StepState stepFromJson(const Json& j) {
    return {member<std::string>(j, "id", ""),          member<std::string>(j, "title", ""),    member<std::string>(j, "state", "pending"),
            member<std::string>(j, "waiting_for", ""), member<std::string>(j, "detail", ""),   member<std::string>(j, "on_timeout", ""),
            member<std::int64_t>(j, "started_us", 0),  member<std::int64_t>(j, "ended_us", 0), member<std::int64_t>(j, "limit_ms", 0),
            member<double>(j, "progress", -1),         member<double>(j, "expected_ms", -1)};
}

ReplicationState replicationFromJson(const Json& j) {
    ReplicationState r;
    r.database = member<std::string>(j, "database", "");
    r.direction = member<std::string>(j, "direction", "");
    r.state = member<std::string>(j, "state", "none");
    r.tablesReady = member<int>(j, "tables_ready", 0);
    r.tablesTotal = member<int>(j, "tables_total", 0);
    r.bytesCopied = optionalNumber(j, "bytes_copied");
    r.bytesTotal = optionalNumber(j, "bytes_total");
    r.lagBytes = optionalNumber(j, "lag_bytes");
    r.lagSeconds = optionalNumber(j, "lag_seconds");
    r.retainedBytes = optionalNumber(j, "retained_bytes");
    r.error = member<std::string>(j, "error", "");
    r.failedLsn = member<std::string>(j, "failed_lsn", "");
    r.slot = member<std::string>(j, "slot", "");
    r.sampledUs = member<std::int64_t>(j, "sampled_us", 0);
    return r;
}

TrafficState trafficFromJson(const Json& j) {
    return {member<std::string>(j, "writes_to", "unknown"), optionalNumber(j, "reads_green_percent"),
            member<double>(j, "reads_green_target", 0),     strings(j, "poolers"),
            member<std::string>(j, "detail", ""),           member<std::int64_t>(j, "sampled_us", 0)};
}

AlarmState alarmFromJson(const Json& j) {
    return {member<std::string>(j, "id", ""),
            member<std::string>(j, "priority", "low"),
            member<std::string>(j, "cause", ""),
            member<std::string>(j, "response", ""),
            member<bool>(j, "active", true),
            member<std::int64_t>(j, "since_us", 0),
            member<std::string>(j, "acknowledged_by", ""),
            member<std::string>(j, "shelved_by", ""),
            member<std::string>(j, "shelve_reason", ""),
            member<std::int64_t>(j, "shelved_until_us", 0)};
}

SwitchReport switchFromJson(const Json& j) {
    SwitchReport s;
    s.direction = member<std::string>(j, "direction", "");
    s.ok = member<bool>(j, "ok", false);
    s.pauseMs = member<double>(j, "pause_ms", 0);
    const Json parts = member(j, "parts_ms", Json::object());
    if (parts.is_object()) {
        for (const auto& [name, value] : parts.items()) {
            if (value.is_number()) {
                s.partsMs[name] = value.get<double>();
            }
        }
    }
    s.detail = member<std::string>(j, "detail", "");
    s.endedWallUs = member<std::int64_t>(j, "ended_wall_us", 0);
    return s;
}

Json toJson(const SessionInfo& i) {
    return {{"deployment", i.deployment},         {"recording_id", i.recordingId},     {"mode", i.mode},
            {"databases", i.databases},           {"plan_sha256", i.planSha256},       {"epoch", i.epoch},
            {"started_wall_us", i.startedWallUs}, {"pause_budget_ms", i.pauseBudgetMs}};
}

Json toJson(const Node& n) {
    return {{"name", n.name},
            {"role", n.role},
            {"host", n.host},
            {"port", n.port},
            {"zone", n.zone},
            {"version", n.version},
            {"system_identifier", n.systemIdentifier},
            {"state", n.state},
            {"detail", n.detail},
            {"connections", orNull(n.connections)},
            {"lag_bytes", orNull(n.lagBytes)},
            {"lag_seconds", orNull(n.lagSeconds)},
            {"sampled_us", n.sampledUs}};
}

Json toJson(const CheckState& c) {
    return {{"id", c.id},
            {"family", c.family},
            {"severity", severityName(c.severity)},
            {"question", c.question},
            {"why", c.why},
            {"expected", c.expected},
            {"actual", c.actual},
            {"fix", c.fix},
            {"source", c.source},
            {"result", checkResultName(c.result)},
            {"evaluated_us", c.evaluatedUs},
            {"valid_for_us", c.validForUs},
            {"override_by", c.overrideBy},
            {"override_reason", c.overrideReason}};
}

Json toJson(const StepState& s) {
    return {{"id", s.id},
            {"title", s.title},
            {"state", s.state},
            {"waiting_for", s.waitingFor},
            {"detail", s.detail},
            {"on_timeout", s.onTimeout},
            {"started_us", s.startedUs},
            {"ended_us", s.endedUs},
            {"limit_ms", s.limitMs},
            {"progress", s.progress},
            {"expected_ms", s.expectedMs}};
}

Json toJson(const ReplicationState& r) {
    return {{"database", r.database},
            {"direction", r.direction},
            {"state", r.state},
            {"tables_ready", r.tablesReady},
            {"tables_total", r.tablesTotal},
            {"bytes_copied", orNull(r.bytesCopied)},
            {"bytes_total", orNull(r.bytesTotal)},
            {"lag_bytes", orNull(r.lagBytes)},
            {"lag_seconds", orNull(r.lagSeconds)},
            {"retained_bytes", orNull(r.retainedBytes)},
            {"error", r.error},
            {"failed_lsn", r.failedLsn},
            {"slot", r.slot},
            {"sampled_us", r.sampledUs}};
}

Json toJson(const TrafficState& t) {
    return {{"writes_to", t.writesTo},
            {"reads_green_percent", orNull(t.readsGreenPercent)},
            {"reads_green_target", t.readsGreenTarget},
            {"poolers", t.poolers},
            {"detail", t.detail},
            {"sampled_us", t.sampledUs}};
}

Json toJson(const AlarmState& a) {
    return {{"id", a.id},
            {"priority", a.priority},
            {"cause", a.cause},
            {"response", a.response},
            {"active", a.active},
            {"since_us", a.sinceUs},
            {"acknowledged_by", a.acknowledgedBy},
            {"shelved_by", a.shelvedBy},
            {"shelve_reason", a.shelveReason},
            {"shelved_until_us", a.shelvedUntilUs}};
}

Json toJson(const SwitchReport& s) {
    return {{"direction", s.direction}, {"ok", s.ok},         {"pause_ms", s.pauseMs},
            {"parts_ms", s.partsMs},    {"detail", s.detail}, {"ended_wall_us", s.endedWallUs}};
}

Json toJson(const Snapshot& s) {
    Json metrics = Json::object();
    for (const auto& [name, metric] : s.metrics) {
        metrics[name] = {{"value", orNull(metric.value)}, {"sampled_us", metric.sampledUs}};
    }
    return {{"seq", s.seq},
            {"gate_seq", s.gateSeq},
            {"steady_us", s.steadyUs},
            {"wall_us", s.wallUs},
            {"session", toJson(s.session)},
            {"phase", phaseName(s.phase)},
            {"phase_reason", s.phaseReason},
            {"phase_since_us", s.phaseSinceUs},
            {"past_point_of_no_return", s.pastPointOfNoReturn},
            {"busy_with", s.busyWith},
            {"blue", listToJson(s.blue)},
            {"green", listToJson(s.green)},
            {"inventory", listToJson(s.inventory)},
            {"blue_fence", s.blueFence},
            {"green_fence", s.greenFence},
            {"checks", listToJson(s.checks)},
            {"steps", listToJson(s.steps)},
            {"replication", listToJson(s.replication)},
            {"copies", listToJson(s.copies)},
            {"traffic", toJson(s.traffic)},
            {"alarms", listToJson(s.alarms)},
            {"switches", listToJson(s.switches)},
            {"metrics", metrics},
            {"rollback_until_wall_us", s.rollbackUntilWallUs},
            {"rollback_readiness", s.rollbackReadiness},
            {"comparison", toJson(s.comparison)},
            {"drift", listToJson(s.drift)}};
}

Snapshot snapshotFromJson(const Json& j) {
    Snapshot s;
    s.seq = member<std::uint64_t>(j, "seq", 0);
    s.gateSeq = member<std::uint64_t>(j, "gate_seq", 0);
    s.steadyUs = member<std::int64_t>(j, "steady_us", 0);
    s.wallUs = member<std::int64_t>(j, "wall_us", 0);
    s.session = sessionFromJson(member(j, "session", Json::object()));
    s.phase = phaseFromName(member<std::string>(j, "phase", "")).value_or(Phase::Plan);
    s.phaseReason = member<std::string>(j, "phase_reason", "");
    s.phaseSinceUs = member<std::int64_t>(j, "phase_since_us", 0);
    s.pastPointOfNoReturn = member<bool>(j, "past_point_of_no_return", false);
    s.busyWith = member<std::string>(j, "busy_with", "");
    s.blue = listFromJson<Node>(j, "blue", nodeFromJson);
    s.green = listFromJson<Node>(j, "green", nodeFromJson);
    s.inventory = listFromJson<Inventory>(j, "inventory", inventoryFromJson);
    s.blueFence = member<std::string>(j, "blue_fence", "unknown");
    s.greenFence = member<std::string>(j, "green_fence", "unknown");
    s.checks = listFromJson<CheckState>(j, "checks", checkFromJson);
    s.steps = listFromJson<StepState>(j, "steps", stepFromJson);
    s.replication = listFromJson<ReplicationState>(j, "replication", replicationFromJson);
    s.copies = listFromJson<CopyState>(j, "copies", copyFromJson);
    s.traffic = trafficFromJson(member(j, "traffic", Json::object()));
    s.alarms = listFromJson<AlarmState>(j, "alarms", alarmFromJson);
    s.switches = listFromJson<SwitchReport>(j, "switches", switchFromJson);
    const Json metrics = member(j, "metrics", Json::object());
    for (const auto& [name, metric] : metrics.items()) {
        s.metrics[name] = {optionalNumber(metric, "value"), member<std::int64_t>(metric, "sampled_us", 0)};
    }
    s.rollbackUntilWallUs = member<std::int64_t>(j, "rollback_until_wall_us", 0);
    s.rollbackReadiness = member<std::string>(j, "rollback_readiness", "");
    s.comparison = comparisonFromJson(member(j, "comparison", Json::object()));
    s.drift = listFromJson<DriftState>(j, "drift", driftFromJson);
    return s;
}

} // namespace tealdeck
