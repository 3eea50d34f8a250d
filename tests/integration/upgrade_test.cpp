// SPDX-License-Identifier: GPL-3.0-or-later
// The main job on real servers, by the real programs, under load.
#include "app/lab/faults.h"
#include "app/lab/lab.h"
#include "core/util/files.h"
#include "tests/support/real_lab.h"
#include "tests/support/upgrade_run.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

double lastPause(const CtlResult& result) {
    const Json switches = member(result.report, "switches", Json::array());
    return switches.empty() ? -1 : member<double>(switches.back(), "pause_ms", -1);
}

struct Majors {
    int blue;
    int green;
};

class Upgrade : public testing::TestWithParam<Majors> {};

TEST_P(Upgrade, movesWritesBackAndForthAndLosesNothing) {
    UpgradeRun run(GetParam().blue, GetParam().green);
    ASSERT_TRUE(run.ok());
    run.startLoad();
    const CtlResult copied = run.ctl({"run", "--until", "validate"});
    ASSERT_EQ(copied.exitCode, 0) << copied.report.dump(2) << copied.errors;

    std::vector<double> pauses;
    constexpr int SWITCHES = 11; // ends on green
    for (int i = 0; i < SWITCHES; ++i) {
        const bool forward = i % 2 == 0;
        const CtlResult moved = forward ? run.ctl({"run", "--auto", "--until", "observe"}) : run.ctl({"rollback"});
        ASSERT_EQ(moved.exitCode, 0) << "switch " << i << ": " << moved.report.dump(2) << moved.errors;
        EXPECT_EQ(member<std::string>(moved.report, "phase", ""), forward ? "observe" : "rolled-back");
        ASSERT_TRUE(run.writesGoOn(Millis(5000))) << "switch " << i;
        pauses.push_back(lastPause(moved));
    }
    const CtlResult finalized = run.ctl({"finalize", "--typed", "lab", "--reason", "the test ends"});
    EXPECT_EQ(finalized.exitCode, 0) << finalized.report.dump(2) << finalized.errors;
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));

    HistoryVerdict verdict;
    const LoadReport report = run.endLoad("green", SWITCHES, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    EXPECT_EQ(report.errorCount(), 0U) << report.toJson().dump(2).substr(0, 2000);
    EXPECT_GT(verdict.acknowledged, 200U);
    std::sort(pauses.begin(), pauses.end());
    fmt::print("write pause over {} switches: median {:.1f} ms, worst {:.1f} ms; {} writes acknowledged\n", pauses.size(),
               pauses[pauses.size() / 2], pauses.back(), verdict.acknowledged);

    // Nothing of ours is left on green.
    EXPECT_EQ(run.lab().ask(Side::Green, "shop",
                            "select (select count(*) from pg_subscription) + (select count(*) from pg_replication_slots where slot_type = "
                            "'logical') + (select count(*) from pg_publication)"),
              "0");
    EXPECT_EQ(run.lab().ask(Side::Green, "shop", "select count(*) from pg_namespace where nspname like 'tealdeck%'"), "0");
    // Blue stays fenced: an application can't log in.
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select has_database_privilege('shop_app', 'shop', 'connect')"), "f");
}

INSTANTIATE_TEST_SUITE_P(Versions, Upgrade, testing::Values(Majors{15, 18}, Majors{14, 17}),
                         [](const auto& test) { return fmt::format("from{}to{}", test.param.blue, test.param.green); });

