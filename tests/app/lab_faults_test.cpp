// SPDX-License-Identifier: GPL-3.0-or-later
// Faults in a whole lab, by the commands that a person types.
#include "app/lab/faults.h"
#include "app/lab/sql_client.h"
#include "core/plan/plan.h"
#include "core/util/process.h"
#include "tests/support/lab_fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tealdeck {
namespace {

using testing::HasSubstr;

/// tealctl lab COMMAND --dir D ARGUMENTS…
ProcessOutcome tealctlLab(const TestLab& lab, const std::string& command, const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> argv = {fmt::format("{}/tealctl", TEALDECK_BIN_DIR), "lab", command, "--dir", lab.dir().string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const Result<ProcessOutcome> outcome = runProcess({argv, {}, {}, {}, 0, 0}, Deadline(Millis(60000)));
    EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().text());
    return outcome.valueOr({});
}

ProcessOutcome fault(const TestLab& lab, const std::vector<std::string>& arguments) {
    return tealctlLab(lab, "fault", arguments);
}

/// True when the console's role gets an answer through the port within two seconds.
bool answers(const TestLab& lab, int port) {
    return SqlClient::connect(labConnection(lab.state(), port, "tealdeck", "postgres"), 2).ok();
}

void expectStatus(const TestLab& lab, int exitCode, const std::string& says) {
    const ProcessOutcome status = tealctlLab(lab, "status");
    EXPECT_EQ(status.exitCode, exitCode) << status.output << status.errors;
    EXPECT_THAT(status.output, HasSubstr(says));
}

void expectWrong(const TestLab& lab, const std::vector<std::string>& arguments, const std::string& says) {
    const ProcessOutcome outcome = fault(lab, arguments);
    EXPECT_EQ(outcome.exitCode, 2) << outcome.output;
    EXPECT_THAT(outcome.errors, HasSubstr(says));
}

LabOptions small() {
    LabOptions options;
    options.replicas = 0;
    options.schema = "pgbench";
    return options;
}

TEST(LabFaults, EachLinkOfThePlanGoesThroughTheProxyAndBreaks) {
    LabOptions options = small();
    options.proxies = true;
    TestLab lab(options);
    ASSERT_TRUE(lab.ok());
    const Result<Plan> plan = readPlan(lab.plan());
    ASSERT_TRUE(plan.ok()) << plan.error().text();
    const LabState& state = lab.state();
    ASSERT_EQ(state.links.size(), 6U);
    EXPECT_EQ(plan->blue.primary.port, state.linkPort("engine-blue"));
    EXPECT_EQ(plan->green.primary.port, state.linkPort("engine-green"));
    EXPECT_EQ(plan->replication.bluePort, state.linkPort("green-blue"));
    EXPECT_EQ(plan->replication.greenPort, state.linkPort("blue-green"));
    EXPECT_EQ(plan->pgbouncers.at(0).bluePort, state.linkPort("pooler-blue"));
    EXPECT_EQ(plan->pgbouncers.at(0).greenPort, state.linkPort("pooler-green"));
    expectStatus(lab, 0, "fault-proxy");
    for (const LabLink& link : state.links) {
        EXPECT_TRUE(answers(lab, link.port)) << link.name;
    }
    for (const char* mode : {"cut", "reset", "stall", "half-open"}) {
        EXPECT_EQ(fault(lab, {"engine-green", mode}).exitCode, 0);
        EXPECT_FALSE(answers(lab, state.linkPort("engine-green"))) << mode;
        EXPECT_TRUE(answers(lab, state.linkPort("engine-blue"))) << mode;
    }
    expectStatus(lab, 1, "engine-green is faulted: half-open");
    EXPECT_EQ(fault(lab, {"engine-green", "delay", "--ms", "20"}).exitCode, 0);
    EXPECT_TRUE(answers(lab, state.linkPort("engine-green")));
    expectStatus(lab, 1, "engine-green is faulted: delay 20 ms");
    EXPECT_EQ(fault(lab, {"engine-green", "pass"}).exitCode, 0);
    expectStatus(lab, 0, "fault-proxy");

    expectWrong(lab, {"engine-red", "cut"}, "Allowed are engine-blue, engine-green, pooler-blue");
    expectWrong(lab, {"engine-green", "slow"}, "Allowed are pass, delay, cut, reset, stall and half-open.");
    expectWrong(lab, {"engine-green", "delay"}, "Give 1 to 60000 milliseconds.");
    expectWrong(lab, {"engine-green", "cut", "--ms", "5"}, "Use it with delay only.");
    expectWrong(lab, {"pooler-1", "cut"}, "Allowed are kill, stop and continue.");
    expectWrong(lab, {"disk", "fill"}, "has no disk of its own");

    EXPECT_EQ(fault(lab, {"fault-proxy", "kill"}).exitCode, 0);
    expectStatus(lab, 1, "fault-proxy");
    EXPECT_EQ(tealctlLab(lab, "start", {"fault-proxy"}).exitCode, 0);
    expectStatus(lab, 0, "fault-proxy");
}

TEST(LabFaults, ProcessesAreStoppedContinuedAndKilledByName) {
    TestLab lab(small());
    ASSERT_TRUE(lab.ok());
    EXPECT_EQ(fault(lab, {"pooler-1", "stop"}).exitCode, 0);
    expectStatus(lab, 1, "pooler-1 is faulted: stopped");
    EXPECT_EQ(fault(lab, {"pooler-1", "continue"}).exitCode, 0);
    expectStatus(lab, 0, "pooler-1");
    EXPECT_EQ(fault(lab, {"pooler-1", "kill"}).exitCode, 0);
    const ProcessOutcome died = tealctlLab(lab, "status");
    EXPECT_EQ(died.exitCode, 1);
    EXPECT_THAT(died.output, testing::ContainsRegex("pooler-1 \\(pid [0-9]+\\) died"));
    EXPECT_EQ(fault(lab, {"pooler-1", "kill"}).exitCode, 1) << "it has ended already";
    expectWrong(lab, {"engine-green", "cut"}, "links need a lab that was started with --proxies");
}

TEST(LabFaults, TheEnginesDiskIsFilledToTheLastByteAndFreed) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "a disk of its own needs root";
    }
    LabOptions options = small();
    options.engineDiskMib = 4;
    TestLab lab(options);
    ASSERT_TRUE(lab.ok());
    const auto freeBytes = [&] { return std::filesystem::space(lab.dir() / "engine").available; };
    EXPECT_GT(freeBytes(), 1000000U);
    EXPECT_EQ(fault(lab, {"disk", "fill"}).exitCode, 0);
    EXPECT_EQ(freeBytes(), 0U);
    expectStatus(lab, 1, "disk is faulted: full");
    EXPECT_EQ(fault(lab, {"disk", "free"}).exitCode, 0);
    EXPECT_GT(freeBytes(), 1000000U);
    expectWrong(lab, {"disk", "half"}, "Allowed are fill and free.");
}

} // namespace
} // namespace tealdeck
