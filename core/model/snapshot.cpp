// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/snapshot.h"

#include "core/model/snapshot_json.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace tealdeck {
namespace {

template <class T>
void replaceBy(std::vector<T>& list, T value, const std::function<bool(const T&)>& same) {
    const auto it = std::find_if(list.begin(), list.end(), same);
    if (it == list.end()) {
        list.push_back(std::move(value));
    } else {
        *it = std::move(value);
    }
}

void applyMetrics(Snapshot& s, const Event& e) {
    const Json values = member(e.body, "values", Json::object());
    if (!values.is_object()) {
        return;
    }
    for (const auto& [name, value] : values.items()) {
        s.metrics[name] = {value.is_number() ? std::optional<double>(value.get<double>()) : std::nullopt, e.steadyUs};
    }
}

/// A new life of the engine has seen nothing yet: what an earlier one sampled must not look fresh.
void applySession(Snapshot& s, const Event& e) {
    s.session = sessionFromJson(e.body);
    s.traffic = {};
    s.metrics.clear();
    s.replication.clear();
    s.inventory.clear();
    for (std::vector<Node>* side : {&s.blue, &s.green}) {
        for (Node& node : *side) {
            node.state = "unknown";
        }
    }
}

void applyPhase(Snapshot& s, const Event& e) {
    if (const auto phase = phaseFromName(member<std::string>(e.body, "phase", ""))) {
        if (*phase != s.phase) {
            s.phaseSinceUs = e.steadyUs;
            s.gateSeq = e.seq;
        }
        s.phase = *phase;
    }
    s.phaseReason = member<std::string>(e.body, "reason", "");
    s.pastPointOfNoReturn = member<bool>(e.body, "past_point_of_no_return", false);
    s.rollbackUntilWallUs = member<std::int64_t>(e.body, "rollback_until_wall_us", s.rollbackUntilWallUs);
    s.rollbackReadiness = member<std::string>(e.body, "rollback_readiness", s.rollbackReadiness);
}

void applyCheck(Snapshot& s, const Event& e) {
    if (member<bool>(e.body, "clear", false)) {
        s.checks.clear();
        s.gateSeq = e.seq;
        return;
    }
    if (e.body.contains("confirmed_us")) {
        // Asked again, and every line that was not told anew had the same answer at that time.
        const auto confirmedUs = member<std::int64_t>(e.body, "confirmed_us", 0);
        for (CheckState& known : s.checks) {
            const bool blockedBefore = isBlocking(known, e.steadyUs);
            known.evaluatedUs = std::max(known.evaluatedUs, confirmedUs);
            s.gateSeq = isBlocking(known, e.steadyUs) != blockedBefore ? e.seq : s.gateSeq;
        }
        return;
    }
    CheckState check = checkFromJson(e.body);
    if (check.id.empty()) {
        return;
    }
    const auto it = std::find_if(s.checks.begin(), s.checks.end(), [&](const CheckState& c) { return c.id == check.id; });
    const bool blockedBefore = it != s.checks.end() && isBlocking(*it, e.steadyUs);
    const bool blocksNow = isBlocking(check, e.steadyUs);
    if (blocksNow != blockedBefore) {
        s.gateSeq = e.seq;
    }
    if (it == s.checks.end()) {
        s.checks.push_back(std::move(check));
    } else {
        *it = std::move(check);
    }
}

void applyStep(Snapshot& s, const Event& e) {
    if (member<bool>(e.body, "clear", false)) {
        s.steps.clear();
        s.busyWith = member<std::string>(e.body, "command", "");
        return;
    }
    if (e.body.contains("idle")) {
        s.busyWith.clear();
        return;
    }
    StepState step = stepFromJson(e.body);
    if (step.id.empty()) {
        return;
    }
    replaceBy<StepState>(s.steps, step, [&](const StepState& other) { return other.id == step.id; });
}

/// The member of the pair that the event's side names; nullptr for anything that is no side.
template <class T>
T* bySide(const Event& e, T& blue, T& green) {
    const std::string side = member<std::string>(e.body, "side", "");
    return side == "blue" ? &blue : side == "green" ? &green : nullptr;
}

void applyTopology(Snapshot& s, const Event& e) {
    if (std::vector<Node>* nodes = bySide(e, s.blue, s.green)) {
        *nodes = listFromJson<Node>(e.body, "nodes", nodeFromJson);
    }
}

void applyFence(Snapshot& s, const Event& e) {
    std::string* fence = bySide(e, s.blueFence, s.greenFence);
    const std::string now = member<std::string>(e.body, "state", "unknown");
    if (fence == nullptr || now == *fence) {
        return;
    }
    s.gateSeq = e.seq;
    *fence = now;
}

} // namespace

