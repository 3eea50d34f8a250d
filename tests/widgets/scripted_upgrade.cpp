// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/widgets/scripted_upgrade.h"

#include <cmath>
#include <random>

namespace tealdeck::test {
namespace {

constexpr std::int64_t START_WALL = 1'772'247'000'000'000; // 2026-02-28 02:50 UTC

class Script {
  public:
    Script(int replicas, unsigned seed) : m_replicas(replicas), m_random(seed) {}
    std::vector<Event> write();

  private:
    void add(EventKind kind, Json body, const std::string& actor = "engine") {
        m_events.push_back({m_events.size() + 1, m_us, START_WALL + m_us, kind, actor, std::move(body)});
    }
    void phase(const char* name, const char* reason, bool past = false) {
        Json body = {{"phase", name}, {"reason", reason}, {"past_point_of_no_return", past}};
        if (std::string(name) == "observe") {
            body["rollback_until_wall_us"] = START_WALL + m_us + 24LL * 3600 * 1'000'000;
            body["rollback_readiness"] = "Rollback is possible without loss: BLUE follows GREEN, 3 ms behind.";
        } else if (std::string(name) == "finalized") {
            body["rollback_until_wall_us"] = 0;
            body["rollback_readiness"] = "The rollback window is closed.";
        }
        add(EventKind::Phase, body);
    }
    void operatorSays(const char* command, Json args = Json::object()) {
        add(EventKind::Operator, {{"command", command}, {"args", std::move(args)}, {"accepted", true}, {"reply", ""}}, "anna");
    }
    void step(const char* id, const char* title, const char* state, const char* waiting = "", std::int64_t limitMs = 0, double progress = -1, const char* onTimeout = "");
    void command(const char* name) { add(EventKind::Step, {{"clear", true}, {"command", name}}); }
    void idle() { add(EventKind::Step, {{"idle", true}}); }
    void checks(bool fixed);
    void topology();
    void traffic(const char* writes, double reads);
    void replication(const char* direction, const char* state, int ready, double lagSeconds);
    void metrics();
    void seconds(int count);
    void move(bool forward);
    void copy();
    double noise(double size) { return std::uniform_real_distribution<double>(0, size)(m_random); }

