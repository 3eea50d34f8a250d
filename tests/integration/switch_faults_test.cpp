// SPDX-License-Identifier: GPL-3.0-or-later
// Something else than the engine breaks in the middle of a cutover, at an exact point of it: a link, the pooler, the guardian. Clients go
// on within a limit on exactly one side; where nobody can know which side is open, they wait until the link heals, and no longer.
#include "app/lab/faults.h"
#include "core/util/files.h"
#include "tests/support/extended.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <future>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tealdeck::test {
namespace {

constexpr int DONE = 0;
constexpr int RETURNED = 4;
constexpr int NEEDS_A_PERSON = 5;
constexpr Millis SOON{20000};

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

/// Something that is no proof of the switch: its end may be either, but clients go on, on one side, once it is mended.
struct Elsewhere {
    const char* point;
    const char* what;
    const char* how;
    const char* mend;  ///< the fault that ends it; nullptr: the process is started again
    bool needsMending; ///< clients need it
};
constexpr Elsewhere ELSEWHERE[] = {{"paused", "green-replica-1", "kill", nullptr, false},
                                   {"paused", "blue-replica-1", "stop", "continue", false},
                                   {"paused", "pooler-blue", "cut", "pass", true},
                                   {"fenced", "pooler-green", "cut", "pass", true},
                                   {"paused", "engine-blue", "cut", "pass", true},
                                   {"fenced", "engine-blue", "cut", "pass", true},
                                   {"opened", "engine-blue", "stall", "pass", true},
                                   {"paused", "disk", "fill", "free", false},
                                   {"opened", "disk", "fill", "free", false}};

/// Holds a TCP port of 127.0.0.1, as a stranger's program would.
class TakenPort {
  public:
    explicit TakenPort(int port) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int yes = 1;
        ::setsockopt(m_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        m_taken = ::bind(m_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(m_fd, 1) == 0;
    }
    ~TakenPort() { ::close(m_fd); }
    TakenPort(const TakenPort&) = delete;
    TakenPort& operator=(const TakenPort&) = delete;
    [[nodiscard]] bool taken() const { return m_taken; }

  private:
    int m_fd;
    bool m_taken = false;
};

class SwitchFaults : public testing::Test {
  protected:
    explicit SwitchFaults(int replicas = 0) : m_run(options(replicas)) {}
    static LabOptions options(int replicas) {
        LabOptions options;
        options.proxies = true;
        options.replicas = replicas;
        options.engineDiskMib = replicas > 0 && ::geteuid() == 0 ? 32 : 0; // a disk of its own needs root
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

TEST_F(SwitchFaults, aLinkToBlueBreaksPastThePointOfNoReturnAndTheWayBackIsMadeWhenItHeals) {
    ASSERT_NO_FATAL_FAILURE(begin());
    ASSERT_NO_FATAL_FAILURE(cutOverAndBreak("opened", faultCommand("engine-blue", "cut")));
    EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients wait for a link that green does not need";
    const CtlResult moved = m_cutover.get();
    EXPECT_EQ(moved.exitCode, NEEDS_A_PERSON) << moved.report.dump(2) << moved.errors;
    ++m_switches;
    const auto reason = [&] { return member<std::string>(m_run.ctl({"status"}).report, "phase_reason", ""); };
    EXPECT_NE(reason().find("BLUE does not follow yet"), std::string::npos) << reason();
    EXPECT_NE(m_run.ctl({"rollback"}).exitCode, DONE) << "there is no way back while blue does not follow";
    // Nobody has to say anything: the engine turns the feed round as soon as it can.
    ASSERT_NO_FATAL_FAILURE(mend("engine-blue"));
    EXPECT_TRUE(eventually(Millis(90000), [&] { return reason().find("BLUE follows") != std::string::npos; })) << reason();
    const CtlResult back = m_run.ctl({"rollback"});
    ASSERT_EQ(back.exitCode, DONE) << back.report.dump(2) << back.errors;
    ++m_switches;
    ASSERT_TRUE(m_run.writesGoOn(SOON));
    endOnBlue();
}

class SwitchFaultsElsewhere : public SwitchFaults {
  protected:
    SwitchFaultsElsewhere() : SwitchFaults(1) {}
};

TEST_F(SwitchFaultsElsewhere, linksOfOthersReplicasTheDiskAndAPortBreakInThePause) {
    TEALDECK_LONG_TEST();
    ASSERT_NO_FATAL_FAILURE(begin());
    for (const Elsewhere& e : ELSEWHERE) {
        SCOPED_TRACE(fmt::format("{} {} at {}", e.what, e.how, e.point));
        if (e.what == std::string("disk") && ::geteuid() != 0) {
            continue;
        }
        ASSERT_NO_FATAL_FAILURE(cutOverAndBreak(e.point, faultCommand(e.what, e.how)));
        if (!e.needsMending) {
            EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients wait for something that they do not need";
        }
        const Status mended =
            e.mend != nullptr ? applyFault(m_run.lab().dir(), e.what, e.mend, 0) : restartLabProcess(m_run.lab().dir(), e.what);
        ASSERT_TRUE(mended.ok()) << mended.error().text();
        EXPECT_TRUE(m_run.writesGoOn(SOON + SOON)) << "clients hang";
        const CtlResult ended = m_cutover.get();
        const std::string to = member<std::string>(m_run.ctl({"status"}).report, "writes_to", "");
        EXPECT_TRUE(to == "blue" || to == "green") << to;
        EXPECT_TRUE(ended.exitCode != DONE || to == "green") << ended.exitCode << ended.report.dump(2) << ended.errors;
        EXPECT_TRUE(ended.exitCode != RETURNED || to == "blue") << ended.exitCode << ended.report.dump(2) << ended.errors;
        m_switches += to == "green" ? 1 : 0;
        if (to == "green") {
            const CtlResult back = m_run.ctl({"rollback"});
            ASSERT_EQ(back.exitCode, DONE) << back.report.dump(2) << back.errors;
            ++m_switches;
        }
        ASSERT_TRUE(m_run.writesGoOn(SOON));
    }
    // A stranger takes the pooler's port while it is down: nothing pretends that it runs, and it comes back when the port is free.
    const int port = m_run.lab().state().poolers.at(0).port;
    ASSERT_NO_FATAL_FAILURE(cutOverAndBreak("paused", faultCommand("pooler-1", "kill")));
    {
        std::unique_ptr<TakenPort> stranger;
        ASSERT_TRUE(eventually(Millis(10000), [&] {
            stranger = std::make_unique<TakenPort>(port);
            return stranger->taken();
        }));
        EXPECT_FALSE(restartLabProcess(m_run.lab().dir(), "pooler-1").ok());
        EXPECT_FALSE(m_run.writesGoOn(Millis(300)));
    }
    const Status restarted = restartLabProcess(m_run.lab().dir(), "pooler-1");
    ASSERT_TRUE(restarted.ok()) << restarted.error().text();
    EXPECT_TRUE(m_run.writesGoOn(SOON)) << "clients hang";
    m_switches += m_cutover.get().exitCode == DONE ? 1 : 0;
    const std::string last = member<std::string>(m_run.ctl({"status"}).report, "writes_to", "");
    HistoryVerdict verdict;
    m_run.endLoad(last, m_switches, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
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
