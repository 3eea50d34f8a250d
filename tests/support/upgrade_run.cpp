// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/upgrade_run.h"

#include "core/plan/plan.h"
#include "core/util/files.h"

#include <cstdlib>
#include <fmt/format.h>
#include <future>
#include <iostream>
#include <map>
#include <poll.h>
#include <signal.h>
#include <sstream>

namespace tealdeck::test {
namespace {

LabOptions labOptions(int blue, int green, const std::string& schema, int poolers) {
    LabOptions options;
    options.blueMajor = blue;
    options.greenMajor = green;
    options.schema = schema;
    options.poolers = poolers;
    options.replicas = 1;
    return options;
}

/// What tests/run looks for: such a test gets no second chance.
constexpr const char* HISTORY_VIOLATED = "HISTORY VIOLATED";

/// Tests don't wait at the steps of the ramp, and a machine that stands still for a second is no reason to take a switch back.
void adaptToTests(const std::string& planFile) {
    std::string text = readFile(planFile).valueOr("");
    for (const auto& [from, to] : std::map<std::string, std::string>{{"hold_seconds = 60", "hold_seconds = 1"},
                                                                     {"budget_ms = 2000", "budget_ms = 5000"},
                                                                     {"drain_ms = 1000", "drain_ms = 2500"},
                                                                     {"kill_ms = 500", "kill_ms = 1500"},
                                                                     {"receive_ms = 1000", "receive_ms = 2500"}}) {
        if (const std::size_t at = text.find(from); at != std::string::npos) {
            text.replace(at, from.size(), to);
        }
    }
    EXPECT_TRUE(writeFileAtomically(planFile, text).ok());
}

} // namespace

UpgradeRun::UpgradeRun(int blue, int green, const std::string& schema, int poolers)
    : UpgradeRun(labOptions(blue, green, schema, poolers)) {}

UpgradeRun::UpgradeRun(const LabOptions& options) : m_lab(std::make_unique<TestLab>(options)) {
    if (m_lab->ok()) {
        adaptToTests(m_lab->plan());
    }
}

UpgradeRun::~UpgradeRun() {
    for (const auto* load : {&m_load, &m_stragglers}) {
        if (*load) {
            (*load)->stop();
            static_cast<void>((*load)->finish());
        }
    }
    if (m_lab->ok()) {
        static_cast<void>(ctl({"stop"}));
        // An engine that a test froze does not hear SIGTERM.
        if (const int pid = enginePid(); pid > 1) {
            ::kill(pid, SIGKILL);
        }
    }
}

int UpgradeRun::enginePid() const {
    const Result<std::string> text = readFile(m_lab->dir() / "engine" / "engine.json");
    const int pid = text.ok() ? member<int>(parseJson(*text).value_or(Json::object()), "pid", 0) : 0;
    return pid > 1 && ::kill(pid, 0) == 0 ? pid : 0;
}

CtlResult UpgradeRun::ctl(std::vector<std::string> arguments, const std::map<std::string, std::string>& environment, Millis limit) {
    std::vector<std::string> argv = {std::string(TEALDECK_BIN_DIR) + "/tealctl"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.push_back(m_lab->plan());
    argv.emplace_back("--json");
    CtlResult result;
    const Result<ProcessOutcome> outcome = runProcess({argv, environment, {}, {}, 0, 0}, Deadline(limit));
    if (!outcome) {
        result.errors = outcome.error().text();
        return result;
    }
    result.exitCode = outcome->exitCode;
    result.report = parseJson(outcome->output).value_or(Json::object());
    result.errors = outcome->errors;
    return result;
}

void UpgradeRun::startLoad(int clients) {
    LoadOptions options;
    m_clients = clients;
    options.clients = clients;
    options.rate = 60;
    options.history = m_lab->file("history.jsonl").string();
    m_load = std::make_unique<LoadRun>(m_lab->state(), options);
    const Status started = m_load->start();
    ASSERT_TRUE(started.ok()) << started.error().text();
    ASSERT_TRUE(writesGoOn(Millis(10000)));
}

void UpgradeRun::startStragglers(Side side, int clients) {
    LoadOptions options;
    options.clients = clients;
    options.rate = 150;
    options.readShare = 0;
    options.straightTo = sideName(side);
    options.history = m_lab->file("stragglers.jsonl").string();
    m_stragglers = std::make_unique<LoadRun>(m_lab->state(), options);
    const Status started = m_stragglers->start();
    ASSERT_TRUE(started.ok()) << started.error().text();
}

CtlResult UpgradeRun::ctlHeldAt(const std::string& point, const std::function<void()>& work, std::vector<std::string> arguments) {
    const std::filesystem::path file = m_lab->file("held-" + randomHex(4));
    const std::filesystem::path program = m_lab->file("hold.sh");
    const std::string text = fmt::format("#!/bin/sh\ntouch {0}\nwhile [ -e {0} ]; do sleep 0.005; done\n", file.string());
    EXPECT_TRUE(writeFileAtomically(program, text, 0700).ok());
    auto running = std::async(std::launch::async, [&] {
        return ctl(std::move(arguments), {{"TEALDECK_ACT_AT", point}, {"TEALDECK_ACT", program.string()}});
    });
    const auto isThere = [&] {
        std::error_code none;
        return std::filesystem::exists(file, none);
    };
    while (!isThere() && running.wait_for(Millis(2)) != std::future_status::ready) {
    }
    EXPECT_TRUE(isThere()) << "the engine never came to " << point;
    work();
    std::filesystem::remove(file);
    return running.get();
}

void UpgradeRun::signal(Side side, const std::string& pidQuery, int signal) {
    const int pid = std::atoi(m_lab->ask(side, "postgres", pidQuery).c_str());
    ASSERT_GT(pid, 1) << pidQuery;
    ASSERT_EQ(::kill(pid, signal), 0);
}

bool UpgradeRun::writesGoOn(Millis limit) {
    // Each client may have had one write on its way when this began; one more proves a new one.
    const std::uint64_t before = m_load->acknowledged();
    const Deadline deadline(limit);
    while (!deadline.passed()) {
        if (m_load->acknowledged() > before + static_cast<std::uint64_t>(m_clients)) {
            return true;
        }
        ::poll(nullptr, 0, 5);
    }
    return false;
}

LoadReport UpgradeRun::endLoad(const std::string& finalSide, int switches, HistoryVerdict& verdict) {
    m_load->stop();
    Result<LoadReport> report = m_load->finish();
    m_load.reset();
    EXPECT_TRUE(report.ok());
    std::vector<HistoryWrite> writes;
    EXPECT_TRUE(readHistory(m_lab->file("history.jsonl"), writes).ok());
    if (m_stragglers) {
        m_stragglers->stop();
        EXPECT_TRUE(m_stragglers->finish().ok());
        m_stragglers.reset();
        EXPECT_TRUE(readHistory(m_lab->file("stragglers.jsonl"), writes).ok());
    }
    const auto rows = readFinalRowsOfLab(m_lab->dir(), finalSide);
    EXPECT_TRUE(rows.ok());
    HistoryRules rules;
    rules.finalSide = finalSide;
    rules.switches = switches;
    verdict = checkHistory(writes, rows.valueOr({}), rules);
    if (!verdict.ok()) {
        std::cout << HISTORY_VIOLATED << '\n';
    }
    if (report.ok() && report->errorCount() > 0) {
        std::istringstream log(readFile(m_lab->dir() / "logs" / "pooler-1.log").valueOr(""));
        for (std::string line; std::getline(log, line);) {
            // What the pooler says of sessions that it lost or turned away; its log has no secrets.
            if (line.find("login failed") != std::string::npos || line.find("pooler error") != std::string::npos ||
                line.find("pause mode (age=0s)") != std::string::npos || line.find("server conn crashed") != std::string::npos) {
                std::cout << line << '\n';
            }
        }
    }
    return report.valueOr({});
}

} // namespace tealdeck::test
