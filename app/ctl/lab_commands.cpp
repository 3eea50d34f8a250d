// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/lab_commands.h"

#include "app/ctl/engine_session.h"
#include "app/ctl/lab_fault_command.h"
#include "app/ctl/lab_load_command.h"
#include "app/lab/lab.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <iostream>
#include <memory>
#include <system_error>
#include <unistd.h>

namespace tealdeck {
namespace {

int fail(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? 2 : 1;
}

void addUp(CLI::App& lab, int& exitCode) {
    auto options = std::make_shared<LabOptions>();
    auto dir = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    CLI::App* up = lab.add_subcommand("up", "Start two PostgreSQL clusters with pooler, balancer and data");
    up->add_option("--dir", *dir, "New folder for everything of the lab")->required();
    up->add_option("--blue", options->blueMajor, "Major version of blue: 13, 14 or 15");
    up->add_option("--green", options->greenMajor, "Major version of green: 17 or 18");
    up->add_option("--replicas", options->replicas, "Streaming replicas of each side, 0 to 3");
    up->add_option("--schema", options->schema, "shop, pgbench or many");
    up->add_option("--scale", options->scale, "Size of shop or pgbench");
    up->add_option("--tables", options->tables, "Tables of schema many");
    up->add_option("--poolers", options->poolers, "PgBouncer instances, 1 or 2");
    up->add_option("--write-through", options->writeThrough, "How clients find the primary: pgbouncer, haproxy, dns, service or command");
    up->add_flag("--proxies", options->proxies, "Put the fault proxy on the links to the primaries, for \"lab fault\"");
    up->add_option("--engine-disk", options->engineDiskMib, "As root: give the engine's folder a disk of so many MiB, to fill it up");
    up->add_option("--user", options->user, "Unprivileged user of the servers when called as root");
    up->add_option("--name", options->name, "Name of the deployment in plan.toml");
    up->add_flag("--json", *json, "Print lab.json's path and the time taken as JSON");
    up->callback([options, dir, json, &exitCode] {
        options->dir = *dir;
        const auto begin = std::chrono::steady_clock::now();
        const LabProgress progress = [](const std::string& line) { fmt::print(stderr, "lab: {}\n", line); };
        const Result<LabState> state = upLab(*options, progress);
        if (!state) {
            exitCode = fail(state.error());
            return;
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        if (*json) {
            fmt::print("{}\n", dumpJson({{"lab", state->path("lab.json").string()}, {"plan", state->planFile()}, {"seconds", seconds}}));
        } else {
            fmt::print("The lab is up after {:.1f} s. Its plan: {}\n", seconds, state->planFile());
        }
    });
}

void addDown(CLI::App& lab, int& exitCode) {
    auto dir = std::make_shared<std::string>();
    auto remove = std::make_shared<bool>(false);
    CLI::App* down = lab.add_subcommand("down", "End the lab's own processes, and the engine of its plan");
    down->add_option("--dir", *dir, "Folder of the lab")->required();
    down->add_flag("--remove", *remove, "Remove the folder too");
    down->callback([dir, remove, &exitCode] {
        // An engine without servers would ask for them for ever.
        if (const Result<Plan> plan = readPlan(std::filesystem::path(*dir) / "plan.toml"); plan.ok()) {
            if (const Result<bool> stopped = stopEngine(*plan); !stopped) {
                fmt::print(stderr, "tealctl: {}\n", stopped.error().text());
            }
        }
        const Status ended = downLab(*dir, *remove);
        if (!ended) {
            exitCode = fail(ended.error());
        }
    });
}

void printStatus(const Json& report) {
    fmt::print("Lab {} in {}: {}\n", report.value("name", ""), report.value("dir", ""), report.value("phase", ""));
    for (const Json& s : report["servers"]) {
        const bool known = s["error"].is_null();
        fmt::print("  {:<16} {:<5} port {:<6} {}\n", s.value("name", ""), s.value("zone", ""), s.value("port", 0),
                   known
                       ? fmt::format("PostgreSQL {}, {}", s.value("version", ""),
                                     s["in_recovery"] == true ? "replica"
                                                              : fmt::format("primary of {} streaming", s["streaming_replicas"].get<int>()))
                       : "unknown: " + s.value("error", ""));
    }
    for (const Json& r : report["routers"]) {
        fmt::print("  {:<16}       port {:<6} {}\n", r.value("name", ""), r.value("port", 0),
                   r.value("answers", false) ? "answers" : "does not answer");
    }
    for (const Json& f : report["faults"]) {
        fmt::print("  {} is faulted: {}\n", f.value("name", ""), f.value("fault", ""));
    }
    for (const Json& d : report["died"]) {
        fmt::print("  {} (pid {}) died; its log {} ends with: {}\n", d.value("name", ""), d.value("pid", 0), d.value("log", ""),
                   d.value("last_line", ""));
    }
}

void addStatus(CLI::App& lab, int& exitCode) {
    auto dir = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    CLI::App* status = lab.add_subcommand("status", "Ask the servers who they are; exit code 1 when a part died or is faulted");
    status->add_option("--dir", *dir, "Folder of the lab")->required();
    status->add_flag("--json", *json, "One JSON object");
    status->callback([dir, json, &exitCode] {
        const Result<Json> report = labStatus(*dir);
        if (!report) {
            exitCode = fail(report.error());
            return;
        }
        if (*json) {
            fmt::print("{}\n", dumpJson(*report));
        } else {
            printStatus(*report);
        }
        exitCode = report->value("ok", false) ? 0 : 1;
    });
}

int execPsql(const LabState& state, const std::string& side, const std::string& database, const std::vector<std::string>& rest) {
    if (side != "blue" && side != "green") {
        return fail({Error::Kind::Invalid, fmt::format("--side: there is no side {}.", side), "Allowed are blue and green.", {}});
    }
    const int port = state.primary(side == "blue" ? Side::Blue : Side::Green).port;
    const std::string target =
        fmt::format("host=127.0.0.1 port={} user=tealdeck dbname={} passfile='{}' sslmode=verify-full sslrootcert='{}'", port, database,
                    state.clientPassfile(), state.caFile());
    std::vector<std::string> arguments = {"psql", "-X", "-d", target};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    ::execvp("psql", argv.data());
    return fail({Error::Kind::Unavailable,
                 fmt::format("Cannot start psql: {}.", std::generic_category().message(errno)),
                 "Install postgresql-client.",
                 {}});
}

void addPsql(CLI::App& lab, int& exitCode) {
    auto dir = std::make_shared<std::string>();
    auto side = std::make_shared<std::string>("blue");
    auto database = std::make_shared<std::string>("postgres");
    auto arguments = std::make_shared<std::vector<std::string>>();
    CLI::App* psql = lab.add_subcommand("psql", "psql as the console's role; psql's own arguments after --");
    psql->add_option("--dir", *dir, "Folder of the lab")->required();
    psql->add_option("--side", *side, "blue or green");
    psql->add_option("--database", *database, "Database");
    psql->add_option("arguments", *arguments, "psql's own, after --");
    psql->callback([=, &exitCode] {
        const Result<LabState> state = readLab(*dir);
        exitCode = state ? execPsql(*state, *side, *database, *arguments) : fail(state.error());
    });
}

void addStartAndFetch(CLI::App& lab, int& exitCode) {
    auto dir = std::make_shared<std::string>();
    auto name = std::make_shared<std::string>();
    CLI::App* start = lab.add_subcommand("start", "Start again a part of the lab that died or was ended");
    start->add_option("--dir", *dir, "Folder of the lab")->required();
    start->add_option("name", *name, "As in lab.json, for example green-primary")->required();
    start->callback([dir, name, &exitCode] {
        const Status started = restartLabProcess(*dir, *name);
        if (!started) {
            exitCode = fail(started.error());
        }
    });
    auto majors = std::make_shared<std::vector<int>>();
    CLI::App* fetch = lab.add_subcommand("fetch", "Find or fetch the server programs of major versions and print their folders");
    fetch->add_option("majors", *majors, "13 to 18")->required();
    fetch->callback([majors, &exitCode] {
        for (const int major : *majors) {
            const Result<std::string> bin = findPostgres(major, [](const std::string& line) { fmt::print(stderr, "lab: {}\n", line); });
            if (!bin) {
                exitCode = fail(bin.error());
                return;
            }
            fmt::print("{}\n", *bin);
        }
    });
}

} // namespace

void addLabCommands(CLI::App& app, int& exitCode) {
    CLI::App* lab = app.add_subcommand("lab", "A practice lab: real servers on this machine");
    lab->require_subcommand(1);
    addUp(*lab, exitCode);
    addDown(*lab, exitCode);
    addStatus(*lab, exitCode);
    addLoadCommand(*lab, exitCode);
    addFaultCommands(*lab, exitCode);
    addPsql(*lab, exitCode);
    addStartAndFetch(*lab, exitCode);
}

} // namespace tealdeck
