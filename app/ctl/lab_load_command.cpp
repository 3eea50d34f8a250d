// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/lab_load_command.h"

#include "app/lab/load_run.h"

#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <poll.h>

namespace tealdeck {
namespace {

std::atomic<bool> g_ended{false};

void onSignal(int) {
    g_ended = true;
}

int fail(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? 2 : 1;
}

Status check(const LoadOptions& o) {
    const auto wrong = [](const std::string& message, const std::string& remedy) {
        return Error{Error::Kind::Invalid, message, remedy, {}};
    };
    if (o.seconds <= 0 && o.untilFile.empty()) {
        return wrong("--seconds: no end was given.", "Give --seconds above 0 or --until-file.");
    }
    if (o.clients < 1 || o.clients > 400) {
        return wrong(fmt::format("--clients: {} is out of range.", o.clients), "Allowed are 1 to 400.");
    }
    if (o.rate < 0) {
        return wrong("--rate: a rate cannot be negative.", "Leave it out for a closed loop.");
    }
    if (o.readShare < 0 || o.readShare > 100) {
        return wrong(fmt::format("--read-share: {} is no percentage.", o.readShare), "Allowed are 0 to 100.");
    }
    return {};
}

void printReport(const LoadReport& r) {
    fmt::print("{} writes and {} reads in {:.1f} s: {:.0f} operations/s\n", r.writes, r.reads, r.seconds,
               r.seconds > 0 ? static_cast<double>(r.writes + r.reads) / r.seconds : 0);
    const auto latency = [](const char* name, const LoadLatency& l) {
        fmt::print("{} latency ms: p50 {:.1f}, p95 {:.1f}, p99 {:.1f}, max {:.1f}\n", name, l.p50, l.p95, l.p99, l.max);
    };
    latency("write", r.writeLatency);
    latency("read", r.readLatency);
    fmt::print("longest gap between acknowledged writes: {:.1f} ms at {:.3f} s; {} gaps above 20 ms\n", r.longestGap.ms,
               static_cast<double>(r.longestGap.startNs - r.startNs) / 1e9, r.gaps.size());
    fmt::print("failed {}, unknown {}, reconnects {}\n", r.failed, r.unknown, r.reconnects);
    for (const auto& [sqlstate, count] : r.errors) {
        fmt::print("  {} {} times, for example: {}\n", sqlstate, count, r.examples.count(sqlstate) != 0 ? r.examples.at(sqlstate) : "");
    }
}

int runLoad(const std::string& dir, const LoadOptions& options, bool json) {
    if (Status s = check(options); !s) {
        return fail(s.error());
    }
    Result<LabState> lab = readLab(dir);
    if (!lab) {
        return fail(lab.error());
    }
    std::signal(SIGTERM, onSignal);
    std::signal(SIGINT, onSignal);
    LoadRun run(*lab, options);
    if (Status s = run.start(); !s) {
        return fail(s.error());
    }
    while (!run.shouldEnd() && !g_ended) {
        ::poll(nullptr, 0, 20);
    }
    Result<LoadReport> report = run.finish();
    if (!report) {
        return fail(report.error());
    }
    if (json) {
        fmt::print("{}\n", dumpJson(report->toJson()));
    } else {
        printReport(*report);
    }
    return 0;
}

} // namespace

void addLoadCommand(CLI::App& lab, int& exitCode) {
    auto options = std::make_shared<LoadOptions>();
    auto dir = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    CLI::App* load = lab.add_subcommand("load", "Clients that write through the poolers and read through the balancer");
    load->add_option("--dir", *dir, "Folder of the lab")->required();
    load->add_option("--seconds", options->seconds, "How long");
    load->add_option("--clients", options->clients, "Threads");
    load->add_option("--rate", options->rate, "Operations a second of all clients together; left out: as fast as answers come");
    load->add_option("--read-share", options->readShare, "Percent of the operations that read");
    load->add_option("--straight-to", options->straightTo, "Write to this primary itself, past the poolers, as a forgotten application")
        ->check(CLI::IsMember({"blue", "green"}));
    load->add_option("--history", options->history, "File that every operation is appended to, as JSON lines");
    load->add_option("--until-file", options->untilFile, "End when this file appears");
    load->add_flag("--json", *json, "One JSON object");
    load->callback([options, dir, json, &exitCode] { exitCode = runLoad(*dir, *options, *json); });
}

} // namespace tealdeck
