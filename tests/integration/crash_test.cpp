// SPDX-License-Identifier: GPL-3.0-or-later
// The engine dies, or freezes, at every point of a switch: clients go on within three seconds on the right side, and a second run
// completes.
#include "tests/support/upgrade_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sstream>

namespace tealdeck::test {
namespace {

/// From the intent of the pause to the proof of the way back. Points after the opening must complete, points before it must return.
struct Point {
    const char* name;
    bool past;
};
constexpr Point POINTS[] = {{"intent:cutover.return-path", false},
                            {"after:cutover.guardian", false},
                            {"paused", false},
                            {"fencing", false},
                            {"fenced", false},
                            {"received", false},
                            {"opening", false},
                            {"opened-first", true},
                            {"opened", true},
                            {"published", true},
                            {"resumed", true},
                            {"before:cutover.old-feed", true},
                            {"intent:cutover.return-feed", true}};

constexpr Millis CLIENTS_GO_ON{3000};

class Crash : public testing::Test {
  protected:
    /// One lab for all points: each one ends on blue again, as it began.
    void crashEverywhere(const char* variable, Millis patience) {
        UpgradeRun run(15, 18);
        ASSERT_TRUE(run.ok());
        run.startLoad();
        const CtlResult copied = run.ctl({"run", "--until", "ramp"});
        ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
        int switches = 0;
        for (const Point& point : POINTS) {
            SCOPED_TRACE(fmt::format("{}={}", variable, point.name));
            ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
            crashOnce(run, variable, point, patience);
            switches += 2;
            if (HasFatalFailure()) {
                return;
            }
        }
        HistoryVerdict verdict;
        run.endLoad("blue", switches, verdict);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    }

    static void crashOnce(UpgradeRun& run, const char* variable, const Point& point, Millis patience) {
        const CtlResult died = run.ctl({"run", "--until", "observe"}, {{variable, point.name}}, patience + Millis(60000));
        ASSERT_NE(died.exitCode, 0) << "the engine was to die here";
        EXPECT_TRUE(run.writesGoOn(CLIENTS_GO_ON)) << "clients hang";
        if (const int pid = run.enginePid(); pid > 1) {
            ::kill(pid, SIGKILL); // a frozen one, outside the pause
        }
        const CtlResult state = run.ctl({"status"});
        EXPECT_EQ(member<std::string>(state.report, "writes_to", ""), point.past ? "green" : "blue") << state.report.dump(2);
        const CtlResult again = run.ctl({"run", "--until", "observe"});
        ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
        ASSERT_TRUE(run.writesGoOn(Millis(5000)));
        const CtlResult back = run.ctl({"rollback"});
        ASSERT_EQ(back.exitCode, 0) << back.report.dump(2) << back.errors;
        ASSERT_TRUE(run.writesGoOn(Millis(5000)));
    }
};

TEST_F(Crash, killedAtEveryPointOfACutover) {
    crashEverywhere("TEALDECK_CRASH_AT", Millis(0));
}

} // namespace
} // namespace tealdeck::test