    int m_replicas;
    std::mt19937 m_random;
    std::vector<Event> m_events;
    std::int64_t m_us = 0;
    std::string m_writes = "blue";
    double m_reads = 0;
    bool m_forward = false;
    bool m_reverse = false;
    double m_lag = 0;
};

void Script::step(const char* id, const char* title, const char* state, const char* waiting, std::int64_t limitMs, double progress, const char* onTimeout) {
    add(EventKind::Step, {{"id", id}, {"title", title}, {"state", state}, {"waiting_for", waiting}, {"on_timeout", onTimeout}, {"started_us", m_us}, {"limit_ms", limitMs}, {"progress", progress}});
}

void Script::checks(bool fixed) {
    const struct {
        const char *id, *family, *severity, *question, *expected, *actual, *result;
    } list[] = {
        {"SRV01/blue", "servers", "blocking", "Is the primary of BLUE reachable?", "answers", "15.10, 4 ms", "pass"},
        {"SRV01/green", "servers", "blocking", "Is the primary of GREEN reachable?", "answers", "18.1, 3 ms", "pass"},
        {"SRV02/blue", "servers", "blocking", "Does BLUE write logical WAL?", "wal_level = logical", fixed ? "logical" : "replica", fixed ? "pass" : "fail"},
        {"SRV05/blue", "servers", "blocking", "Are there free replication slots?", "at least 2", "8 of 10 free", "pass"},
        {"SRV07/green", "servers", "blocking", "Is GREEN newer than BLUE?", "newer", "18 > 15", "pass"},
        {"TAB01/blue/shop", "tables", "blocking", "Has every table a replica identity?", "all 42", fixed ? "42 of 42" : "41 of 42: \"audit <b>Log</b>\"", fixed ? "pass" : "fail"},
        {"TAB04/blue/shop", "tables", "warning", "Are there large objects?", "none", "3 large objects", "fail"},
        {"ROL01", "roles", "blocking", "Has the console's role what it needs?", "REPLICATION, pg_read_all_data", fixed ? "both" : "", fixed ? "pass" : "unknown"},
        {"NET01", "network", "blocking", "Does GREEN reach BLUE?", "connects", "7 ms", "pass"},
        {"POL01/pooler-1", "traffic", "blocking", "Does the pooler obey its admin console?", "SHOW VERSION answers", "PgBouncer 1.18", "pass"},
        {"POL03/pooler-1", "traffic", "blocking", "Is server_login_retry at most 1 s?", "0 or 1", "1", "pass"},
        {"HAP01", "traffic", "blocking", "Does the balancer's runtime socket answer?", "answers", "HAProxy 2.6", "pass"},
        {"DSK01/green", "capacity", "blocking", "Has GREEN room for the copy?", "more than 14 GiB", "212 GiB", "pass"},
        {"CLK01", "servers", "info", "Do the clocks agree?", "within 1 s", "4 ms", "pass"},
    };
    for (const auto& c : list) {
        add(EventKind::Check, {{"id", c.id}, {"family", c.family}, {"severity", c.severity}, {"question", c.question}, {"expected", c.expected}, {"actual", c.actual}, {"result", c.result},
                               {"why", "Without it the switch would fail half way, with clients waiting."},
                               {"fix", std::string(c.result) == "pass" ? "" : "ALTER SYSTEM SET wal_level = 'logical';\n-- then restart BLUE"},
                               {"source", "PostgreSQL manual, chapter 31.11"}, {"evaluated_us", m_us}, {"valid_for_us", 900'000'000}});
    }
}

void Script::topology() {
    for (const char* side : {"blue", "green"}) {
        const bool blue = std::string(side) == "blue";
        Json nodes = Json::array();
        for (int i = 0; i <= m_replicas; ++i) {
            Json node = {{"name", i == 0 ? "primary" : "replica-" + std::to_string(i)}, {"role", i == 0 ? "primary" : "replica"}, {"host", "127.0.0.1"}, {"port", (blue ? 5500 : 5600) + i},
                         {"zone", std::string("az-") + static_cast<char>('a' + i % 3)}, {"version", blue ? "15.10" : "18.1"}, {"system_identifier", blue ? "7434" : "7561"}, {"state", "up"},
                         {"connections", i == 0 ? (m_writes == side ? 24 : 2) : 12}, {"sampled_us", m_us}};
            if (i > 0) {
                node["lag_bytes"] = std::floor(noise(9000));
                node["lag_seconds"] = 0.002 + noise(0.02);
            }
            if (i == 2 && m_us > 300'000'000 && m_us < 330'000'000 && !blue) {
                node["state"] = "down";
                node["detail"] = "connection refused";
            }
            nodes.push_back(node);
        }
        add(EventKind::Topology, {{"side", side}, {"nodes", nodes}});
    }
}

void Script::traffic(const char* writes, double reads) {
    m_writes = writes;
    m_reads = reads;
    add(EventKind::Traffic, {{"writes_to", writes}, {"reads_green_percent", reads + (reads > 0 && reads < 100 ? 0.4 : 0)}, {"reads_green_target", reads},
                             {"poolers", {"pooler-1: shop → 127.0.0.1:5500, active"}}, {"detail", ""}, {"sampled_us", m_us}});
}

void Script::replication(const char* direction, const char* state, int ready, double lagSeconds) {
    add(EventKind::Replication, {{"database", "shop"}, {"direction", direction}, {"state", state}, {"tables_ready", ready}, {"tables_total", 42}, {"lag_bytes", std::floor(lagSeconds * 4e6)},
                                 {"lag_seconds", lagSeconds}, {"retained_bytes", 3e6}, {"sampled_us", m_us}});
}

void Script::metrics() {
    const double second = static_cast<double>(m_us) / 1e6;
    const double load = 200 + 25 * std::sin(second / 20) + noise(16);
    Json values = {{"tps.blue", m_writes == "blue" ? load : 4 + noise(3)}, {"tps.green", m_writes == "green" ? load : 2 + m_reads + noise(3)}, {"heartbeat_age.blue", 0.2 + noise(0.6)},
                   {"heartbeat_age.green", 0.2 + noise(0.7)}, {"connections.blue", 24}, {"connections.green", 6}, {"reads_green_percent", m_reads},
                   {"retained_bytes.blue", m_forward ? 2e6 + m_lag * 4e6 + noise(1e6) : 0}, {"retained_bytes.green", m_reverse ? 1e6 + noise(8e5) : 0},
                   {"transaction_seconds.blue", 0.02}, {"transaction_seconds.green", 0.02}, {"commit_ms.blue", 6}, {"commit_ms.green", 5}, {"pooler_ms.pooler-1", 0.4}};
    if (m_forward) {
        m_lag = std::max(0.004, m_lag * 0.9 + (noise(1) > 0.97 ? noise(0.9) : noise(0.004)));
        values["lag_seconds.forward"] = m_lag;
        values["lag_bytes.forward"] = m_lag * 4e6;
    }
    if (m_reverse) {
        values["lag_seconds.reverse"] = 0.003 + noise(0.01);
        values["lag_bytes.reverse"] = 12'000 + noise(30'000);
    }
    add(EventKind::Metrics, {{"values", values}});
}

void Script::seconds(int count) {
    for (int i = 0; i < count; ++i) {
        metrics();
        if (i % 5 == 0) {
            topology();
            traffic(m_writes.c_str(), m_reads);
            if (m_forward) {
                replication("forward", "streaming", 42, m_lag);
            }
            if (m_reverse) {
                replication("reverse", "streaming", 42, 0.004);
            }
        }
        m_us += 1'000'000;
    }
}

void Script::copy() {
    command("replicate");
    step("replicate.schema", "Copy the schema", "running", "pg_restore", 120'000);
    seconds(3);
    step("replicate.schema", "Copy the schema", "done");
    m_lag = 2;
    for (int ready = 3; ready <= 42; ready += 6) {
        step("replicate.copy", "Copy the data", "running", "39 tables that are still being copied", 3'600'000, ready / 42.0, "stops and names the tables that fail");
        replication("forward", "copying", ready, 2);
        seconds(3);
    }
    step("replicate.copy", "Copy the data", "done");
    m_forward = true;
    idle();
}

void Script::move(bool forward) {
    operatorSays(forward ? "cutover" : "rollback");
    phase("cutover", forward ? "moving the writes to GREEN" : "moving the writes back to BLUE");
    command(forward ? "cutover" : "rollback");
    const char* from = forward ? "blue" : "green";
    const char* to = forward ? "green" : "blue";
    const double reads = m_reads;
    step("cutover.pause", "Pause the poolers", "running", "2 open transactions to end", 1000, -1, "resumes, nothing changed");
    add(EventKind::Intent, {{"step", "cutover.pause"}, {"detail", "PAUSE on pooler-1"}});
    m_us += 9'000;
    traffic("paused", reads);
    step("cutover.pause", "Pause the poolers", "done");
    add(EventKind::Outcome, {{"step", "cutover.pause"}, {"ok", true}, {"detail", "paused"}, {"ms", 9}});
    step("cutover.fence", "Fence the source", "running", "3 writers to end", 1500, -1, "returns the writes to where they came from");
    m_us += 8'000;
    add(EventKind::Fence, {{"side", from}, {"state", "fenced"}, {"detail", "no writer left"}});
    step("cutover.fence", "Fence the source", "done");
    step("cutover.drain", "Prove the drain", "running", "the marker on the other side, flushed", 1000, -1, "returns the writes to where they came from");
    m_us += 11'000;
    step("cutover.drain", "Prove the drain", "done");
    phase("cutover", "the new primary is open", true);
    add(EventKind::Fence, {{"side", to}, {"state", "open"}, {"detail", ""}});
    m_us += 6'000;
    m_forward = !forward;
    m_reverse = forward;
    replication("forward", forward ? "stopped" : "streaming", 42, 0.01);
    replication("reverse", forward ? "streaming" : "stopped", 42, 0.004);
    traffic(to, forward ? 100 : 0);
    add(EventKind::Switch, {{"direction", forward ? "cutover" : "rollback"}, {"ok", true}, {"pause_ms", 34.0 + noise(10)}, {"parts_ms", {{"pause", 9}, {"fence", 8}, {"drain", 11}, {"open", 6}}}, {"ended_wall_us", START_WALL + m_us}});
    phase(forward ? "observe" : "rolled-back", forward ? "GREEN is production; BLUE follows" : "BLUE is production again; GREEN follows");
    idle();
}

std::vector<Event> Script::write() {
    add(EventKind::Session, {{"deployment", "shop_upgrade"}, {"recording_id", "r-1"}, {"mode", "live"}, {"databases", {"shop"}}, {"epoch", 1}, {"started_wall_us", START_WALL}, {"pause_budget_ms", 2000}});
    phase("plan", "the plan was read");
    add(EventKind::Fence, {{"side", "green"}, {"state", "unknown"}});
    seconds(6);
    operatorSays("check");
    command("check");
    checks(false);
    idle();
    phase("preflight", "3 checks stand in the way");
    seconds(20);
    add(EventKind::Note, {{"text", "wal_level fixed on BLUE, restart agreed with Ben"}}, "anna");
    checks(true);
    seconds(10);
    operatorSays("replicate");
    phase("replicate", "copying");
    add(EventKind::Fence, {{"side", "green"}, {"state", "read-only"}});
    copy();
    phase("validate", "GREEN follows BLUE");
    seconds(40);
    for (const int share : {10, 20, 50}) {
        operatorSays("ramp", {{"percent", share}});
        phase("ramp", "reads move step by step");
        traffic("blue", share);
        seconds(40);
    }
    add(EventKind::Alarm, {{"id", "replica.green.2"}, {"priority", "medium"}, {"cause", "GREEN replica-2 does not answer"}, {"response", "Start it or take it out of the balancer"}, {"active", true}, {"since_us", m_us}});
    add(EventKind::Alarm, {{"id", "lag.forward"}, {"priority", "high"}, {"cause", "GREEN is 1.4 s behind BLUE"}, {"response", "Wait before the cutover; look for long transactions"}, {"active", true}, {"since_us", m_us}});
    m_lag = 1.4;
    seconds(20);
    add(EventKind::Alarm, {{"id", "lag.forward"}, {"priority", "high"}, {"cause", "GREEN was 1.4 s behind BLUE"}, {"response", ""}, {"active", false}, {"since_us", m_us - 20'000'000}});
    seconds(40);
    move(true);
    seconds(60);
    move(false);
    seconds(30);
    move(true);
    seconds(40);
    operatorSays("finalize", {{"typed", "shop_upgrade"}, {"reason", "all tests green"}});
    m_reverse = false;
    replication("reverse", "retired", 42, 0);
    phase("finalized", "GREEN is production for good");
    seconds(5);
    return std::move(m_events);
}

} // namespace

std::vector<Event> scriptedUpgrade(int replicasPerSide, unsigned seed) { return Script(replicasPerSide, seed).write(); }

std::int64_t phaseTime(const std::vector<Event>& events, Phase phase) {
    for (const Event& e : events) {
        if (e.kind == EventKind::Phase && member<std::string>(e.body, "phase", "") == phaseName(phase)) {
            return e.steadyUs;
        }
    }
    return -1;
}

void ScriptedSource::start(SessionListener listener) {
    m_listener = std::move(listener);
    m_listener.stateChanged(SourceState::Live, "");
    m_listener.started({Snapshot{}, {}, true});
}

void ScriptedSource::playTo(std::int64_t timeUs) {
    std::vector<Event> batch;
    while (m_told < m_events.size() && m_events[m_told].steadyUs <= timeUs) {
        batch.push_back(m_events[m_told++]);
    }
    if (!batch.empty() && m_listener.events) {
        m_listener.events(std::move(batch));
    }
}

void ScriptedSource::lose(const std::string& why) {
    if (m_listener.stateChanged) {
        m_listener.stateChanged(SourceState::Lost, why);
    }
}

void ScriptedSource::send(const Command& command, std::function<void(CommandReply)> answered) {
    sent.push_back(command);
    if (answered) {
        answered(reply);
    }
}

} // namespace tealdeck::test
