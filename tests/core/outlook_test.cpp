// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/outlook.h"

#include <gtest/gtest.h>

namespace tealdeck {
namespace {

constexpr std::int64_t NOW = 1'000'000'000;

class Outlook : public testing::Test {
  protected:
    void SetUp() override {
        snapshot.phase = Phase::Observe;
        snapshot.session.databases = {"shop"};
        snapshot.rollbackUntilWallUs = 7'200'000'000;
        ReplicationState feed;
        feed.database = "shop";
        feed.direction = "reverse";
        feed.state = "streaming";
        feed.slot = "reserved";
        feed.lagBytes = 100;
        feed.lagSeconds = 0.02;
        feed.retainedBytes = 4096;
        feed.sampledUs = NOW;
        snapshot.replication = {feed};
        set("transaction_seconds.green", 0.01);
        set("lag_seconds.reverse", 0.02);
        SwitchReport report;
        report.ok = true;
        report.partsMs = {{"pause", 20}, {"fence", 9}, {"receive", 4}, {"open", 3}, {"resume", 1}};
        snapshot.switches = {report};
    }
    void set(const char* name, std::optional<double> value) { snapshot.metrics[name] = {value, NOW}; }
    [[nodiscard]] RollbackWindow window() const { return rollbackWindow(snapshot, NOW, 3'600'000'000); }

    Snapshot snapshot;
};

TEST_F(Outlook, aPauseIsForetoldFromWhatIsMeasuredAndWhatWasLearned) {
    const PauseForecast forecast = forecastPause(snapshot, CommandKind::Rollback, NOW);
    ASSERT_EQ(forecast.parts.size(), 5U);
    ASSERT_TRUE(forecast.totalMs);
    EXPECT_DOUBLE_EQ(*forecast.totalMs, 20 + 9 + 20 + 3 + 1); // the lag is longer than what receiving took
}

TEST_F(Outlook, theFirstPauseIsForetoldFromCommitsAndAnswers) {
    snapshot.switches.clear();
    set("commit_ms.green", 4);
    set("commit_ms.blue", 3);
    set("pooler_ms.one", 0.5);
    set("pooler_ms.two", 1.5);
    PauseForecast forecast = forecastPause(snapshot, CommandKind::Rollback, NOW);
    ASSERT_TRUE(forecast.totalMs);
    EXPECT_DOUBLE_EQ(*forecast.totalMs, 10 + 2 * 4 + 20 + 3 + 2 * 1.5); // the source fences, the destination opens
    EXPECT_EQ(forecast.parts[1].from, "2 times a commit on GREEN; no switch has shown it yet");
    set("pooler_ms.two", std::nullopt); // it is silent: nobody knows how long it will take
    EXPECT_FALSE(forecastPause(snapshot, CommandKind::Rollback, NOW).totalMs);
    set("pooler_ms.two", 1.5);
    snapshot.session.databases = {"shop", "other"};
    forecast = forecastPause(snapshot, CommandKind::Rollback, NOW);
    EXPECT_DOUBLE_EQ(forecast.parts[3].ms.value_or(0), 2 * 3); // the first opens before the others
}

TEST_F(Outlook, aPauseAboveTheBudgetSaysSo) {
    snapshot.session.pauseBudgetMs = 53;
    EXPECT_FALSE(forecastPause(snapshot, CommandKind::Rollback, NOW).overBudget);
    snapshot.session.pauseBudgetMs = 52;
    EXPECT_TRUE(forecastPause(snapshot, CommandKind::Rollback, NOW).overBudget);
    snapshot.session.pauseBudgetMs = 0; // an older recording does not tell
    EXPECT_FALSE(forecastPause(snapshot, CommandKind::Rollback, NOW).overBudget);
}

TEST_F(Outlook, whatNobodyMeasuredIsUnknown) {
    set("transaction_seconds.green", std::nullopt);
    PauseForecast forecast = forecastPause(snapshot, CommandKind::Rollback, NOW);
    EXPECT_FALSE(forecast.totalMs);
    EXPECT_FALSE(forecast.parts[0].ms);
    EXPECT_TRUE(forecast.parts[1].ms);
    set("transaction_seconds.green", 0);
    snapshot.switches[0].ok = false;
    forecast = forecastPause(snapshot, CommandKind::Rollback, NOW);
    EXPECT_FALSE(forecast.totalMs);
    EXPECT_FALSE(forecast.parts[1].ms);
    // Old numbers are no numbers.
    EXPECT_FALSE(forecastPause(snapshot, CommandKind::Rollback, NOW + 91'000'000).parts[0].ms);
}

TEST_F(Outlook, aLongTransactionHasNoForecast) {
    set("transaction_seconds.green", 42);
    const PauseForecast forecast = forecastPause(snapshot, CommandKind::Rollback, NOW);
    EXPECT_FALSE(forecast.totalMs);
    EXPECT_EQ(forecast.parts[0].from, "a transaction has been open for 42 s, and the pause waits for it");
}

TEST_F(Outlook, theWindowIsOpenWhileTheFeedLives) {
    const RollbackWindow w = window();
    EXPECT_EQ(w.state, RollbackWindow::State::Open);
    EXPECT_DOUBLE_EQ(w.remainingSeconds, 3600);
    EXPECT_DOUBLE_EQ(w.lagBytes.value_or(-1), 100);
    EXPECT_DOUBLE_EQ(w.retainedBytes.value_or(-1), 4096);
    EXPECT_TRUE(w.reasons.empty());
}

TEST_F(Outlook, aDeadFeedBreaksIt) {
    snapshot.replication[0].state = "stopped";
    EXPECT_EQ(window().state, RollbackWindow::State::Broken);
    snapshot.replication[0].state = "streaming";
    snapshot.replication[0].slot = "lost";
    EXPECT_EQ(window().state, RollbackWindow::State::Broken);
    snapshot.replication.clear();
    EXPECT_EQ(window().state, RollbackWindow::State::Broken);
}

TEST_F(Outlook, whatWasNotMeasuredLatelyIsUnknownAndNotOpen) {
    snapshot.replication[0].sampledUs = NOW - 11'000'000;
    EXPECT_EQ(window().state, RollbackWindow::State::Unknown);
}

TEST_F(Outlook, aChangeOfDefinitionsIsNamedBeforeItBreaksTheFeed) {
    set("schema_changes.green", 1);
    EXPECT_EQ(window().state, RollbackWindow::State::Open);
    EXPECT_EQ(window().reasons.size(), 1U);
}

TEST_F(Outlook, thereIsNoWindowWhileBlueIsProduction) {
    snapshot.phase = Phase::Validate;
    EXPECT_EQ(window().state, RollbackWindow::State::None);
}

} // namespace
} // namespace tealdeck
