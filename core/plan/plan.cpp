// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/plan.h"

#include "core/plan/hook_points.h"
#include "core/plan/plan_extras.h"
#include "core/plan/plan_reader.h"
#include "core/plan/routers_reader.h"
#include "core/util/files.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace tealdeck {
namespace {

constexpr std::size_t LARGEST_PLAN = std::size_t{1} << 20;
constexpr std::int64_t LONGEST_MS = 600'000; // ten minutes: a longer write pause is no cutover

/// Who uses an address, to name both when two use the same.
using Addresses = std::map<std::string, std::string>;

void claimAddress(Addresses& taken, PlanTable& table, const std::string& host, std::int64_t port, const std::string& who) {
    const auto [it, isNew] = taken.emplace(fmt::format("{}:{}", host, port), who);
    if (!isNew) {
        table.problem("port", fmt::format("makes {} and {} the same server ({})", it->second, who, shownText(it->first)),
                      "Give each its own host and port.");
    }
}

Endpoint readEndpoint(PlanTable& table, const Endpoint* inherit) {
    const auto or_ = [&](const std::string& primary, const char* fallback) {
        return std::optional<std::string>(inherit != nullptr ? primary : fallback);
    };
    Endpoint e;
    e.name = inherit != nullptr ? table.text("name", TextRule::Word) : "primary";
    e.host = table.text("host", TextRule::Host);
    e.port = static_cast<int>(table.whole("port", 1, 65535, 5432));
    e.user = inherit != nullptr ? table.text("user", TextRule::Database, inherit->user) : table.text("user", TextRule::Database);
    e.database = table.text("database", TextRule::Database, or_(inherit != nullptr ? inherit->database : "", "postgres"));
    e.passfile = table.text("passfile", TextRule::Path, or_(inherit != nullptr ? inherit->passfile : "", ""));
    e.sslmode = table.text("sslmode", TextRule::SslMode, or_(inherit != nullptr ? inherit->sslmode : "", "verify-full"));
    e.sslrootcert = table.text("sslrootcert", TextRule::Path, or_(inherit != nullptr ? inherit->sslrootcert : "", ""));
    e.zone = table.text("zone", TextRule::Free, "");
    e.instance = table.text("instance", TextRule::Free, "");
    e.storageGb = table.number("storage_gb", 0, 1e9, 0);
    e.patroni = table.text("patroni_url", TextRule::HttpAddress, "");
    table.refuseOtherKeys();
    return e;
}

Environment readEnvironment(PlanTable& root, const char* side, Addresses& taken) {
    PlanTable table = root.table(side, true);
    Environment environment;
    if (!table.present()) {
        return environment;
    }
    PlanTable primary = table.table("primary", true);
    if (!primary.present()) {
        return environment;
    }
    environment.primary = readEndpoint(primary, nullptr);
    claimAddress(taken, primary, environment.primary.host, environment.primary.port, fmt::format("{}.primary", side));
    for (PlanTable& entry : table.tables("replicas")) {
        Endpoint replica = readEndpoint(entry, &environment.primary);
        const auto same = [&](const Endpoint& other) { return other.name == replica.name; };
        if (replica.name == "primary" || std::any_of(environment.replicas.begin(), environment.replicas.end(), same)) {
            entry.problem("name", fmt::format("\"{}\" is taken by another server of {}", replica.name, side),
                          "Give each server its own name.");
        }
        claimAddress(taken, entry, replica.host, replica.port, fmt::format("{} replica {}", side, replica.name));
        environment.replicas.push_back(std::move(replica));
    }
    table.refuseOtherKeys();
    return environment;
}

ReplicationPlan readReplication(PlanTable& root) {
    PlanTable table = root.table("replication", true);
    ReplicationPlan r;
    if (!table.present()) {
        return r;
    }
    r.user = table.text("user", TextRule::Database);
    r.passfile = table.text("passfile", TextRule::AbsolutePath, "");
    r.sslmode = table.text("sslmode", TextRule::SslMode, r.sslmode);
    r.sslrootcert = table.text("sslrootcert", TextRule::AbsolutePath, "");
    r.blueHost = table.text("blue_host", TextRule::Host, "");
    r.bluePort = static_cast<int>(table.whole("blue_port", 1, 65535, 0));
    r.greenHost = table.text("green_host", TextRule::Host, "");
    r.greenPort = static_cast<int>(table.whole("green_port", 1, 65535, 0));
    r.identityFull = table.truth("identity_full", r.identityFull);
    table.refuseOtherKeys();
    return r;
}

/// A pooler that reaches both primaries under one address could not be told which side it leads to.
void refuseOneTarget(PlanTable& table, const PgBouncerPlan& p, const Plan& plan) {
    const std::string blueHost = p.blueHost.empty() ? plan.blue.primary.host : p.blueHost;
    const std::string greenHost = p.greenHost.empty() ? plan.green.primary.host : p.greenHost;
    const int bluePort = p.bluePort == 0 ? plan.blue.primary.port : p.bluePort;
    const int greenPort = p.greenPort == 0 ? plan.green.primary.port : p.greenPort;
    const bool own = !p.blueHost.empty() || !p.greenHost.empty() || p.bluePort != 0 || p.greenPort != 0;
    if (own && blueHost == greenHost && bluePort == greenPort) {
        table.problem(p.greenPort != 0 ? "green_port" : "blue_port",
                      fmt::format("makes blue and green the same server ({}:{}) for this pooler", shownText(blueHost), bluePort),
                      "Give each side its own host and port.");
    }
}

void readPgbouncers(PlanTable& root, Plan& plan) {
    for (PlanTable& table : root.tables("pgbouncer")) {
        PgBouncerPlan p;
        p.name = table.text("name", TextRule::Word);
        p.host = table.text("host", TextRule::Host);
        p.port = static_cast<int>(table.whole("port", 1, 65535, p.port));
        p.user = table.text("user", TextRule::Database);
        p.passfile = table.text("passfile", TextRule::Path, "");
        p.sslmode = table.text("sslmode", TextRule::SslMode, p.sslmode);
        p.sslrootcert = table.text("sslrootcert", TextRule::Path, "");
        p.databasesFile = table.text("databases_file", TextRule::Path);
        p.databases = table.texts("databases", TextRule::Database, true);
        p.blueHost = table.text("blue_host", TextRule::Host, "");
        p.bluePort = static_cast<int>(table.whole("blue_port", 1, 65535, 0));
        p.greenHost = table.text("green_host", TextRule::Host, "");
        p.greenPort = static_cast<int>(table.whole("green_port", 1, 65535, 0));
        p.probeUser = table.text("probe_user", TextRule::Database, "");
        p.push = readOwnProgram(table, "push_", false);
        refuseOneTarget(table, p, plan);
        table.refuseOtherKeys();
        for (const PgBouncerPlan& other : plan.pgbouncers) {
            if (other.name == p.name) {
                table.problem("name", fmt::format("\"{}\" names two poolers", p.name), "Give each pooler its own name.");
            }
            if (other.databasesFile == p.databasesFile) {
                table.problem("databases_file", fmt::format("is also the file of {}", other.name), "Give each pooler its own file.");
            }
        }
        plan.pgbouncers.push_back(std::move(p));
    }
}

RampPlan readRamp(PlanTable& root) {
    PlanTable table = root.table("ramp", false);
    RampPlan ramp;
    ramp.steps = table.wholes("steps", 1, 100, ramp.steps);
    for (std::size_t i = 1; i < ramp.steps.size(); ++i) {
        if (ramp.steps[i] <= ramp.steps[i - 1]) {
            table.problem("steps", fmt::format("must rise, but {} follows {}", ramp.steps[i], ramp.steps[i - 1]),
                          "Sort them and remove equal ones.");
        }
    }
    if (ramp.steps.back() != 100) {
        table.problem("steps", fmt::format("must end with 100, not with {}", ramp.steps.back()), "Add 100 as the last step.");
    }
    ramp.hold = Millis(static_cast<std::int64_t>(table.number("hold_seconds", 0.001, 86400, 60) * 1000));
    ramp.maxLagSeconds = table.number("max_lag_seconds", 0.001, 3600, ramp.maxLagSeconds);
    ramp.maxErrorPercent = table.number("max_error_percent", 0, 100, ramp.maxErrorPercent);
    ramp.maxLatencyRatio = table.number("max_latency_ratio", 1, 1000, ramp.maxLatencyRatio);
    table.refuseOtherKeys();
    return ramp;
}

CutoverPlan readCutover(PlanTable& root) {
    PlanTable table = root.table("cutover", false);
    CutoverPlan c;
    const auto limit = [&](const char* key, Millis fallback) { return Millis(table.whole(key, 1, LONGEST_MS, fallback.count())); };
    c.budget = limit("budget_ms", c.budget);
    c.drain = limit("drain_ms", c.drain);
    c.kill = limit("kill_ms", c.kill);
    c.receive = limit("receive_ms", c.receive);
    c.sequenceGap = table.whole("sequence_gap", 1, 1'000'000'000'000, c.sequenceGap);
    table.refuseOtherKeys();
    return c;
}

void readPlanTables(PlanTable& root, Plan& plan) {
    root.whole("format", 1, 1);
    PlanTable deployment = root.table("deployment", true);
    if (deployment.present()) {
        plan.deployment = deployment.text("name", TextRule::Deployment);
        plan.databases = deployment.texts("databases", TextRule::Database, true);
        deployment.refuseOtherKeys();
    }
    PlanTable engine = root.table("engine", false);
    plan.engineFolder = engine.present() ? engine.text("folder", TextRule::Path) : (plan.file.parent_path() / "engine").string();
    engine.refuseOtherKeys();
    Addresses taken;
    plan.blue = readEnvironment(root, "blue", taken);
    plan.green = readEnvironment(root, "green", taken);
    plan.replication = readReplication(root);
    PlanTable roles = root.table("roles", false);
    plan.readRoles = roles.texts("reads", TextRule::Database, false);
    roles.refuseOtherKeys();
    readPgbouncers(root, plan);
    readRouters(root, plan);
    plan.ramp = readRamp(root);
    plan.cutover = readCutover(root);
    PlanTable rollback = root.table("rollback", false);
    plan.rollbackWindowHours = rollback.number("window_hours", 0, 24 * 365, plan.rollbackWindowHours);
    rollback.refuseOtherKeys();
    PlanTable programs = root.table("programs", false);
    plan.programs.pgDump = programs.text("pg_dump", TextRule::Program, plan.programs.pgDump);
    plan.programs.pgRestore = programs.text("pg_restore", TextRule::Program, plan.programs.pgRestore);
    programs.refuseOtherKeys();
    plan.alarms = readAlarms(root);
    plan.hooks = readHooks(root);
    readCopy(root, plan);
    readCost(root, plan);
    readChecklist(root, plan);
    readVerify(root, plan);
    root.refuseOtherKeys();
}

} // namespace