TEST(Abort, leavesBlueAsItWasFound) {
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    const char* const residue =
        "select (select count(*) from pg_publication) + (select count(*) from pg_subscription) + (select count(*) from "
        "pg_replication_slots where slot_type = 'logical') "
        "+ (select count(*) from pg_namespace where nspname like 'tealdeck%') + (select count(*) from pg_class where relreplident = 'f') "
        "+ (select count(*) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where d.datname = 'shop')";
    const std::string before = run.lab().ask(Side::Blue, "shop", residue);
    run.startLoad();
    ASSERT_EQ(run.ctl({"run", "--until", "ramp"}).exitCode, 0);
    const CtlResult aborted = run.ctl({"abort"});
    EXPECT_EQ(aborted.exitCode, 0) << aborted.report.dump(2) << aborted.errors;
    EXPECT_EQ(member<std::string>(aborted.report, "phase", ""), "aborted");
    EXPECT_TRUE(run.writesGoOn(Millis(5000)));
    HistoryVerdict verdict;
    const LoadReport report = run.endLoad("blue", 0, verdict);
    EXPECT_TRUE(verdict.ok()) << verdict.toJson().dump(2);
    EXPECT_EQ(report.errorCount(), 0U) << report.toJson().dump(2).substr(0, 2000);
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", residue), before);
}

TEST(Driver, isOneOnly) {
    UpgradeRun run(15, 18);
    ASSERT_TRUE(run.ok());
    ASSERT_EQ(run.ctl({"run", "--until", "validate"}).exitCode, 0);
    // The same deployment from elsewhere: another folder, so another engine.
    std::string text = readFile(run.lab().plan()).valueOr("");
    const std::size_t folder = text.find("folder = ");
    ASSERT_NE(folder, std::string::npos);
    text.replace(folder, text.find('\n', folder) - folder, "folder = \"" + run.lab().file("other-engine").string() + "\"");
    const std::filesystem::path other = run.lab().file("other-plan.toml");
    ASSERT_TRUE(writeFileAtomically(other, text).ok());
    const auto elsewhere = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), std::string(TEALDECK_BIN_DIR) + "/tealctl");
        arguments.push_back(other.string());
        arguments.emplace_back("--json");
        return runProcess({arguments, {}, {}, {}, 0, 0}, Deadline(Millis(60000)));
    };
    const Result<ProcessOutcome> refused = elsewhere({"status"});
    ASSERT_TRUE(refused.ok());
    EXPECT_EQ(refused->exitCode, 3) << refused->output;
    EXPECT_NE(refused->output.find("drives this deployment"), std::string::npos) << refused->output;
    // Taken over, the first finds itself replaced and refuses to act.
    const Result<ProcessOutcome> taken = elsewhere({"status", "--takeover"});
    ASSERT_TRUE(taken.ok());
    EXPECT_EQ(taken->exitCode, 0) << taken->output << taken->errors;
    EXPECT_NE(run.ctl({"run", "--until", "observe"}).exitCode, 0);
    EXPECT_EQ(run.lab().ask(Side::Blue, "shop", "select role from tealdeck.side"), "primary");
    static_cast<void>(elsewhere({"stop"}));

    // One that begins while BLUE is away has no lock there: it writes no epoch anywhere, and takes up when BLUE is back.
    ASSERT_EQ(run.ctl({"stop"}).exitCode, 0);
    const char* epochSql = "select epoch from tealdeck.deployment";
    const std::string epoch = run.lab().ask(Side::Green, "shop", epochSql);
    ASSERT_TRUE(applyFault(run.lab().dir(), "blue-primary", "kill", 0).ok());
    EXPECT_EQ(member<std::string>(run.ctl({"status"}).report, "phase", ""), "validate");
    EXPECT_EQ(run.lab().ask(Side::Green, "shop", epochSql), epoch);
    const Status restarted = restartLabProcess(run.lab().dir(), "blue-primary");
    ASSERT_TRUE(restarted.ok()) << restarted.error().text();
    EXPECT_TRUE(eventually(Millis(60000), [&] {
        const Json feeds = member(run.ctl({"status"}).report, "replication", Json::array());
        return std::any_of(feeds.begin(), feeds.end(), [](const Json& feed) { return member(feed, "lag_seconds", Json()).is_number(); });
    })) << "nobody writes heartbeats";
    EXPECT_GT(std::stoll(run.lab().ask(Side::Green, "shop", epochSql)), std::stoll(epoch));
}

} // namespace
} // namespace tealdeck::test
