// SPDX-License-Identifier: GPL-3.0-or-later
// Steps: intent before the act, outcome after it, no record no action, undo in reverse.
#include "core/recipe/dry_runner.h"
#include "core/recipe/runner.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

class RunnerTest : public testing::Test {
  protected:
    Step step(const std::string& id, Status result = {}) {
        Step s;
        s.id = id;
        s.title = id;
        s.run = [this, id, result](StepContext&) {
            log.push_back("run " + id);
            return result;
        };
        s.undo = [this, id] {
            log.push_back("undo " + id);
            return Status();
        };
        return s;
    }

    Runner runner(StepSurroundings around = {}) {
        return Runner(RunRecord{[this](EventKind kind, const Json& body) -> Status {
                                    if (kind == EventKind::Intent) {
                                        if (diskFull) {
                                            return Error{Error::Kind::Unavailable, "disk full", {}, {}};
                                        }
                                        log.push_back("intent " + body.at("step").get<std::string>());
                                    }
                                    if (kind == EventKind::Step && body.at("state") == "held") {
                                        log.push_back("held " + body.at("id").get<std::string>());
                                    }
                                    if (kind == EventKind::Outcome) {
                                        log.push_back((body.at("ok").get<bool>() ? "ok " : "failed ") + body.at("step").get<std::string>());
                                    }
                                    return {};
                                },
                                [] { return std::int64_t{0}; }},
                      cancel, std::move(around));
    }

    std::vector<std::string> log;
    std::atomic<bool> cancel{false};
    bool diskFull = false;
    const Error failure{Error::Kind::Server, "no", {}, {}};
};

using Log = std::vector<std::string>;

TEST_F(RunnerTest, recordsTheIntentBeforeAndTheOutcomeAfterEachAct) {
    EXPECT_TRUE(runner().run({step("a"), step("b")}, true).ok());
    EXPECT_EQ(log, (Log{"intent a", "run a", "ok a", "intent b", "run b", "ok b"}));
}

TEST_F(RunnerTest, doesNothingThatCouldNotBeRecorded) {
    diskFull = true;
    EXPECT_FALSE(runner().run({step("a")}, false).ok());
    EXPECT_EQ(log, (Log{"failed a"}));
}

TEST_F(RunnerTest, runsSafetyStepsEvenWithoutARecord) {
    diskFull = true;
    Step unfence = step("unfence");
    unfence.safety = true;
    EXPECT_TRUE(runner().run({unfence}, false).ok());
    EXPECT_EQ(log, (Log{"run unfence", "ok unfence"}));
}

TEST_F(RunnerTest, undoesInReverseWhatRanWhenAStepFails) {
    EXPECT_FALSE(runner().run({step("a"), step("b"), step("c", failure), step("d")}, true).ok());
    EXPECT_EQ(log, (Log{"intent a", "run a", "ok a", "intent b", "run b", "ok b", "intent c", "run c", "failed c", "undo c", "ok c.undo",
                        "undo b", "ok b.undo", "undo a", "ok a.undo"}));
}

TEST_F(RunnerTest, asksTheServersAndSkipsWhatIsDone) {
    Step done = step("a");
    done.probe = [] { return Result<Probe>(Probe::Done); };
    EXPECT_TRUE(runner().run({done}, false).ok());
    EXPECT_EQ(log, Log{});
}

TEST_F(RunnerTest, doesWhatTheServersSayIsNotDone) {
    Step open = step("a");
    open.probe = [] { return Result<Probe>(Probe::NotDone); };
    EXPECT_TRUE(runner().run({open}, false).ok());
    EXPECT_EQ(log, (Log{"intent a", "run a", "ok a"}));
}

TEST_F(RunnerTest, anUnknownProbeStopsTheRun) {
    Step unknown = step("a");
    unknown.probe = [this] { return Result<Probe>(failure); };
    EXPECT_FALSE(runner().run({unknown, step("b")}, false).ok());
    EXPECT_EQ(log, (Log{"failed a"}));
}

TEST_F(RunnerTest, aFailedVerificationIsAFailure) {
    Step wrong = step("a");
    wrong.verify = [this] { return Status(failure); };
    EXPECT_FALSE(runner().run({wrong, step("b")}, false).ok());
    EXPECT_EQ(log, (Log{"intent a", "run a", "failed a"}));
}