const char* sideName(Side side) {
    return side == Side::Blue ? "blue" : "green";
}

Result<Plan> parsePlan(const std::string& text, const std::filesystem::path& file, const std::filesystem::path& baseFolder) {
    PlanProblems problems(file.string());
    if (text.size() > LARGEST_PLAN) {
        problems.add(0, "the plan", fmt::format("has {} bytes, more than the {} that are allowed", text.size(), LARGEST_PLAN),
                     "Check that this is the right file.");
        return *problems.first();
    }
    toml::table parsed;
    try {
        parsed = toml::parse(std::string_view(text));
    } catch (const toml::parse_error& e) {
        problems.add(e.source().begin.line, "the text", fmt::format("is not TOML: {}", shownText(e.description())),
                     "Correct the line; texts stand in double quotes.");
        return *problems.first();
    }
    Plan plan;
    const std::filesystem::path folder = std::filesystem::absolute(baseFolder).lexically_normal();
    plan.file = folder / file.filename();
    plan.sha256 = sha256Hex(text);
    PlanTable root(&parsed, "", 1, folder, problems);
    readPlanTables(root, plan);
    if (problems.first()) {
        return *problems.first();
    }
    return plan;
}

Result<Plan> readPlan(const std::filesystem::path& file) {
    Result<std::string> text = readFile(file, LARGEST_PLAN);
    if (!text) {
        Error error = text.error();
        error.kind = Error::Kind::Invalid;
        error.remedy = "Give the path of a plan file.";
        return error;
    }
    return parsePlan(*text, file, file.has_parent_path() ? file.parent_path() : std::filesystem::path("."));
}

} // namespace tealdeck
