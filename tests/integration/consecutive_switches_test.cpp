// SPDX-License-Identifier: GPL-3.0-or-later
// Writes move back and forth many times in one run under load: no acknowledged write is lost, doubled, or answered by two sides.
#include "app/lab/lab.h"
#include "tests/support/extended.h"
#include "tests/support/upgrade_run.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

struct Way {
    const char* name;
    int blue;
    int green;
    int poolers;
    const char* through;
};

// 13 is the oldest that is supported: what it lacks shows here and nowhere else.
constexpr Way WAYS[] = {{"from15to18", 15, 18, 1, "pgbouncer"},
                        {"from14to17", 14, 17, 1, "pgbouncer"},
                        {"from13to18", 13, 18, 1, "pgbouncer"},
                        {"twoPoolers", 15, 18, 2, "pgbouncer"},
                        {"haproxyAlone", 15, 18, 0, "haproxy"}};

/// TEALDECK_TEST_SWITCHES, or 100. An even number: it ends where it began.
int switchesWanted() {
    const char* wanted = std::getenv("TEALDECK_TEST_SWITCHES");
    const int number = wanted != nullptr ? std::atoi(wanted) : 100;
    return std::max(2, number + number % 2);
}

class ConsecutiveSwitches : public testing::TestWithParam<Way> {};

TEST_P(ConsecutiveSwitches, loseNothing) {
    TEALDECK_LONG_TEST();
    const Way& way = GetParam();
    LabOptions options;
    options.blueMajor = way.blue;
    options.greenMajor = way.green;
    options.replicas = 0;
    options.poolers = std::max(way.poolers, 1);
    options.writeThrough = way.through;
    UpgradeRun run(options);
    ASSERT_TRUE(run.ok());
    run.startLoad();
    const CtlResult copied = run.ctl({"run", "--until", "validate"});
    ASSERT_EQ(copied.exitCode, 0) << copied.report.dump() << copied.errors;
    std::vector<double> pauses;
    const int wanted = switchesWanted();
    for (int i = 0; i < wanted; ++i) {
        const bool forward = i % 2 == 0;
        const CtlResult moved = forward ? run.ctl({"run", "--auto", "--until", "observe"}) : run.ctl({"rollback"});
        ASSERT_EQ(moved.exitCode, 0) << "switch " << i << ": " << moved.report.dump() << moved.errors;
        ASSERT_TRUE(run.writesGoOn(Millis(20000))) << "switch " << i;
        const Json switches = member(moved.report, "switches", Json::array());
        ASSERT_FALSE(switches.empty());
        pauses.push_back(member<double>(switches.back(), "pause_ms", -1));
    }
    HistoryVerdict verdict;
    const LoadReport report = run.endLoad("blue", wanted, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    // Without a pooler the sessions end at a fence, and clients see it; with one they never do.
    if (way.poolers > 0) {
        EXPECT_EQ(report.errorCount(), 0U) << report.toJson().dump(2).substr(0, 2000);
    }
    EXPECT_EQ(verdict.periods.size(), static_cast<std::size_t>(wanted) + 1) << "each switch moved the writes, and nothing else did";
    std::sort(pauses.begin(), pauses.end());
    fmt::print("{} switches, {} writes acknowledged; write pause median {:.1f} ms, p99 {:.1f} ms, worst {:.1f} ms\n", wanted,
               verdict.acknowledged, pauses[pauses.size() / 2], pauses[pauses.size() * 99 / 100], pauses.back());
}

INSTANTIATE_TEST_SUITE_P(Ways, ConsecutiveSwitches, testing::ValuesIn(WAYS), [](const auto& test) { return test.param.name; });

} // namespace
} // namespace tealdeck::test
