// SPDX-License-Identifier: GPL-3.0-or-later
// The table of phases, enumerated; and the gates: unknown and stale never pass.
#include "core/model/snapshot.h"
#include "core/util/files.h"

#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace tealdeck {
namespace {

constexpr Phase ALL_PHASES[] = {Phase::Plan,    Phase::Preflight, Phase::Replicate,  Phase::Validate,  Phase::Ramp,
                                Phase::Cutover, Phase::Observe,   Phase::RolledBack, Phase::Finalized, Phase::Aborted};
constexpr CommandKind ALL_COMMANDS[] = {CommandKind::Check,    CommandKind::Replicate, CommandKind::Ramp,        CommandKind::Cutover,
                                        CommandKind::Rollback, CommandKind::Finalize,  CommandKind::Abort,       CommandKind::Override,
                                        CommandKind::SignOff,  CommandKind::Note,      CommandKind::Acknowledge, CommandKind::Shelve,
                                        CommandKind::Continue, CommandKind::Verify,    CommandKind::Stop,        CommandKind::Drift,
                                        CommandKind::PauseCopy, CommandKind::ResumeCopy, CommandKind::CancelCopy};

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

/// Every pair of phase and command, as a person would draw it: what moves the deployment as the phase that it leads to, what is allowed
/// and moves nothing as "+", what is refused as "-".
TEST(PhaseTable, isThisOne) {
    const std::string expected = R"(
            check     replicate ramp      cutover   rollback  finalize  abort     override  sign-off  note      acknowledge shelve  continue verify stop drift pause-copy resume-copy cancel-copy
plan        preflight -         -         -         -         -         aborted   +         +         +         +         +         -        -      -    -     -          -           -
preflight   +         validate  -         -         -         -         aborted   +         +         +         +         +         -        -      -    -     -          -           -
replicate   +         validate  -         -         -         -         aborted   +         +         +         +         +         +        -      -    +     +          +           +
validate    +         -         ramp      observe   -         -         aborted   +         +         +         +         +         -        +      +    +     -          -           -
ramp        +         -         +         observe   -         -         aborted   +         +         +         +         +         -        +      +    +     -          -           -
cutover     -         -         -         -         -         -         validate  -         -         +         +         +         +        -      -    -     -          -           -
observe     +         -         -         -         rolled-back finalized rolled-back +     +         +         +         +         -        +      +    -     -          -           -
rolled-back +         -         ramp      observe   -         -         aborted   +         +         +         +         +         -        +      +    +     -          -           -
finalized   -         -         -         -         -         -         -         -         -         +         +         +         -        -      -    -     -          -           -
aborted     preflight -         -         -         -         -         -         +         +         +         +         +         -        -      -    -     -          -           -
)";
    std::istringstream lines(expected);
    std::string word;
    for (const CommandKind command : ALL_COMMANDS) {
        lines >> word;
        EXPECT_EQ(word, commandName(command));
    }
    int cells = 0;
    for (const Phase phase : ALL_PHASES) {
        lines >> word;
        EXPECT_EQ(word, phaseName(phase));
        for (const CommandKind command : ALL_COMMANDS) {
            lines >> word;
            const PhaseRule* rule = findRule(phase, command);
            const std::string is = rule == nullptr ? "-" : rule->leadsTo == phase ? "+" : phaseName(rule->leadsTo);
            EXPECT_EQ(is, word) << phaseName(phase) << " " << commandName(command);
            ++cells;
            if (rule == nullptr) {
                // The reason names the command, the phase and every phase in which it is possible.
                const std::string reason = whyNotInPhase(phase, command);
                EXPECT_NE(reason.find(std::string("\"") + commandName(command) + "\""), std::string::npos) << reason;
                EXPECT_NE(reason.find(std::string("\"") + phaseName(phase) + "\""), std::string::npos) << reason;
                for (const PhaseRule& other : phaseTable()) {
                    EXPECT_TRUE(other.command != command || reason.find(phaseName(other.phase)) != std::string::npos) << reason;
                }
            }
        }
    }
    EXPECT_EQ(cells, 190);
}

TEST(PhaseTable, isDrawnInTheManualAsItIs) {
    const std::string manual = readFile(std::filesystem::path(TEALDECK_SOURCE_DIR) / "CONTRIBUTING.md").valueOr("");
    const std::string begin = "```mermaid\n";
    const std::size_t at = manual.find(begin);
    ASSERT_NE(at, std::string::npos);
    const std::size_t end = manual.find("```", at + begin.size());
    EXPECT_EQ(manual.substr(at + begin.size(), end - at - begin.size()), phaseDiagram())
        << "Put the output of \"tealctl phases --mermaid\" there.";
}

TEST(PhaseTable, picturesNameEveryMove) {
    for (const PhaseRule& rule : phaseTable()) {
        if (rule.leadsTo != rule.phase) {
            EXPECT_NE(phaseText().find(rule.consequence), std::string::npos);
            EXPECT_NE(phaseGraph().find(std::string("\"") + phaseName(rule.phase) + "\" -> "), std::string::npos) << phaseName(rule.phase);
            EXPECT_NE(phaseGraph().find(std::string("-> \"") + phaseName(rule.leadsTo) + "\""), std::string::npos)
                << phaseName(rule.leadsTo);
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

TEST_F(Gates, aLargeLagClosesASwitchAndNoRamp) {
    snapshot.replication[1].lagBytes = 65.0 * 1024 * 1024;
    EXPECT_FALSE(allowed());
    EXPECT_TRUE(allowed(CommandKind::Ramp));
    snapshot.replication[1].lagBytes = 0;
    snapshot.replication[1].lagSeconds = 5.5;
    EXPECT_FALSE(allowed());
    snapshot.replication[1].lagSeconds = 0.2;
    EXPECT_TRUE(allowed());
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

TEST_F(Gates, continueIsOpenOnlyWhileARunHolds) {
    snapshot.phase = Phase::Cutover;
    snapshot.busyWith = "cutover";
    EXPECT_FALSE(allowed(CommandKind::Continue));
    StepState step;
    step.id = "cutover.gate";
    step.state = "held";
    snapshot.steps = {step};
    EXPECT_TRUE(allowed(CommandKind::Continue));
}

TEST_F(Gates, wordsAreNeverBlocked) {
    snapshot.checks.clear();
    snapshot.busyWith = "ramp";
    for (const CommandKind word : {CommandKind::Note, CommandKind::Acknowledge, CommandKind::Shelve, CommandKind::SignOff}) {
        EXPECT_TRUE(isWordOnly(word));
        EXPECT_TRUE(allowed(word));
    }
    EXPECT_FALSE(isWordOnly(CommandKind::Abort));
}

} // namespace
} // namespace tealdeck
