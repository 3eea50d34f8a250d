// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include <string>
#include <vector>

/// Random events that look like an engine's: mostly sound, sometimes of a wrong shape.
namespace tealdeck::testing_random {

using Random = std::mt19937_64;

inline std::uint64_t seedOfThisRun() {
    const char* given = std::getenv("TEALDECK_TEST_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    fmt::print("TEALDECK_TEST_SEED={}\n", seed);
    return seed;
}

inline std::string pick(Random& random, const std::vector<std::string>& from) {
    return from[random() % from.size()];
}

inline std::string word(Random& random) {
    return pick(random,
                {"blue-1", "green-1", "shop", "a\nb", "x\u202Ey", "größe", "\"quoted\"", "cutover.fence", "<b>bold</b>", "caught up"});
}

inline std::optional<double> maybe(Random& random) {
    return random() % 4 == 0 ? std::nullopt : std::optional<double>(static_cast<double>(random() % 100'000) / 8);
}

inline std::int64_t moment(Random& random) {
    return static_cast<std::int64_t>(random() % 1'000'000);
}

inline Json randomNode(Random& random) {
    Node node;
    node.name = word(random);
    node.role = pick(random, {"primary", "replica"});
    node.host = word(random);
    node.port = static_cast<int>(random() % 65536);
    node.zone = pick(random, {"az-a", "az-b"});
    node.state = pick(random, {"up", "down", "unknown"});
    node.connections = maybe(random);
    node.lagBytes = maybe(random);
    node.lagSeconds = maybe(random);
    node.sampledUs = moment(random);
    return toJson(node);
}

inline Json randomCheck(Random& random) {
    CheckState check;
    check.id = pick(random, {"SRV01/blue", "SRV02/green/shop", "REP01", "SEQ01"});
    check.severity = static_cast<Severity>(random() % 3);
    check.result = static_cast<CheckResult>(random() % 3);
    check.question = word(random);
    check.actual = word(random);
    check.evaluatedUs = moment(random);
    check.validForUs = moment(random);
    check.overrideBy = random() % 4 == 0 ? word(random) : "";
    return toJson(check);
}

inline Json randomStep(Random& random) {
    StepState step;
    step.id = pick(random, {"cutover.fence", "cutover.drain", "replicate.schema"});
    step.title = word(random);
    step.state = pick(random, {"pending", "running", "done", "failed", "skipped", "undone"});
    step.waitingFor = random() % 2 == 0 ? word(random) : "";
    step.startedUs = moment(random);
    step.limitMs = moment(random);
    step.progress = static_cast<double>(random() % 5) / 4;
    return toJson(step);
}

inline Json randomReplication(Random& random) {
    ReplicationState state;
    state.database = pick(random, {"shop", "books"});
    state.direction = pick(random, {"forward", "reverse"});
    state.state = pick(random, {"none", "copying", "streaming", "stopped"});
    state.tablesReady = static_cast<int>(random() % 10);
    state.tablesTotal = 10;
    state.lagBytes = maybe(random);
    state.retainedBytes = maybe(random);
    state.sampledUs = moment(random);
    return toJson(state);
}

inline Json randomRest(Random& random, EventKind kind) {
    if (kind == EventKind::Traffic) {
        TrafficState traffic;
        traffic.writesTo = pick(random, {"blue", "green", "paused", "unknown"});
        traffic.readsGreenPercent = maybe(random);
        traffic.poolers = {word(random), word(random)};
        return toJson(traffic);
    }
    if (kind == EventKind::Alarm) {
        AlarmState alarm;
        alarm.id = pick(random, {"slot", "lag", "disk"});
        alarm.priority = pick(random, {"high", "medium", "low"});
        alarm.cause = word(random);
        alarm.active = random() % 2 == 0;
        return toJson(alarm);
    }
    if (kind == EventKind::Inventory) {
        Inventory inventory;
        inventory.side = pick(random, {"blue", "green"});
        inventory.node = pick(random, {"primary", "replica-1"});
        inventory.settings = {{"work_mem", word(random)}};
        inventory.replicationSlots = {{"", word(random), word(random)}};
        inventory.databaseBytes = {{"shop", static_cast<double>(random() % 1000)}};
        inventory.diskFreeBytes = maybe(random);
        if (random() % 2 == 0) {
            inventory.patroni = PatroniAnswer{word(random), "primary", maybe(random), "", random() % 2 == 0, ""};
        }
        return toJson(inventory);
    }
    if (kind == EventKind::Switch) {
        SwitchReport report;
        report.direction = pick(random, {"cutover", "rollback"});
        report.ok = random() % 3 != 0;
        report.pauseMs = static_cast<double>(random() % 1000) / 8;
        report.partsMs = {{"fence", 1.5}, {"drain", 2.25}};
        return toJson(report);
    }
    SessionInfo info;
    info.deployment = word(random);
    info.databases = {"shop"};
    info.epoch = moment(random);
    return toJson(info);
}

inline Json randomComparison(Random& random) {
    const std::string id = pick(random, {"a", "b"});
    if (random() % 4 == 0) {
        ComparisonState state;
        state.id = id;
        state.state = pick(random, {"running", "done", "cancelled"});
        state.rows = moment(random);
        return {{"comparison", toJson(state, false)}};
    }
    TableComparison table;
    table.database = pick(random, {"shop", "crm"});
    table.table = word(random) + std::to_string(random() % 500);
    table.result = pick(random, {"equal", "equal", "different", "undecided"});
    table.rows = moment(random);
    return {{"id", id}, {"table", toJson(table)}};
}

inline Json randomBody(Random& random, EventKind kind) {
    switch (kind) {
    case EventKind::Metrics:
        return {{"values", {{"lag", orNull(maybe(random))}, {pick(random, {"tps", "wal", "conn"}), orNull(maybe(random))}}}};
    case EventKind::Phase:
        return {{"phase", phaseName(static_cast<Phase>(random() % 10))},
                {"reason", word(random)},
                {"past_point_of_no_return", random() % 3 == 0},
                {"rollback_until_wall_us", moment(random)},
                {"rollback_readiness", word(random)}};
    case EventKind::Topology:
        return {{"side", pick(random, {"blue", "green"})}, {"nodes", Json::array({randomNode(random), randomNode(random)})}};
    case EventKind::Check:
        return random() % 12 == 0 ? Json{{"clear", true}} : randomCheck(random);
    case EventKind::Step:
        if (random() % 8 == 0) {
            return random() % 2 == 0 ? Json{{"clear", true}, {"command", "cutover"}} : Json{{"idle", true}};
        }
        return randomStep(random);
    case EventKind::Replication:
        return randomReplication(random);
    case EventKind::Fence:
        return {{"side", pick(random, {"blue", "green"})},
                {"state", pick(random, {"open", "fenced", "read-only", "unknown"})},
                {"detail", word(random)}};
    case EventKind::Verify:
        return randomComparison(random);
    case EventKind::Drift:
        return {{"id", random() % 9},
                {"database", pick(random, {"shop", "crm", ""})},
                {"side", "blue"},
                {"statement", word(random)},
                {"state", pick(random, {"open", "settled"})}};
    case EventKind::Traffic:
    case EventKind::Alarm:
    case EventKind::Inventory:
    case EventKind::Switch:
    case EventKind::Session:
        return randomRest(random, kind);
    default:
        return {{"text", word(random)},
                {"step", pick(random, {"cutover.fence", "cutover.commit"})},
                {"detail", word(random)},
                {"ok", random() % 2 == 0},
                {"ms", moment(random)},
                {"command", pick(random, {"cutover", "ramp", "check", "abort"})},
                {"accepted", random() % 2 == 0},
                {"reply", word(random)},
                {"item", word(random)},
                {"reason", word(random)},
                {"server", "blue-1"},
                {"page", "checks"},
                {"head", "00"}};
    }
}

inline EventKind randomKind(Random& random) {
    // Numbers that no kind has are drawn again: a generator makes events, the wire's fuzz makes the rest.
    for (;;) {
        if (const auto kind = eventKindFromNumber(static_cast<std::int64_t>(1 + random() % 40))) {
            return *kind;
        }
    }
}

inline Event randomEvent(Random& random, std::uint64_t seq) {
    Event event;
    event.seq = seq;
    event.steadyUs = static_cast<std::int64_t>(seq) * 1000 + static_cast<std::int64_t>(random() % 1000);
    event.wallUs = 1'700'000'000'000'000 + static_cast<std::int64_t>(random() % 1'000'000'000);
    event.kind = randomKind(random);
    event.actor = pick(random, {"engine", "guardian", "anna", "bo\nb"});
    // A body of another kind now and then: the fold must stand it.
    event.body = randomBody(random, random() % 15 == 0 ? randomKind(random) : event.kind);
    return event;
}

} // namespace tealdeck::testing_random
