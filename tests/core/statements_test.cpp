// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/statements.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

StatementCosts only(double meanMs, double blocks, const std::string& text = "select 1", double calls = 100) {
    return {{"hash of " + text, {text, calls, meanMs, blocks}}};
}

TEST(Statements, worseIsTwiceAsSlowOrFourTimesTheBlocks) {
    EXPECT_TRUE(worseOnGreen(only(1, 10), only(1.9, 100)).empty());
    EXPECT_TRUE(worseOnGreen(only(0.1, 10), only(0.9, 10)).empty()) << "less than a millisecond is nobody's trouble";
    EXPECT_TRUE(worseOnGreen(only(1, 10), only(1, 109)).empty()) << "fewer than 100 blocks more";
    EXPECT_TRUE(worseOnGreen(only(10, 1000), only(1, 10)).empty()) << "better";
    EXPECT_TRUE(worseOnGreen(only(1, 10, "a"), only(100, 1e6, "b")).empty()) << "runs on one side only";
    EXPECT_EQ(worseOnGreen(only(1, 10), only(2, 10)).size(), 1U);
    // A plan that lost its index, while nobody else is there to make it slow yet.
    EXPECT_EQ(worseOnGreen(only(0.1, 4), only(0.9, 812)),
              (std::vector<std::string>{"0.9 ms on GREEN, 0.1 ms on BLUE, 812 blocks a call instead of 4: select 1"}));
}

TEST(Statements, theOneThatCostsMostComesFirst) {
    StatementCosts blue = only(1, 1, "rare");
    StatementCosts green = only(50, 1, "rare", 20);
    blue.merge(only(1, 1, "often"));
    green.merge(only(3, 1, "often", 10'000));
    const auto found = worseOnGreen(blue, green);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NE(found[0].find("often"), std::string::npos);
}

TEST(Statements, serversOfASideAreAddedByTheirCalls) {
    StatementCosts sum = only(1, 10, "a", 300);
    addCosts(sum, only(5, 50, "a", 100));
    addCosts(sum, only(7, 70, "b", 1));
    EXPECT_DOUBLE_EQ(sum["hash of a"].calls, 400);
    EXPECT_DOUBLE_EQ(sum["hash of a"].meanMs, 2);
    EXPECT_DOUBLE_EQ(sum["hash of a"].blocksPerCall, 20);
    EXPECT_DOUBLE_EQ(sum["hash of b"].meanMs, 7);
}

TEST(Statements, aHostileTextStaysOnItsLine) {
    const auto found = worseOnGreen(only(1, 1, "select '\n\x1b[2J<b>'"), only(9, 1, "select '\n\x1b[2J<b>'"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].find('\n'), std::string::npos);
    EXPECT_EQ(found[0].find('\x1b'), std::string::npos);
}

} // namespace
} // namespace tealdeck
