// SPDX-License-Identifier: GPL-3.0-or-later
// The initial copy without servers: its plan, how tables are parted and grouped, what follows each failure, pace and pause, what is told.
#include "core/model/snapshot.h"
#include "core/plan/plan.h"
#include "core/replication/copy_job.h"

#include <gtest/gtest.h>
#include <numeric>
#include <thread>

namespace tealdeck {
namespace {

CopyTable table(const std::string& name, double bytes, double pages = 0) {
    CopyTable t;
    t.name = name;
    t.columns = "a, b";
    t.bytes = bytes;
    t.pages = pages == 0 ? bytes / 8192 : pages;
    return t;
}

Error error(Error::Kind kind, const std::string& sqlstate, const std::string& message = "no") {
    return {kind, message, {}, sqlstate};
}

TEST(CopySplit, bigTablesArePartedWithoutGapAndSmallOnesShareAGroup) {
    std::vector<CopyTable> tables = {table("big", 100e6), table("middle", 5e6)};
    for (int i = 0; i < 200; ++i) {
        tables.push_back(table("small" + std::to_string(i), 8192));
    }
    const std::vector<CopyGroup> groups = copy_tables::split(tables, 30e6, 150000);
    std::vector<int> parts(tables.size(), 0);
    for (const CopyGroup& group : groups) {
        for (const CopyPart& part : group.parts) {
            ++parts[part.table];
            EXPECT_TRUE(part.where.empty() || group.parts.size() == 1);
        }
    }
    EXPECT_EQ(parts[0], 3);
    EXPECT_EQ(std::accumulate(parts.begin() + 1, parts.end(), 0), 201) << "every other table exactly once";
    EXPECT_EQ(groups[0].parts[0].where, "ctid >= '(0,0)'::tid and ctid < '(4070,0)'::tid");
    EXPECT_EQ(groups[1].parts[0].where, "ctid >= '(4070,0)'::tid and ctid < '(8140,0)'::tid");
    EXPECT_EQ(groups[2].parts[0].where, "ctid >= '(8140,0)'::tid") << "the last part has no end";
    EXPECT_LT(groups.size(), 10U);
}

TEST(CopySplit, aServerThatScansTheWholeTableForEachRangeGetsOnePart) {
    EXPECT_EQ(copy_tables::split({table("big", 100e6)}, 1e6, 130022).size(), 1U);
}

class CopyJobTest : public testing::Test {
  protected:
    CopyJobTest() {
        const std::vector<CopyGroup> groups = {{{{0, 0, 1, "", 1}, {1, 0, 1, "", 1}, {2, 0, 1, "", 1}}, 0}};
        progress.begin(tables, groups, 1);
        job = std::make_unique<CopyJob>(tables, groups, "0/1", control, progress);
    }
    CopyGroup taken() {
        std::optional<CopyGroup> group = job->take();
        EXPECT_TRUE(group.has_value());
        return group.value_or(CopyGroup());
    }
    const std::vector<CopyTable> tables = {table("a", 1), table("b", 1), table("c", 1)};
    CopyControl control;
    CopyProgress progress;
    std::unique_ptr<CopyJob> job;
};

TEST_F(CopyJobTest, aTableThatFailsIsNamedAndTheOthersGoOn) {
    job->failed(taken(), 1, error(Error::Kind::Server, "42501", "permission denied"));
    const CopyGroup rest = taken();
    ASSERT_EQ(rest.parts.size(), 2U);
    EXPECT_EQ(rest.parts[0].table, 0U);
    EXPECT_EQ(rest.parts[1].table, 2U);
    job->done();
    EXPECT_FALSE(job->take());
    const CopyOutcome outcome = job->outcome();
    ASSERT_EQ(outcome.failures.size(), 1U);
    EXPECT_EQ(outcome.failures[0].table, "b");
    EXPECT_EQ(outcome.failures[0].error, "permission denied");
    EXPECT_NE(outcome.failures[0].remedy.find("right to read"), std::string::npos);
    EXPECT_TRUE(outcome.leftToServers.empty());
    CopyState state;
    progress.tell(state);
    EXPECT_EQ(state.tablesFailed, 1);
}

TEST_F(CopyJobTest, aLostSessionIsTriedAgainButNotForEver) {
    for (int i = 0; i < 19; ++i) {
        job->failed(taken(), 0, error(Error::Kind::Unavailable, ""));
    }
    EXPECT_FALSE(job->fatal());
    job->failed(taken(), 0, error(Error::Kind::Unavailable, ""));
    ASSERT_TRUE(job->fatal());
    EXPECT_FALSE(job->take());
    EXPECT_TRUE(job->outcome().failures.empty()) << "no table is at fault";
}

TEST_F(CopyJobTest, withoutTheSnapshotTheRestIsLeftToTheServers) {
    job->failed(taken(), std::nullopt, error(Error::Kind::Server, "22023", "invalid snapshot identifier: \"1\""));
    EXPECT_FALSE(job->take());
    EXPECT_FALSE(job->fatal());
    EXPECT_EQ(job->outcome().leftToServers, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(CopyJobTest, whatWasRewrittenOnBlueIsLeftToTheServersAndNothingElse) {
    job->rewritten(taken(), {2});
    EXPECT_EQ(taken().parts.size(), 2U);
    job->done();
    EXPECT_EQ(job->outcome().leftToServers, std::vector<std::string>{"c"});
}

TEST_F(CopyJobTest, aFullDiskHoldsTheCopyUntilSomebodySaysGoOn) {
    job->failed(taken(), 0, error(Error::Kind::Server, "53100", "No space left on device"));
    EXPECT_EQ(control.state().first, "held");
    EXPECT_NE(control.state().second.find("No space left"), std::string::npos);
    EXPECT_TRUE(job->outcome().failures.empty());
    control.resume();
    EXPECT_EQ(taken().parts.size(), 3U);
}

TEST(CopyControlTest, aPauseStopsBytesAndStopEndsThePause) {
    CopyControl control;
    control.begin(0);
    EXPECT_TRUE(control.pass(1000));
    control.pause("ann");
    EXPECT_EQ(control.state(), (std::pair<std::string, std::string>{"paused", "paused by ann"}));
    std::atomic<bool> passed{false};
    std::thread waiting([&] { passed = control.pass(1) && !control.stopped(); });
    control.resume();
    waiting.join();
    EXPECT_TRUE(passed);
    control.pause("ann");
    std::thread stopped([&] { passed = control.pass(1); });
    control.stop();
    stopped.join();
    EXPECT_FALSE(passed);
}

TEST(CopyControlTest, thePaceIsKept) {
    CopyControl control;
    control.begin(1e6);
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(control.pass(50000));
    }
    // Half a second's worth, of which a tenth is given at once.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(380));
}

TEST(CopyStateTest, goesThroughJsonAndFoldIntoOneLineADatabase) {
    CopyState state;
    state.database = "shop";
    state.strategy = "snapshot";
    state.state = "copying";
    state.tablesDone = 3;
    state.tablesTotal = 40;
    state.bytesDone = 1.2e9;
    state.bytesTotal = 2.5e9;
    state.bytesPerSecond = 31e6;
    state.etaSeconds = 42;
    state.running = {{"public.\"odd\nname\"", 5, 10, 1}};
    state.failures = {{"t", "error", "remedy"}};
    EXPECT_EQ(toJson(copyFromJson(toJson(state))), toJson(state));
    EXPECT_EQ(copyText(state), "3 of 40 tables, 1.2 GB of about 2.5 GB, 31.0 MB/s, about 42 s to go");
    Snapshot s;
    Event event;
    event.kind = EventKind::Copy;
    event.body = toJson(state);
    apply(s, event);
    state.tablesDone = 4;
    event.body = toJson(state);
    apply(s, event);
    event.body = {{"database", "shop"}, {"finished", Json::array({Json::array({"t", 1, 2, 3})})}};
    apply(s, event);
    ASSERT_EQ(s.copies.size(), 1U);
    EXPECT_EQ(s.copies[0].tablesDone, 4);
    EXPECT_EQ(describe(event), "shop: 1 tables copied");
    EXPECT_EQ(toJson(snapshotFromJson(toJson(s)))["copies"], toJson(s)["copies"]);
}

TEST(CopyGates, aCopyIsPausedOnlyWhileItRuns) {
    Snapshot s;
    s.phase = Phase::Replicate;
    s.busyWith = "replicate";
    EXPECT_EQ(whyNot(s, CommandKind::PauseCopy, 0).size(), 1U);
    StepState step;
    step.id = "replicate.copy";
    step.state = "running";
    s.steps = {step};
    for (const CommandKind kind : {CommandKind::PauseCopy, CommandKind::ResumeCopy, CommandKind::CancelCopy}) {
        EXPECT_TRUE(whyNot(s, kind, 0).empty()) << commandName(kind);
    }
    s.steps[0].state = "done";
    EXPECT_FALSE(whyNot(s, CommandKind::CancelCopy, 0).empty());
}

} // namespace
} // namespace tealdeck
