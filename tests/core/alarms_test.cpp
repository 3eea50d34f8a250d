// SPDX-License-Identifier: GPL-3.0-or-later
// Alarms: raised after their delay and not before, over after theirs, never by not knowing, and put aside only for a time.
#include "core/alarms/alarm_book.h"

#include <gtest/gtest.h>
#include <set>

namespace tealdeck {
namespace {

constexpr std::int64_t SECOND = 1'000'000;
constexpr double MIB = 1024.0 * 1024.0;

/// A deployment in its ramp with everything well, and a clock that only the test moves.
class Alarms : public testing::Test {
  protected:
    void SetUp() override {
        s.phase = Phase::Ramp;
        s.traffic.writesTo = "blue";
        s.traffic.sampledUs = 1;
        feed.database = "shop";
        feed.direction = "forward";
        feed.state = "streaming";
        feed.slot = "reserved";
        feed.lagBytes = 0;
        feed.retainedBytes = 0;
        for (const char* side : {".blue", ".green"}) {
            values[std::string("heartbeat_age") + side] = 0.1;
            values[std::string("xid_age") + side] = 1e6;
            values[std::string("transaction_seconds") + side] = 1;
            values[std::string("wal_bytes") + side] = MIB;
            values[std::string("schema_changes") + side] = 0;
        }
        values["lag_seconds.forward"] = 0.1;
        values["lag_bytes.forward"] = 0;
        values["recording_free_bytes"] = 1e12;
        values["router_up.pooler-1"] = 1;
        values["sampler_ms"] = 5;
    }
    /// Measures everything afresh and looks; changes are kept by name.
    void look(std::int64_t seconds = 1) {
        now += seconds * SECOND;
        wall += seconds * SECOND;
        if (sampling) {
            for (const auto& [name, value] : values) {
                s.metrics[name] = {value, now};
            }
            feed.sampledUs = now;
            s.replication = {feed};
        }
        changes = book.look(s, now, wall);
        for (const AlarmState& a : changes) {
            alarms[a.id] = a;
        }
    }
    void lookFor(int seconds) {
        for (int i = 0; i < seconds; ++i) {
            look();
        }
    }
    bool active(const std::string& id) { return alarms.count(id) > 0 && alarms[id].active; }
    std::set<std::string> allActive() {
        std::set<std::string> ids;
        for (const auto& [id, a] : alarms) {
            if (a.active) {
                ids.insert(id);
            }
        }
        return ids;
    }

