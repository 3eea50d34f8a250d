// SPDX-License-Identifier: GPL-3.0-or-later
// Statements in the record: without literals, and without drowning everything else.
#include "core/engine/statement_log.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

class StatementLogTest : public testing::Test {
  protected:
    void take(const std::string& text, const std::string& sqlstate = {}, const std::string& server = "blue/shop") {
        log.take({server, text, 1.5, 3, sqlstate});
    }
    std::vector<Json> bodies;
    std::int64_t now = 0;
    StatementLog log{[this](Json body) { bodies.push_back(std::move(body)); }, [this] { return now; }, {3, 0.1}};
};

TEST_F(StatementLogTest, saysWhereHowLongAndHowItEnded) {
    take("select tealdeck.fence('canary', 7)");
    take("alter role r password 'canary'", "42704", "green/replica-1/shop");
    take("(secret)");
    ASSERT_EQ(bodies.size(), 3U);
    EXPECT_EQ(bodies[0]["text"], "select tealdeck.fence('…', ?)");
    EXPECT_EQ(bodies[0]["side"], "blue");
    EXPECT_EQ(bodies[0]["database"], "shop");
    EXPECT_EQ(bodies[0]["ms"], 1.5);
    EXPECT_EQ(bodies[0]["rows"], 3);
    EXPECT_EQ(bodies[0]["ok"], true);
    EXPECT_EQ(bodies[1]["ok"], false);
    EXPECT_EQ(bodies[1]["sqlstate"], "42704");
    EXPECT_EQ(bodies[1]["side"], "green");
    EXPECT_EQ(bodies[2]["text"], "(secret)");
    EXPECT_EQ(Json(bodies).dump().find("canary"), std::string::npos);
}

TEST_F(StatementLogTest, keepsWhatComesInASwitchForAfterwards) {
    log.keep(true);
    now = 7;
    take("select tealdeck.fence('x')");
    EXPECT_TRUE(bodies.empty());
    now = 9;
    log.keep(false);
    ASSERT_EQ(bodies.size(), 1U);
    EXPECT_EQ(bodies[0]["ended_us"], 7);
    log.keep(true);
    take("select 2");
    log.close();
    log.keep(false);
    EXPECT_EQ(bodies.size(), 1U);
}

TEST_F(StatementLogTest, whatRepeatsRestsAndIsCounted) {
    for (int i = 0; i < 50; ++i) {
        take("select 1 from marker where token = '" + std::to_string(i) + "'");
    }
    EXPECT_EQ(bodies.size(), 3U);
    take("select 2 from other");
    EXPECT_EQ(bodies.size(), 4U) << "another text has its own pace";
    take("select 1 from marker where token = ''", "57014");
    EXPECT_EQ(bodies.size(), 5U) << "a failure is another thing than a success";
    now += 10'000'000;
    take("select 1 from marker where token = ''");
    ASSERT_EQ(bodies.size(), 6U);
    EXPECT_EQ(bodies.back()["unrecorded"], 47);
}

} // namespace
} // namespace tealdeck
