// SPDX-License-Identifier: GPL-3.0-or-later
// The laws of a switch in every state that its model can reach, and that each breach of them would be found.
#include "tests/core/switch_model.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace tealdeck::test {
namespace {

void expectLawful(const SwitchModel& model, const char* name) {
    const SearchResult result = search(model);
    fmt::print("{}: {} states, {} steps\n", name, result.states, result.steps);
    EXPECT_EQ(result.law, "") << fmt::format("{}", fmt::join(result.trace, "\n"));
    EXPECT_GT(result.states, 500U);
}

SwitchModel alone(int databases, int faults) {
    SwitchModel model;
    model.databases = databases;
    model.attempts = 1;
    model.faults = faults;
    model.secondConsole = false;
    return model;
}

SwitchModel withTakeover(int databases, int attempts, int faults) {
    SwitchModel model;
    model.databases = databases;
    model.attempts = attempts;
    model.faults = faults;
    return model;
}

/// Nobody comes to help: what one death leaves is the guardian's alone.
SwitchModel guardianAlone(int databases) {
    SwitchModel model = alone(databases, 1);
    model.attempts = 2;
    model.restarts = false;
    model.guardianDies = false;
    model.deafSessions = false;
    model.serversCrash = databases == 1;
    return model;
}

TEST(SwitchModel, oneDeathIsSettledByTheGuardianAlone) {
    expectLawful(guardianAlone(1), "one database, one death, the guardian alone");
    expectLawful(guardianAlone(2), "two databases, one death, the guardian alone");
}

TEST(SwitchModel, twoFaultsInTwoDatabasesKeepTheLaws) {
    expectLawful(alone(2, 2), "two databases, two faults, restarts");
}

TEST(SwitchModel, aSecondConsoleAndTwoFaultsKeepTheLaws) {
    expectLawful(withTakeover(1, 1, 2), "one database, a second console, two faults");
}

TEST(SwitchModel, aSecondConsoleThereAndBackKeepsTheLaws) {
    expectLawful(withTakeover(1, 2, 1), "one database, a second console, there and back, one fault");
}

TEST(SwitchModel, aSecondConsoleInTwoDatabasesKeepsTheLaws) {
    expectLawful(withTakeover(2, 1, 1), "two databases, a second console, one fault");
}

/// Millions of states: minutes, so only when asked for.
TEST(SwitchModel, moreFaultsKeepThemToo) {
    if (std::getenv("TEALDECK_TEST_MODEL_ALL") == nullptr) {
        GTEST_SKIP() << "set TEALDECK_TEST_MODEL_ALL=1";
    }
    expectLawful(withTakeover(1, 1, 3), "one database, a second console, three faults");
    expectLawful(withTakeover(1, 2, 2), "one database, a second console, there and back, two faults");
}

struct Breach {
    Broken broken;
    const char* what;
    const char* law; ///< how the finding begins
    SwitchModel model;
};

/// A search that finds nothing shows nothing, unless it finds what was broken on purpose.
void expectFound(const std::vector<Breach>& breaches) {
    for (Breach breach : breaches) {
        SCOPED_TRACE(breach.what);
        breach.model.broken = breach.broken;
        const SearchResult result = search(breach.model);
        fmt::print("{}: {}\n    {}\n", breach.what, result.law, fmt::join(result.trace, "\n    "));
        EXPECT_EQ(result.law.substr(0, std::string(breach.law).size()), breach.law);
        EXPECT_FALSE(result.trace.empty());
    }
}

TEST(SwitchModel, everyBreachIsFound) {
    expectFound({{Broken::GiveBackWithoutProof, "the source is given back without closing the destination", "law 8", alone(1, 2)},
                 {Broken::FenceLeavesSessions, "the fence does not end sessions", "law 1", alone(1, 1)},
                 {Broken::ReceiveWithoutMarker, "the destination does not wait for the marker", "law 5", alone(1, 1)},
                 {Broken::OpenBeforeAllReceived, "one database is opened before the others are received", "law", alone(2, 1)},
                 {Broken::LostAnswerMeansNo, "an opening whose answer is lost counts as none", "law 8", alone(1, 2)},
                 {Broken::OpeningToldLate, "the guardian hears of the opening too late", "law 8", alone(1, 2)},
                 {Broken::ReturnAfterPoint, "a failure after the point of no return goes back", "law 8", alone(1, 1)},
                 {Broken::NoWayBack, "green is opened without a way back", "law 7", alone(1, 1)},
                 {Broken::LockNotAsked, "a switch begins without the lock", "law 10", withTakeover(1, 2, 1)},
                 {Broken::NoGuardian, "there is no guardian", "no way", guardianAlone(1)}});
}

TEST(SwitchModel, everyBreachThatNeedsTwoConsolesIsFound) {
    expectFound({{Broken::CompleteReceivedOnly, "what a stale hand closed is not completed", "no way", withTakeover(2, 1, 1)},
                 {Broken::FenceTrustsLogins, "the fence does not ask whether logins are closed", "law 1", withTakeover(1, 1, 2)},
                 {Broken::GuardianNotReplaced, "the guardian acts for an engine that was replaced", "law 8", withTakeover(1, 2, 2)}});
}

} // namespace
} // namespace tealdeck::test
