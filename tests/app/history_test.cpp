// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/history.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <unistd.h>

namespace tealdeck {
namespace {

using Outcome = HistoryWrite::Outcome;
using testing::HasSubstr;

constexpr std::int64_t MS = 1'000'000;

/// A hand-made history: blue until 1000 ms, green until 2000 ms, blue again. Each test spoils one thing.
class HistoryTest : public testing::Test {
  protected:
    std::vector<HistoryWrite> writes;
    std::vector<FinalRow> rows;
    HistoryRules rules;

    HistoryWrite& add(const std::string& side, std::int64_t fromMs, std::int64_t toMs, std::int64_t id, Outcome outcome = Outcome::Ok) {
        writes.push_back({"shop", 1, static_cast<std::int64_t>(writes.size()) + 1, fromMs * MS, toMs * MS, outcome, id, side});
        if (outcome == Outcome::Ok) {
            rows.push_back({"shop", 1, writes.back().n, id});
        }
        return writes.back();
    }

    void SetUp() override {
        rules.finalSide = "blue";
        for (int i = 0; i < 10; ++i) {
            add("blue", i * 100, i * 100 + 50, 1 + i);
            add("green", 1000 + i * 100, 1050 + i * 100, 10001 + i);
            add("blue", 2000 + i * 100, 2050 + i * 100, 20001 + i);
        }
    }

