// SPDX-License-Identifier: GPL-3.0-or-later
// The engine freezes instead of dying. In the pause its guardian ends it for good before it takes the safe side, so that nothing is left
// to wake up; before the pause another engine may take over, and the frozen one does no harm when it goes on.
#include "app/lab/faults.h"
#include "core/util/files.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <signal.h>

namespace tealdeck::test {
namespace {

constexpr Millis LEASE{1500};
constexpr Millis CLIENTS_GO_ON{3000};

/// As in /proc/PID/stat: 'T' is frozen, 'Z' ended but not yet asked for; 'X' also for no process at all.
char stateOf(int pid) {
    const std::string stat = readFile(fmt::format("/proc/{}/stat", pid)).valueOr("");
    const std::size_t end = stat.rfind(") ");
    return end == std::string::npos ? 'X' : stat[end + 2];
}

class Freeze : public testing::Test {
  protected:
    Freeze() : m_run(15, 18) {}
    void begin() {
        ASSERT_TRUE(m_run.ok());
        m_run.startLoad();
        const CtlResult copied = m_run.ctl({"run", "--until", "ramp"});
        ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;
    }
    /// Orders a cutover, and returns when its engine is frozen at the point: the engine's pid.
    int freezeAt(const std::string& point) {
        EXPECT_EQ(m_run.ctl({"stop"}).exitCode, 0);
        m_cutover = std::async(std::launch::async, [this, point] {
            return m_run.ctl({"run", "--until", "observe"}, {{"TEALDECK_FREEZE_AT", point}});
        });
        int pid = 0;
        EXPECT_TRUE(eventually(Millis(90000),
                               [&] {
                                   pid = m_run.enginePid() > 0 ? m_run.enginePid() : pid;
                                   return pid > 0 && stateOf(pid) == 'T';
                               }))
            << "never frozen at " << point;
        return pid;
    }
    UpgradeRun m_run;
    std::future<CtlResult> m_cutover;
};

TEST_F(Freeze, inThePauseTheGuardianEndsTheEngineAndClientsGoOn) {
    ASSERT_NO_FATAL_FAILURE(begin());
    int switches = 0;
    for (const auto& [point, side] :
         std::map<std::string, std::string>{{"paused", "blue"}, {"fenced", "blue"}, {"opened-first", "green"}, {"published", "green"}}) {
        SCOPED_TRACE(point);
        const int pid = freezeAt(point);
        ASSERT_GT(pid, 1);
        EXPECT_TRUE(m_run.writesGoOn(LEASE + CLIENTS_GO_ON)) << "clients hang";
        EXPECT_NE(m_cutover.get().exitCode, 0);
        EXPECT_TRUE(stateOf(pid) == 'X' || stateOf(pid) == 'Z') << "the frozen engine could still wake up";
        const CtlResult state = m_run.ctl({"status"});
        EXPECT_EQ(member<std::string>(state.report, "writes_to", ""), side) << state.report.dump(2);
        const CtlResult again = m_run.ctl({"run", "--until", "observe"});
        ASSERT_EQ(again.exitCode, 0) << again.report.dump(2) << again.errors;
        const CtlResult back = m_run.ctl({"rollback"});
        ASSERT_EQ(back.exitCode, 0) << back.report.dump(2) << back.errors;
        switches += 2;
    }
    HistoryVerdict verdict;
    m_run.endLoad("blue", switches, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
}

TEST_F(Freeze, anEngineThatWakesUpAfterATakeoverLeavesEverythingToTheOther) {
    ASSERT_NO_FATAL_FAILURE(begin());
    const int frozen = freezeAt("before:cutover.switch");
    ASSERT_GT(frozen, 1);
    std::string text = readFile(m_run.lab().plan()).valueOr("");
    const std::size_t folder = text.find("folder = ");
    ASSERT_NE(folder, std::string::npos);
    text.replace(folder, text.find('\n', folder) - folder, "folder = \"" + m_run.lab().file("other-engine").string() + "\"");
    const std::filesystem::path plan = m_run.lab().file("other-plan.toml");
    ASSERT_TRUE(writeFileAtomically(plan, text).ok());
    const auto other = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), std::string(TEALDECK_BIN_DIR) + "/tealctl");
        arguments.insert(arguments.end(), {plan.string(), "--json"});
        return runProcess({arguments, {}, {}, {}, 0, 0}, Deadline(Millis(120000))).valueOr({});
    };
    const ProcessOutcome taken = other({"run", "--until", "observe", "--takeover"});
    ASSERT_EQ(taken.exitCode, 0) << taken.output << taken.errors;
    const char* const driver = "select pid from pg_locks where locktype = 'advisory' and granted and classid = hashtext('tealdeck')::oid";
    const std::string holder = m_run.lab().ask(Side::Green, "postgres", driver);

    ASSERT_EQ(::kill(frozen, SIGCONT), 0);
    const CtlResult woken = m_cutover.get();
    EXPECT_NE(woken.exitCode, 0) << woken.report.dump(2);
    EXPECT_TRUE(m_run.writesGoOn(CLIENTS_GO_ON));
    EXPECT_EQ(m_run.lab().ask(Side::Green, "postgres", driver), holder) << "the driver's sessions were ended";
    EXPECT_EQ(m_run.lab().ask(Side::Green, "shop", "select role || ' ' || generation from tealdeck.side"), "primary 1");
    const ProcessOutcome back = other({"rollback"});
    EXPECT_EQ(back.exitCode, 0) << back.output << back.errors;
    EXPECT_EQ(other({"stop"}).exitCode, 0);
    HistoryVerdict verdict;
    m_run.endLoad("blue", 2, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
}

} // namespace
} // namespace tealdeck::test
