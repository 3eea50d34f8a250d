// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/events/event_panel.h"
#include "widgets/models/alarm_model.h"
#include "widgets/models/check_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <gtest/gtest.h>
#include <random>

using namespace tealdeck;

namespace {

using Tester = QAbstractItemModelTester;

CheckState check(int id, std::mt19937& random) {
    CheckState c;
    c.id = "CHK" + std::to_string(id);
    c.family = "f" + std::to_string(id % 3);
    c.question = "question " + std::to_string(id);
    c.severity = static_cast<Severity>(random() % 3);
    c.result = static_cast<CheckResult>(random() % 3);
    c.actual = std::to_string(random() % 5);
    c.validForUs = random() % 2 == 0 ? 0 : 1'000'000;
    return c;
}

} // namespace

TEST(CheckModel, SurvivesAnyUpdate) {
    CheckModel model;
    const Tester tester(&model, Tester::FailureReportingMode::Fatal);
    std::mt19937 random(42);
    for (int round = 0; round < 300; ++round) {
        std::vector<CheckState> checks;
        for (int id = 0; id < 25; ++id) {
            if (random() % 4 != 0) {
                checks.push_back(check(id, random));
            }
        }
        std::shuffle(checks.begin(), checks.end(), random);
        model.update(checks, static_cast<std::int64_t>(random() % 3'000'000));
        ASSERT_EQ(model.rowCount(), static_cast<int>(checks.size()));
        for (int row = 1; row < model.rowCount(); ++row) { // what blocks comes first
            ASSERT_LE(model.index(row - 1, 0).data(CheckModel::StandingRole).toInt(), model.index(row, 0).data(CheckModel::StandingRole).toInt());
        }
    }
}

TEST(CheckModel, AnUnchangedListMovesNothing) {
    CheckModel model;
    std::mt19937 random(1);
    const std::vector<CheckState> checks{check(1, random), check(2, random), check(3, random)};
    model.update(checks, 0);
    const QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    const QSignalSpy moved(&model, &QAbstractItemModel::rowsMoved);
    const QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    model.update(checks, 0);
    EXPECT_EQ(inserted.count() + moved.count() + reset.count(), 0);
}

TEST(CheckModel, StandingNeverFlatters) {
    CheckState c;
    c.result = CheckResult::Unknown;
    EXPECT_EQ(standingOf(c, 0), CheckStanding::Unknown);
    c.result = CheckResult::Pass;
    c.validForUs = 10;
    EXPECT_EQ(standingOf(c, 10), CheckStanding::Passes);
    EXPECT_EQ(standingOf(c, 11), CheckStanding::Stale);
    c.result = CheckResult::Fail;
    c.overrideBy = "anna";
    EXPECT_EQ(standingOf(c, 0), CheckStanding::Overridden);
    c.overrideBy.clear();
    c.severity = Severity::Warning;
    EXPECT_EQ(standingOf(c, 0), CheckStanding::Warns);
}

TEST(AlarmModel, SurvivesAnyUpdate) {
    AlarmModel model;
    const Tester tester(&model, Tester::FailureReportingMode::Fatal);
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<AlarmState> alarms;
        for (int id = 0; id < 12; ++id) {
            if (random() % 3 != 0) {
                alarms.push_back({"a" + std::to_string(id), random() % 2 == 0 ? "high" : "low", "cause", "do", random() % 2 == 0, static_cast<std::int64_t>(random() % 100), "", random() % 4 == 0 ? "anna" : "", "", 900});
            }
        }
        model.update(alarms, 1000);
        ASSERT_EQ(model.rowCount(), static_cast<int>(alarms.size()));
    }
}

TEST(EventModel, AppendsAndForgets) {
    const auto events = test::scriptedUpgrade();
    EventModel live(nullptr, 50);
    EventFilter filter;
    filter.setSourceModel(&live);
    const Tester tester(&live, Tester::FailureReportingMode::Fatal);
    const Tester filtered(&filter, Tester::FailureReportingMode::Fatal);
    filter.setGroup(EventGroup::All);
    filter.setWords(QStringLiteral("replica"));
    for (std::size_t i = 0; i + 10 < events.size(); i += 10) {
        live.append(std::span(events).subspan(i, 10));
        ASSERT_LE(live.rowCount(), 50);
    }
    EXPECT_GT(live.rowCount(), 40);
}

TEST(EventModel, BrokenEventsShowAndNeverCrash) {
    EventModel model;
    std::vector<Event> events;
    for (int kind = -1; kind < 40; ++kind) {
        for (const Json& body : {Json::object(), Json::array(), Json("text"), Json(nullptr), Json{{"values", 3}, {"phase", 7}, {"nodes", "x"}, {"text", Json::array()}}}) {
            events.push_back({events.size() + 1, 0, 0, static_cast<EventKind>(kind), "<i>x</i>", body});
        }
    }
    model.append(events);
    for (int row = 0; row < model.rowCount(); ++row) {
        for (int column = 0; column < model.columnCount(); ++column) {
            EXPECT_TRUE(model.index(row, column).data().isValid());
        }
    }
}
