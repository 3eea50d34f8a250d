// SPDX-License-Identifier: GPL-3.0-or-later
// Steps: intent before the act, outcome after it, no record no action, undo in reverse.
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

    Runner runner() {
        return {{[this](EventKind kind, const Json& body) -> Status {
                     if (kind == EventKind::Intent) {
                         if (diskFull) {
                             return Error{Error::Kind::Unavailable, "disk full", {}, {}};
                         }
                         log.push_back("intent " + body.at("step").get<std::string>());
                     }
                     if (kind == EventKind::Outcome) {
                         log.push_back((body.at("ok").get<bool>() ? "ok " : "failed ") + body.at("step").get<std::string>());
                     }
                     return {};
                 },
                 [] { return std::int64_t{0}; }},
                cancel};
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

} // namespace
} // namespace tealdeck
