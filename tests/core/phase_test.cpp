// SPDX-License-Identifier: GPL-3.0-or-later
// The table of phases, enumerated; and the gates: unknown and stale never pass.
#include "core/model/snapshot.h"

#include <gtest/gtest.h>
#include <set>

namespace tealdeck {
namespace {

constexpr Phase ALL_PHASES[] = {Phase::Plan,    Phase::Preflight, Phase::Replicate,  Phase::Validate,  Phase::Ramp,
                                Phase::Cutover, Phase::Observe,   Phase::RolledBack, Phase::Finalized, Phase::Aborted};
constexpr CommandKind ALL_COMMANDS[] = {CommandKind::Check,    CommandKind::Replicate, CommandKind::Ramp,  CommandKind::Cutover,
                                        CommandKind::Rollback, CommandKind::Finalize,  CommandKind::Abort, CommandKind::Override,
                                        CommandKind::SignOff,  CommandKind::Note};

TEST(PhaseTable, namesGoBothWays) {
    for (const Phase phase : ALL_PHASES) {
        EXPECT_EQ(phaseFromName(phaseName(phase)), phase);
    }
    for (const CommandKind command : ALL_COMMANDS) {
        EXPECT_EQ(commandFromName(commandName(command)), command);
    }
    EXPECT_FALSE(phaseFromName("nowhere"));
}

TEST(PhaseTable, hasEachPairAtMostOnceAndAReasonForEveryOther) {
    std::set<std::pair<Phase, CommandKind>> seen;
    for (const PhaseRule& rule : phaseTable()) {
        EXPECT_TRUE(seen.insert({rule.phase, rule.command}).second) << phaseName(rule.phase) << " " << commandName(rule.command);
        EXPECT_STRNE(rule.title, "");
        EXPECT_STRNE(rule.consequence, "");
    }
    for (const Phase phase : ALL_PHASES) {
        for (const CommandKind command : ALL_COMMANDS) {
            EXPECT_EQ(findRule(phase, command) == nullptr, !whyNotInPhase(phase, command).empty());
        }
        EXPECT_STRNE(abortLabel(phase, false), "");
    }
}

TEST(PhaseTable, abortIsAllowedInEveryPhaseThatHasSomethingToAbort) {
    for (const Phase phase : ALL_PHASES) {
        const bool ended = phase == Phase::Finalized || phase == Phase::Aborted;
        EXPECT_EQ(findRule(phase, CommandKind::Abort) != nullptr, !ended) << phaseName(phase);
    }
}

TEST(PhaseTable, theNextCommandOfAPhaseIsAllowedInIt) {
    for (const Phase phase : ALL_PHASES) {
        if (const auto next = nextCommand(phase)) {
            EXPECT_NE(findRule(phase, *next), nullptr) << phaseName(phase);
        }
    }
}

TEST(PhaseTable, whatMovesWritesIsNeverOneClick) {
    for (const PhaseRule& rule : phaseTable()) {
        if (rule.command == CommandKind::Cutover || rule.command == CommandKind::Rollback || rule.command == CommandKind::Finalize) {
            EXPECT_NE(rule.confirmation, Confirmation::Click);
        }
    }
}

class Gates : public testing::Test {
  protected:
    void SetUp() override {
        snapshot.phase = Phase::Ramp;
        snapshot.session.databases = {"shop", "audit"};
        CheckState check;
        check.id = "SRV01";
        check.result = CheckResult::Pass;
        check.evaluatedUs = NOW;
        check.validForUs = 60'000'000;
        snapshot.checks = {check};
        for (const char* database : {"shop", "audit"}) {
            ReplicationState feed;
            feed.database = database;
            feed.direction = "forward";
            feed.state = "streaming";
            feed.lagBytes = 0;
            feed.sampledUs = NOW;
            snapshot.replication.push_back(feed);
        }
    }
    [[nodiscard]] bool allowed(CommandKind command = CommandKind::Cutover) const { return whyNot(snapshot, command, NOW).empty(); }

    static constexpr std::int64_t NOW = 1'000'000'000;
    Snapshot snapshot;
};

TEST_F(Gates, areOpenWhenEverythingIsKnownAndWell) {
    EXPECT_TRUE(allowed());
}

TEST_F(Gates, aFailedCheckCloses) {
    snapshot.checks[0].result = CheckResult::Fail;
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, anUnknownCheckCloses) {
    snapshot.checks[0].result = CheckResult::Unknown;
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, oneCauseOfManyUnknownsIsSaidOnce) {
    CheckState check = snapshot.checks[0];
    check.result = CheckResult::Unknown;
    check.actual = "Cannot connect to green.";
    snapshot.checks.clear();
    for (const char* id : {"A1", "A2", "A3", "A4", "A5"}) {
        check.id = id;
        snapshot.checks.push_back(check);
    }
    check.id = "B1";
    check.actual = "permission denied";
    snapshot.checks.push_back(check);
    const std::vector<std::string> reasons = whyNot(snapshot, CommandKind::Cutover, NOW);
    ASSERT_EQ(reasons.size(), 2U);
    EXPECT_EQ(reasons[0], "5 checks are unknown (A1, A2, A3, A4, …): Cannot connect to green.");
    EXPECT_NE(reasons[1].find("B1 is unknown"), std::string::npos);
}

TEST_F(Gates, aStaleCheckCloses) {
    snapshot.checks[0].evaluatedUs = NOW - 61'000'000;
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, anEmptyChecklistCloses) {
    snapshot.checks.clear();
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, anOverrideWithANameOpensAndAWarningNeverCloses) {
    snapshot.checks[0].result = CheckResult::Fail;
    snapshot.checks[0].overrideBy = "anna";
    EXPECT_TRUE(allowed());
    snapshot.checks[0].overrideBy.clear();
    snapshot.checks[0].severity = Severity::Warning;
    EXPECT_TRUE(allowed());
}

TEST_F(Gates, anUnknownLagCloses) {
    snapshot.replication[1].lagBytes.reset();
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, anOldLagCloses) {
    snapshot.replication[0].sampledUs = NOW - 11'000'000;
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, aFeedThatDoesNotStreamCloses) {
    for (const char* state : {"copying", "stopped", "prepared", "unknown", "none", ""}) {
        snapshot.replication[0].state = state;
        EXPECT_FALSE(allowed()) << state;
    }
}

TEST_F(Gates, aMissingDatabaseCloses) {
    snapshot.replication.pop_back();
    EXPECT_FALSE(allowed());
}

TEST_F(Gates, abortIsOpenWhateverIsUnknownExceptPastThePointOfNoReturn) {
    snapshot.checks.clear();
    snapshot.replication.clear();
    snapshot.busyWith = "cutover";
    EXPECT_TRUE(allowed(CommandKind::Abort));
    snapshot.phase = Phase::Cutover;
    EXPECT_TRUE(allowed(CommandKind::Abort));
    snapshot.pastPointOfNoReturn = true;
    EXPECT_FALSE(allowed(CommandKind::Abort));
}

} // namespace
} // namespace tealdeck