    HistoryVerdict verdict() { return checkHistory(writes, rows, rules); }
    void expectFinding(const std::string& text) {
        const HistoryVerdict v = verdict();
        EXPECT_FALSE(v.ok());
        ASSERT_FALSE(v.findings.empty());
        EXPECT_THAT(v.findings.front(), HasSubstr(text));
    }
};

TEST_F(HistoryTest, AcceptsTwoCleanSwitches) {
    rules.switches = 2;
    const HistoryVerdict v = verdict();
    EXPECT_TRUE(v.ok()) << v.toJson().dump(1);
    EXPECT_EQ(v.acknowledged, 30U);
    ASSERT_EQ(v.periods.size(), 3U);
    EXPECT_EQ(v.periods[1].side, "green");
}

TEST_F(HistoryTest, AcceptsAWriteThatHungThroughTheSwitch) {
    // Asked for before the switch, answered by either side after it: it may have taken effect on its own side in time.
    add("blue", 940, 1300, 500);
    add("green", 900, 1060, 10900);
    EXPECT_TRUE(verdict().ok()) << verdict().toJson().dump(1);
}

TEST_F(HistoryTest, AcceptsAHungWriteOfTheSecondBluePeriod) {
    add("blue", 940, 2500, 20900);
    EXPECT_TRUE(verdict().ok()) << verdict().toJson().dump(1);
}

TEST_F(HistoryTest, NothingAcknowledgedProvesNothing) {
    writes.clear();
    rows.clear();
    expectFinding("nothing was proved");
}

TEST_F(HistoryTest, FindsALostWrite) {
    rows.erase(rows.begin() + 3);
    EXPECT_EQ(verdict().lost, 1U);
    expectFinding("is not there");
}

TEST_F(HistoryTest, FindsAnotherId) {
    rows[3].id = 777777;
    EXPECT_EQ(verdict().lost, 1U);
    expectFinding("is there with 777777");
}

TEST_F(HistoryTest, FindsADoubledRow) {
    rows.push_back(rows[5]);
    expectFinding("is there twice");
    EXPECT_GE(verdict().duplicated, 1U);
}

TEST_F(HistoryTest, FindsTwoRowsWithOneId) {
    add("blue", 2900, 2950, 0, Outcome::Unknown);
    rows.push_back({"shop", 1, writes.back().n, 20001});
    EXPECT_EQ(verdict().duplicated, 1U);
    expectFinding("both have the id 20001");
}

TEST_F(HistoryTest, FindsARowThatNobodyAskedFor) {
    rows.push_back({"shop", 1, 999, 30000});
    EXPECT_EQ(verdict().duplicated, 1U);
    expectFinding("nobody asked");
}

TEST_F(HistoryTest, LeavesOtherRunsClientsAlone) {
    rows.push_back({"shop", 2, 999, 30000});
    EXPECT_TRUE(verdict().ok());
}

TEST_F(HistoryTest, FindsAFailedWriteThatIsThere) {
    add("blue", 2900, 2950, 0, Outcome::Fail);
    EXPECT_TRUE(verdict().ok());
    rows.push_back({"shop", 1, writes.back().n, 30000});
    EXPECT_EQ(verdict().failedPresent, 1U);
    expectFinding("failed, and is there");
}

TEST_F(HistoryTest, UnknownMayBeEither) {
    add("", 2900, 2950, 0, Outcome::Unknown);
    add("", 2900, 2950, 0, Outcome::Unknown);
    rows.push_back({"shop", 1, writes.back().n, 30000});
    const HistoryVerdict v = verdict();
    EXPECT_TRUE(v.ok());
    EXPECT_EQ(v.unknown, 2U);
    EXPECT_EQ(v.unknownPresent, 1U);
}

TEST_F(HistoryTest, FindsAStrayWriteOnTheOldSide) {
    add("blue", 1400, 1420, 400);
    EXPECT_GE(verdict().wrongSide, 1U);
    expectFinding("between answers of the other side");
}

TEST_F(HistoryTest, FindsAStrayWriteWhenTheSwitchesAreKnown) {
    rules.switches = 2;
    add("blue", 1400, 1420, 400);
    EXPECT_EQ(verdict().wrongSide, 1U);
    expectFinding("there were 2 switches");
}

TEST_F(HistoryTest, FindsALastWriteOnTheWrongSide) {
    add("green", 3000, 3010, 30001);
    expectFinding("the last writes were answered by green");
}

TEST_F(HistoryTest, FindsAnUnknownServer) {
    add("", 3000, 3300, 30001);
    expectFinding("unknown server");
}

TEST_F(HistoryTest, FindsASequenceThatWentBack) {
    rows[1].id = 5000;
    writes[1].id = 5000; // still above blue's: fine
    EXPECT_TRUE(verdict().ok());
    rows[1].id = -1;
    writes[1].id = -1;
    EXPECT_GE(verdict().sequenceErrors, 1U);
    expectFinding("goes back");
}

TEST_F(HistoryTest, FindsAnIdGivenTwice) {
    writes[4].id = writes[1].id;
    const HistoryVerdict v = verdict();
    EXPECT_EQ(v.sequenceErrors, 1U);
    EXPECT_FALSE(v.ok());
}

TEST_F(HistoryTest, DatabasesHaveSequencesOfTheirOwn) {
    for (HistoryWrite write : std::vector<HistoryWrite>(writes)) {
        write.database = "shop_audit";
        writes.push_back(write);
        rows.push_back({"shop_audit", 1, write.n, write.id});
    }
    EXPECT_TRUE(verdict().ok()) << verdict().toJson().dump(1);
}

class HistoryFileTest : public testing::Test {
  protected:
    std::filesystem::path file = std::filesystem::path(testing::TempDir()) / ("history-" + std::to_string(::getpid()));
    void TearDown() override { std::filesystem::remove(file); }
    void write(const std::string& text) { std::ofstream(file) << text; }
};

TEST_F(HistoryFileTest, ReadsWritesAndLeavesOutReadsAndACutLine) {
    write(R"({"op":"write","event":"invoke","client":7,"n":1,"database":"shop","t_ns":10}
{"op":"read","event":"invoke","client":7,"n":1,"database":"shop","t_ns":11}
{"op":"write","event":"ok","client":7,"n":1,"database":"shop","t_ns":12,"id":3,"port":5,"side":"blue"}
{"op":"write","event":"invoke","client":7,"n":2,"database":"shop","t_ns":13}
{"op":"write","event":"fail","client":7,"n":2,"database":"shop","t_ns":14,"sqlstate":"25006","error":"x"}
{"op":"write","event":"invoke","client":7,"n":3,"database":"shop","t_ns":15}
{"op":"write","event":"ok","cli)");
    std::vector<HistoryWrite> writes;
    const Status read = readHistory(file, writes);
    ASSERT_TRUE(read.ok()) << read.error().text();
    ASSERT_EQ(writes.size(), 3U);
    EXPECT_EQ(writes[0].outcome, Outcome::Ok);
    EXPECT_EQ(writes[0].id, 3);
    EXPECT_EQ(writes[0].side, "blue");
    EXPECT_EQ(writes[1].outcome, Outcome::Fail);
    EXPECT_EQ(writes[2].outcome, Outcome::Unknown);
    EXPECT_EQ(writes[2].endNs, std::numeric_limits<std::int64_t>::max());
}

TEST_F(HistoryFileTest, RefusesGarbageWithItsLine) {
    write("{\"op\":\"read\"}\nno json\n{}\n");
    std::vector<HistoryWrite> writes;
    const Status read = readHistory(file, writes);
    ASSERT_FALSE(read.ok());
    EXPECT_THAT(read.error().message, HasSubstr(":2:"));
}

} // namespace
} // namespace tealdeck