TEST_F(RunnerTest, abortStopsBeforeTheNextStepButNotSafetySteps) {
    Step first = step("a");
    first.run = [this](StepContext&) {
        cancel = true;
        return Status();
    };
    EXPECT_FALSE(runner().run({first, step("b")}, false).ok());
    EXPECT_EQ(log, (Log{"intent a", "ok a"}));
    log.clear();
    Step unfence = step("unfence");
    unfence.safety = true;
    EXPECT_TRUE(runner().run({unfence}, false).ok());
    EXPECT_EQ(log, (Log{"intent unfence", "run unfence", "ok unfence"}));
}

/// Hooks that write into the log and veto what is named.
StepSurroundings hooked(Log& log, const std::string& veto) {
    StepSurroundings around;
    around.before = [&log, veto](const Step& step, const std::function<bool()>&) -> Status {
        log.push_back("before " + step.id);
        return step.id == veto ? Status(Error{Error::Kind::Refused, "vetoed", {}, {}}) : Status();
    };
    around.after = [&log](const Step& step) { log.push_back("after " + step.id); };
    return around;
}

TEST_F(RunnerTest, hooksStandBeforeTheIntentAndAfterTheOutcome) {
    EXPECT_TRUE(runner(hooked(log, "")).run({step("a")}, true).ok());
    EXPECT_EQ(log, (Log{"before a", "intent a", "run a", "ok a", "after a"}));
}

TEST_F(RunnerTest, aVetoEndsTheRunBeforeTheAct) {
    const Status status = runner(hooked(log, "b")).run({step("a"), step("b"), step("c")}, true);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, Error::Kind::Refused);
    EXPECT_EQ(log, (Log{"before a", "intent a", "run a", "ok a", "after a", "before b", "failed b", "undo b", "ok b.undo", "undo a",
                        "ok a.undo"}));
}

TEST_F(RunnerTest, aProbedOutStepHasNoHooks) {
    Step done = step("a");
    done.probe = [] { return Result<Probe>(Probe::Done); };
    EXPECT_TRUE(runner(hooked(log, "a")).run({done}, true).ok());
    EXPECT_EQ(log, Log{});
}

TEST_F(RunnerTest, holdsBeforeAStepUntilContinueOrAbort) {
    int asked = 0;
    StepSurroundings around;
    around.holds = [](const Step& s) { return s.id == "b"; };
    around.released = [&] { return ++asked > 3; };
    EXPECT_TRUE(runner(around).run({step("a"), step("b")}, true).ok());
    EXPECT_EQ(log, (Log{"intent a", "run a", "ok a", "held b", "intent b", "run b", "ok b"}));
    log.clear();
    around.released = [&] {
        cancel = true;
        return false;
    };
    EXPECT_FALSE(runner(around).run({step("a"), step("b")}, true).ok());
    EXPECT_EQ(log, (Log{"intent a", "run a", "ok a", "held b", "undo a", "ok a.undo"}));
    log.clear();
    cancel = false;
    Step unfence = step("b");
    unfence.safety = true;
    EXPECT_TRUE(runner(around).run({unfence}, true).ok()) << "what brings writes back never holds";
    EXPECT_EQ(log, (Log{"intent b", "run b", "ok b"}));
}

TEST_F(RunnerTest, aDryRunTellsTheOrderAndTouchesNothing) {
    std::string told;
    DryRunner dry([&](const std::string& line) { told += line + "\n"; },
                  [](const Step& s) { return s.id == "b" ? Log{"before it: a hook"} : Log{}; });
    Step a = step("a");
    a.probe = [this]() -> Result<Probe> {
        log.push_back("probe");
        return Probe::Done;
    };
    a.precheck = [this]() -> Status {
        log.push_back("precheck");
        return {};
    };
    a.waitsFor = "BLUE";
    a.limit = Millis(90'000);
    Step b = step("b");
    b.limit = Millis(120'000);
    b.undo = {};
    b.safety = true;
    b.onTimeout = "it is left over";
    StepRunner& runnerFace = dry;
    EXPECT_TRUE(runnerFace.run({a, b}, true).ok());
    EXPECT_EQ(log, Log{});
    EXPECT_EQ(told, "  a: a\n      waits for BLUE, at most 90 s; then the step fails and nothing further is done\n"
                    "      taken back if a later step fails\n"
                    "  b: b\n      waits for nothing, at most 2 min; then it is left over\n      runs even when it cannot be recorded\n"
                    "      before it: a hook\n");
}

} // namespace
} // namespace tealdeck