    AlarmLimits limits{{}, 1, true};
    AlarmBook book{limits};
    Snapshot s;
    ReplicationState feed;
    std::map<std::string, std::optional<double>> values;
    bool sampling = true;
    std::int64_t now = 1000 * SECOND;
    std::int64_t wall = 1'700'000'000 * SECOND;
    std::vector<AlarmState> changes;
    std::map<std::string, AlarmState> alarms;
};

TEST_F(Alarms, rulesAreCompleteAndOfOneName) {
    std::set<std::string> ids;
    for (const AlarmRule& rule : alarmRules()) {
        EXPECT_TRUE(ids.insert(rule.id).second) << rule.id;
        EXPECT_TRUE(std::set<std::string>({"high", "medium", "low"}).count(rule.priority)) << rule.id;
        EXPECT_GT(std::string(rule.response).size(), 20U) << rule.id;
        EXPECT_EQ(std::string(rule.id).find('/'), std::string::npos);
    }
    EXPECT_GE(ids.size(), 15U);
}

TEST_F(Alarms, nothingIsRaisedWhileAllIsWellOrNothingIsKnown) {
    lookFor(90);
    EXPECT_EQ(allActive(), std::set<std::string>());
    for (auto& [name, value] : values) {
        value.reset();
    }
    feed.slot.clear();
    feed.retainedBytes.reset();
    lookFor(90);
    EXPECT_EQ(allActive(), std::set<std::string>());
}

/// What is planted, and the alarm that has to tell of it within the seconds.
struct Planted {
    const char* id;
    const char* metric;
    double bad;
    double good;
    int onSeconds;
    int offSeconds;
};

class PlantedMetric : public Alarms, public testing::WithParamInterface<Planted> {};

TEST_P(PlantedMetric, isToldAfterItsDelayAndOverAfterItsOther) {
    const Planted p = GetParam();
    lookFor(3);
    values[p.metric] = p.bad;
    lookFor(p.onSeconds); // the first look begins the delay
    EXPECT_FALSE(p.onSeconds > 0 && active(p.id)) << "too early";
    look();
    ASSERT_TRUE(active(p.id));
    EXPECT_FALSE(alarms[p.id].cause.empty());
    EXPECT_FALSE(alarms[p.id].response.empty());
    EXPECT_EQ(allActive(), std::set<std::string>({p.id}));
    values[p.metric] = std::nullopt;
    lookFor(p.offSeconds + 2);
    EXPECT_TRUE(active(p.id)) << "not knowing ends no alarm";
    values[p.metric] = p.good;
    lookFor(p.offSeconds);
    EXPECT_FALSE(p.offSeconds > 0 && !active(p.id)) << "over too early";
    look();
    EXPECT_FALSE(active(p.id));
}

INSTANTIATE_TEST_SUITE_P(All, PlantedMetric,
                         testing::Values(Planted{"side-silent/blue", "heartbeat_age.blue", 9, 0.1, 3, 5},
                                         Planted{"side-silent/green", "heartbeat_age.green", 9, 0.1, 3, 5},
                                         Planted{"wraparound/blue", "xid_age.blue", 1.5e9, 1e6, 0, 60},
                                         Planted{"long-transaction/blue", "transaction_seconds.blue", 301, 1, 0, 30},
                                         Planted{"wal-disk/green", "wal_bytes.green", 20481 * MIB, MIB, 0, 60},
                                         Planted{"lag-high/forward", "lag_seconds.forward", 11, 0.1, 5, 10},
                                         Planted{"recording-disk", "recording_free_bytes", 511 * MIB, 1e12, 0, 30},
                                         Planted{"router-silent/pooler-1", "router_up.pooler-1", 0, 1, 5, 5}),
                         [](const auto& test) {
                             std::string name = test.param.id;
                             std::replace_if(
                                 name.begin(), name.end(), [](char c) { return !isalnum(static_cast<unsigned char>(c)); }, '_');
                             return name;
                         });

TEST_F(Alarms, slotsThatAreLostOrFullAndFeedsThatStop) {
    feed.slot = "lost";
    look();
    EXPECT_TRUE(active("slot-lost/forward/shop"));
    EXPECT_EQ(alarms["slot-lost/forward/shop"].priority, "high");
    feed.slot = "unreserved";
    lookFor(6);
    EXPECT_FALSE(active("slot-lost/forward/shop"));
    EXPECT_TRUE(active("slot-retention/forward/shop"));
    feed.slot = "reserved";
    feed.retainedBytes = 10241 * MIB;
    feed.state = "stopped";
    feed.error = "a duplicate key";
    lookFor(11);
    EXPECT_TRUE(active("slot-retention/forward/shop"));
    ASSERT_TRUE(active("apply-stopped/forward/shop"));
    EXPECT_NE(alarms["apply-stopped/forward/shop"].cause.find("a duplicate key"), std::string::npos);
    // The feed was removed: nothing is wrong with what is not there.
    feed.state = "none";
    lookFor(31);
    EXPECT_EQ(allActive(), std::set<std::string>());
}

TEST_F(Alarms, aFlickerRaisesNothing) {
    for (int i = 0; i < 20; ++i) {
        feed.state = i % 4 == 0 ? "stopped" : "streaming";
        look();
    }
    EXPECT_EQ(allActive(), std::set<std::string>());
}

TEST_F(Alarms, theRampsBoundHoldsWhileReadsAreOnGreen) {
    s.traffic.readsGreenPercent = 20;
    values["lag_seconds.forward"] = 1.5;
    lookFor(7);
    EXPECT_TRUE(active("lag-high/forward"));
}

TEST_F(Alarms, aLagThatGrowsIsATrendAndAPeakIsNone) {
    values["lag_bytes.forward"] = 500 * MIB;
    lookFor(5);
    values["lag_bytes.forward"] = 0;
    lookFor(70);
    EXPECT_FALSE(active("lag-growing/forward"));
    for (int i = 1; i <= 70; ++i) {
        values["lag_bytes.forward"] = i * MIB;
        look();
    }
    EXPECT_TRUE(active("lag-growing/forward"));
}

TEST_F(Alarms, changedDefinitionsStayUntilSomebodyHasSeenThem) {
    lookFor(3);
    values["schema_changes.blue"] = 1;
    look();
    ASSERT_TRUE(active("schema-changed/blue"));
    lookFor(600);
    EXPECT_TRUE(active("schema-changed/blue"));
    ASSERT_TRUE(book.acknowledge("schema-changed/blue", "anna").ok());
    look();
    EXPECT_FALSE(active("schema-changed/blue"));
    // On the side that only follows we make the changes ourselves.
    values["schema_changes.green"] = 4;
    look();
    EXPECT_FALSE(active("schema-changed/green"));
    // A second change is a new alarm that nobody has seen.
    values["schema_changes.blue"] = 2;
    look();
    ASSERT_TRUE(active("schema-changed/blue"));
    EXPECT_EQ(alarms["schema-changed/blue"].acknowledgedBy, "");
}

TEST_F(Alarms, aClockThatIsSetIsToldOnceAndStays) {
    lookFor(3);
    wall += 3600 * SECOND;
    look();
    ASSERT_TRUE(active("clock-jump"));
    EXPECT_NE(alarms["clock-jump"].cause.find("+3600"), std::string::npos) << alarms["clock-jump"].cause;
    lookFor(5);
    EXPECT_TRUE(active("clock-jump"));
}

TEST_F(Alarms, whereWritesGoMustBeKnownOutsideOfASwitch) {
    s.traffic.writesTo = "unknown";
    lookFor(6);
    EXPECT_TRUE(active("writes-unknown"));
    s.traffic.writesTo = "paused";
    lookFor(6);
    EXPECT_TRUE(active("writes-paused"));
    EXPECT_FALSE(active("writes-unknown"));
    s.traffic.writesTo = "green";
    lookFor(4);
    EXPECT_EQ(allActive(), std::set<std::string>());
    s.phase = Phase::Cutover;
    s.traffic.writesTo = "unknown";
    lookFor(10);
    EXPECT_EQ(allActive(), std::set<std::string>()) << "in a switch it is so for a moment";
}

TEST_F(Alarms, aSamplerThatSaysNothingIsToldAndFreezesTheOthers) {
    values["heartbeat_age.blue"] = 9;
    lookFor(5);
    ASSERT_TRUE(active("side-silent/blue"));
    sampling = false;
    lookFor(20);
    EXPECT_TRUE(active("sampler-silent"));
    EXPECT_TRUE(active("side-silent/blue"));
}

TEST_F(Alarms, acknowledgedAndShelvedWithNameReasonAndTime) {
    values["wal_bytes.blue"] = 1e12;
    look();
    ASSERT_TRUE(active("wal-disk/blue"));
    EXPECT_FALSE(book.acknowledge("nothing", "anna").ok());
    const Result<AlarmState> seen = book.acknowledge("wal-disk/blue", "anna");
    ASSERT_TRUE(seen.ok());
    EXPECT_EQ(seen->acknowledgedBy, "anna");
    const Result<AlarmState> shelved = book.shelve("wal-disk/blue", "anna", "archive is being moved", now + 60 * SECOND);
    ASSERT_TRUE(shelved.ok());
    EXPECT_TRUE(isShelved(*shelved, now));
    EXPECT_TRUE(standingAlarms({*shelved}, now).empty());
    lookFor(59);
    EXPECT_TRUE(alarms["wal-disk/blue"].shelvedBy.empty()) << "no news while it lies there";
    alarms["wal-disk/blue"] = *shelved;
    look();
    EXPECT_TRUE(alarms["wal-disk/blue"].shelvedBy.empty());
    EXPECT_TRUE(active("wal-disk/blue"));
    EXPECT_EQ(standingAlarms({alarms["wal-disk/blue"]}, now).size(), 1U);
}

TEST_F(Alarms, thoseOfAnEarlierLifeStandUntilTheyAreSeenToBeOver) {
    AlarmState old{"wal-disk/blue", "medium", "pg_wal", "look", true, 5, "", "", "", 0};
    book.adopt({old});
    values["wal_bytes.blue"] = std::nullopt;
    lookFor(70);
    EXPECT_TRUE(changes.empty());
    values["wal_bytes.blue"] = MIB;
    lookFor(61);
    EXPECT_TRUE(alarms.count("wal-disk/blue") == 1 && !active("wal-disk/blue"));
}

TEST_F(Alarms, endWithTheDeployment) {
    values["wal_bytes.blue"] = 1e12;
    look();
    ASSERT_TRUE(active("wal-disk/blue"));
    s.phase = Phase::Aborted;
    lookFor(61);
    EXPECT_EQ(allActive(), std::set<std::string>());
}

TEST_F(Alarms, standHighBeforeLowAndNewestFirst) {
    const auto make = [](const char* id, const char* priority, std::int64_t since, bool isActive) {
        return AlarmState{id, priority, "", "", isActive, since, "", "", "", 0};
    };
    const auto standing = standingAlarms(
        {make("a", "low", 9, true), make("b", "high", 1, true), make("c", "high", 2, true), make("d", "high", 3, false)}, 10);
    ASSERT_EQ(standing.size(), 3U);
    EXPECT_EQ(standing[0].id, "c");
    EXPECT_EQ(standing[1].id, "b");
    EXPECT_EQ(standing[2].id, "a");
}

} // namespace
} // namespace tealdeck