const char* checkResultName(CheckResult result) {
    return result == CheckResult::Pass ? "pass" : result == CheckResult::Fail ? "fail" : "unknown";
}
const char* severityName(Severity severity) {
    return severity == Severity::Blocking ? "blocking" : severity == Severity::Warning ? "warning" : "info";
}

bool isStale(const CheckState& check, std::int64_t nowUs) {
    return check.validForUs > 0 && nowUs - check.evaluatedUs > check.validForUs;
}

bool isBlocking(const CheckState& check, std::int64_t nowUs) {
    return check.severity == Severity::Blocking && check.overrideBy.empty() && (check.result != CheckResult::Pass || isStale(check, nowUs));
}

bool isShelved(const AlarmState& alarm, std::int64_t nowUs) {
    return !alarm.shelvedBy.empty() && nowUs < alarm.shelvedUntilUs;
}

std::vector<AlarmState> standingAlarms(const std::vector<AlarmState>& alarms, std::int64_t nowUs) {
    std::vector<AlarmState> standing;
    std::copy_if(alarms.begin(), alarms.end(), std::back_inserter(standing),
                 [&](const AlarmState& a) { return a.active && !isShelved(a, nowUs); });
    const auto rank = [](const AlarmState& a) { return a.priority == "high" ? 0 : a.priority == "medium" ? 1 : 2; };
    std::stable_sort(standing.begin(), standing.end(), [&](const AlarmState& a, const AlarmState& b) {
        return std::tuple(rank(a), -a.sinceUs) < std::tuple(rank(b), -b.sinceUs);
    });
    return standing;
}

void apply(Snapshot& s, const Event& e) {
    s.seq = e.seq;
    s.steadyUs = e.steadyUs;
    s.wallUs = e.wallUs;
    switch (e.kind) {
    case EventKind::Metrics:
        return applyMetrics(s, e);
    case EventKind::Session:
        return applySession(s, e);
    case EventKind::Topology:
        return applyTopology(s, e);
    case EventKind::Phase:
        return applyPhase(s, e);
    case EventKind::Check:
        return applyCheck(s, e);
    case EventKind::Step:
        return applyStep(s, e);
    case EventKind::Replication: {
        const ReplicationState r = replicationFromJson(e.body);
        return replaceBy<ReplicationState>(
            s.replication, r, [&](const ReplicationState& o) { return o.database == r.database && o.direction == r.direction; });
    }
    case EventKind::Copy: {
        const CopyState c = copyFromJson(e.body);
        if (c.state.empty()) {
            return; // a batch of tables that ended, for the record
        }
        return replaceBy<CopyState>(s.copies, c, [&](const CopyState& o) { return o.database == c.database; });
    }
    case EventKind::Traffic:
        s.traffic = trafficFromJson(e.body);
        return;
    case EventKind::Inventory: {
        Inventory i = inventoryFromJson(e.body);
        return replaceBy<Inventory>(s.inventory, i, [&](const Inventory& o) { return o.side == i.side && o.node == i.node; });
    }
    case EventKind::Fence:
        return applyFence(s, e);
    case EventKind::Alarm: {
        const AlarmState a = alarmFromJson(e.body);
        return replaceBy<AlarmState>(s.alarms, a, [&](const AlarmState& o) { return o.id == a.id; });
    }
    case EventKind::Switch:
        s.switches.push_back(switchFromJson(e.body));
        return;
    case EventKind::Verify:
        return applyComparison(s.comparison, e);
    case EventKind::Drift:
        return applyDrift(s.drift, e);
    default:
        return;
    }
}

Snapshot fold(Snapshot snapshot, const Event& event) {
    apply(snapshot, event);
    return snapshot;
}

} // namespace tealdeck
