// SPDX-License-Identifier: GPL-3.0-or-later
// Something else than the engine breaks in the middle of a cutover, at an exact point of it: a link, the pooler, the guardian. Clients go
// on within a limit on exactly one side; where nobody can know which side is open, they wait until the link heals, and no longer.
#include "app/lab/faults.h"
#include "core/util/files.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

constexpr int DONE = 0;
constexpr int RETURNED = 4;
constexpr Millis SOON{10000};

/// Ends the engine's child that is the guardian.
constexpr const char* KILL_GUARDIAN = "for p in /proc/[0-9]*; do\n"
                                      "  if grep -qs -- --guardian $p/cmdline && grep -qs \"^PPid:[[:space:]]*$PPID\\$\" $p/status; then\n"
                                      "    kill -9 ${p#/proc/}\n"
                                      "  fi\n"
                                      "done\n";

struct Break {
    const char* point;
    const char* mode;
    bool mayReturn; ///< false: green has been opened for sure
};
constexpr Break BEFORE_THE_OPENING[] = {{"paused", "cut", true}, {"paused", "stall", true}, {"paused", "half-open", true}};
/// A stalled opening may arrive when the link heals, or be overtaken by the taking back: one of both, never a mixture.
constexpr Break AROUND_THE_OPENING[] = {
    {"opening", "cut", true}, {"opening", "stall", true}, {"opening", "half-open", false}, {"opened-first", "cut", false}};

class SwitchFaults : public testing::Test {
  protected:
    SwitchFaults() : m_run(options()) {}
    static LabOptions options() {
        LabOptions options;
        options.proxies = true;
        options.replicas = 0;
        return options;
    }

    void begin() {
        ASSERT_TRUE(m_run.ok());
        m_run.startLoad();
        const CtlResult copied = m_run.ctl({"run", "--until", "ramp"});
        ASSERT_EQ(copied.exitCode, DONE) << copied.report.dump(2) << copied.errors;
    }

    /// Orders a cutover whose engine runs the commands at the point, and returns when it has.
    void cutOverAndBreak(const std::string& point, const std::string& commands) {
        const std::filesystem::path program = m_run.lab().file("act.sh");
        const std::filesystem::path done = m_run.lab().file("acted");
        std::error_code none;
        std::filesystem::remove(done, none);
        ASSERT_TRUE(writeFileAtomically(program, fmt::format("#!/bin/sh\n{}\ntouch {}\n", commands, done.string()), 0700).ok());
        ASSERT_EQ(m_run.ctl({"stop"}).exitCode, DONE);
        m_cutover = std::async(std::launch::async, [this, point, program] {
            return m_run.ctl({"run", "--until", "observe"}, {{"TEALDECK_ACT_AT", point}, {"TEALDECK_ACT", program.string()}});
        });
        ASSERT_TRUE(eventually(Millis(90000), [&] { return std::filesystem::exists(done); })) << "never came to " << point;
    }
    std::string faultCommand(const std::string& what, const std::string& how) {
        return fmt::format("{}/tealctl lab fault --dir {} {} {}", TEALDECK_BIN_DIR, m_run.lab().dir().string(), what, how);
    }
    void mend(const char* link) { ASSERT_TRUE(applyFault(m_run.lab().dir(), link, "pass", 0).ok()); }

    /// The ordered cutover ends as said, and writes are on that side.
    void expectEnd(std::initializer_list<int> exitCodes) {
        const CtlResult ended = m_cutover.get();
        EXPECT_EQ(std::count(exitCodes.begin(), exitCodes.end(), ended.exitCode), 1)
            << ended.exitCode << ": " << ended.report.dump(2) << ended.errors;
        EXPECT_TRUE(m_run.writesGoOn(SOON));
        const CtlResult state = m_run.ctl({"status"});
        EXPECT_EQ(member<std::string>(state.report, "writes_to", ""), ended.exitCode == DONE ? "green" : "blue") << state.report.dump(2);
    }

    /// The same command completes now, in the same engine; then everything is as before the first.
    void goThereAndBack() {
        const CtlResult again = m_run.ctl({"run", "--until", "observe"});
        ASSERT_EQ(again.exitCode, DONE) << again.report.dump(2) << again.errors;
        ASSERT_TRUE(m_run.writesGoOn(SOON));
        const CtlResult back = m_run.ctl({"rollback"});
        ASSERT_EQ(back.exitCode, DONE) << back.report.dump(2) << back.errors;
        ASSERT_TRUE(m_run.writesGoOn(SOON));
        m_switches += 2;
    }

    void endOnBlue() {
        HistoryVerdict verdict;
        m_run.endLoad("blue", m_switches, verdict);
        EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    }

    UpgradeRun m_run;
    std::future<CtlResult> m_cutover;
    int m_switches = 0;
};

TEST_F(SwitchFaults, aLinkToGreenBreaksBeforeAnyOpenWasSentAndBlueGoesOn) {
    ASSERT_NO_FATAL_FAILURE(begin());
    for (const Break& b : BEFORE_THE_OPENING) {
        SCOPED_TRACE(fmt::format("{} at {}", b.mode, b.point));
        ASSERT_NO_FATAL_FAILURE(cutOverAndBreak(b.point, faultCommand("engine-green", b.mode)));
        // Green needs not be asked: nothing that opens it was ever sent.
        EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients wait for a link that blue does not need";
        expectEnd({RETURNED});
        ASSERT_NO_FATAL_FAILURE(mend("engine-green"));
        ASSERT_NO_FATAL_FAILURE(goThereAndBack());
    }
    endOnBlue();
}

TEST_F(SwitchFaults, aLinkToGreenBreaksAroundTheOpeningAndNobodyGuesses) {
    ASSERT_NO_FATAL_FAILURE(begin());
    for (const Break& b : AROUND_THE_OPENING) {
        SCOPED_TRACE(fmt::format("{} at {}", b.mode, b.point));
        ASSERT_NO_FATAL_FAILURE(cutOverAndBreak(b.point, faultCommand("engine-green", b.mode)));
        EXPECT_FALSE(m_run.writesGoOn(Millis(2500))) << "one side was opened though the other could not be asked";
        ASSERT_NO_FATAL_FAILURE(mend("engine-green"));
        EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients hang after the link has healed";
        if (b.mayReturn) {
            expectEnd({RETURNED, DONE});
        } else {
            expectEnd({DONE});
        }
        ASSERT_NO_FATAL_FAILURE(goThereAndBack());
    }
    endOnBlue();
}

TEST_F(SwitchFaults, theGuardianOrThePoolerDiesInThePause) {
    ASSERT_NO_FATAL_FAILURE(begin());
    ASSERT_NO_FATAL_FAILURE(cutOverAndBreak("paused", KILL_GUARDIAN));
    EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients hang";
    expectEnd({RETURNED}); // without a guardian nothing is opened
    ASSERT_NO_FATAL_FAILURE(goThereAndBack());

    for (const char* point : {"paused", "opened"}) {
        SCOPED_TRACE(point);
        ASSERT_NO_FATAL_FAILURE(cutOverAndBreak(point, faultCommand("pooler-1", "kill")));
        EXPECT_FALSE(m_run.writesGoOn(Millis(500))) << "there is no pooler";
        const Status restarted = restartLabProcess(m_run.lab().dir(), "pooler-1");
        ASSERT_TRUE(restarted.ok()) << restarted.error().text();
        EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients hang";
        expectEnd({DONE});
        ASSERT_NO_FATAL_FAILURE(goThereAndBack());
    }
    endOnBlue();
}

} // namespace
} // namespace tealdeck::test
