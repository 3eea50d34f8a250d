// SPDX-License-Identifier: GPL-3.0-or-later
// The hub and its recording: what is sealed when, and going on after a crash.
#include "core/engine/hub.h"
#include "tests/core/recording_fixture.h"

using namespace tealdeck;
using namespace tealdeck::testing_recording;

namespace {

struct TestClock final : Clock {
    std::int64_t now = 0;
    [[nodiscard]] std::int64_t steadyUs() const override { return now; }
    [[nodiscard]] std::int64_t wallUs() const override { return 1'700'000'000'000'000 + now; }
};

struct Heard {
    std::vector<Event> events;
    [[nodiscard]] std::size_t seals() const {
        return static_cast<std::size_t>(
            std::count_if(events.begin(), events.end(), [](const Event& e) { return e.kind == EventKind::Seal; }));
    }
};

void listen(EventHub& hub, Heard& heard) {
    hub.setListener([&heard](const Event& event) { heard.events.push_back(event); });
}

Status sample(EventHub& hub, double lag) {
    return hub.publish(EventKind::Metrics, {{"values", {{"lag", lag}}}});
}

TEST(Hub, seals_each_move_of_the_phase_and_each_minute) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    TestClock clock;
    EventHub hub(RecordingWriter::create(path, META).value(), clock);
    Heard heard;
    listen(hub, heard);
    ASSERT_TRUE(hub.publish(EventKind::Phase, {{"phase", "replicate"}, {"reason", "x"}}).ok());
    ASSERT_EQ(heard.events.size(), 2U);
    EXPECT_EQ(heard.events[1].kind, EventKind::Seal);
    EXPECT_EQ(countRecords(path), 2U) << "both are on disk";
    for (int second = 0; second < 130; ++second) {
        clock.now += 1'000'000;
        ASSERT_TRUE(sample(hub, second / 10.0).ok());
    }
    EXPECT_EQ(heard.seals(), 3U);
    // In a switch a keyframe waits, the seals of its phases do not.
    ASSERT_TRUE(hub.publish(EventKind::Phase, {{"phase", "cutover"}, {"reason", "x"}}).ok());
    clock.now += 100'000'000;
    ASSERT_TRUE(sample(hub, 1).ok());
    EXPECT_EQ(heard.seals(), 4U);
    ASSERT_TRUE(hub.publish(EventKind::Phase, {{"phase", "observe"}, {"reason", "x"}}).ok());
    ASSERT_TRUE(sample(hub, 2).ok());
    EXPECT_EQ(heard.seals(), 6U);
    for (std::size_t i = 0; i < heard.events.size(); ++i) {
        EXPECT_EQ(heard.events[i].seq, i + 1) << "listeners hear every number";
    }
    ASSERT_TRUE(hub.closeRecording().ok());
    EXPECT_TRUE(verified(path).ok) << verified(path).reason;
}

TEST(Hub, an_event_that_cannot_be_recorded_takes_no_number) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    TestClock clock;
    EventHub hub(RecordingWriter::create(path, META).value(), clock);
    Heard heard;
    listen(hub, heard);
    ASSERT_TRUE(hub.publish(EventKind::Note, {{"text", "before"}}).ok());
    Json deep = Json::object();
    for (int i = 0; i < 70; ++i) {
        deep = {{"in", deep}};
    }
    const Status refused = hub.publish(EventKind::Intent, deep);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, Error::Kind::Internal);
    EXPECT_FALSE(hub.publish(EventKind::Phase, Json::array()).ok()) << "no object";
    ASSERT_TRUE(hub.publish(EventKind::Phase, {{"phase", "replicate"}, {"reason", "x"}}).ok()) << "and the next is recorded";
    for (std::size_t i = 0; i < heard.events.size(); ++i) {
        EXPECT_EQ(heard.events[i].seq, i + 1);
    }
    EXPECT_NE(heard.events[1].body.dump().find("is missing here"), std::string::npos) << heard.events[1].body;
    EXPECT_EQ(hub.snapshot().phase, Phase::Replicate);
    ASSERT_TRUE(hub.closeRecording().ok());
    ASSERT_TRUE(hub.publish(EventKind::Note, {{"text", "after the end"}}).error().kind == Error::Kind::Conflict);
    EXPECT_EQ(heard.events.back().body["text"], "after the end") << "still shown";
    EXPECT_TRUE(verified(path).ok) << verified(path).reason;
}

TEST(Hub, goes_on_where_an_earlier_life_ended) {
    const Folder folder;
    const auto path = folder.path / "a.teal";
    TestClock clock;
    Snapshot before;
    {
        EventHub hub(RecordingWriter::create(path, META).value(), clock);
        for (int second = 0; second < 200; ++second) {
            clock.now += 1'000'000;
            ASSERT_TRUE(sample(hub, second / 8.0).ok());
        }
        ASSERT_TRUE(hub.publish(EventKind::Phase, {{"phase", "validate"}, {"reason", "x"}}).ok());
        before = hub.snapshot();
    }
    EventHub hub(RecordingWriter::reopen(path).value(), clock);
    auto reader = RecordingReader::open(path);
    ASSERT_TRUE(reader.ok());
    auto snapshot = (*reader)->snapshotAfter((*reader)->info()->records);
    ASSERT_TRUE(snapshot.ok()) << snapshot.error().text();
    hub.restore(*snapshot, (*reader)->all().valueOr({}));
    EXPECT_EQ(toJson(hub.snapshot()), toJson(before));
    Heard heard;
    listen(hub, heard);
    clock.now += 1'000'000;
    ASSERT_TRUE(hub.publish(EventKind::Note, {{"text", "again"}}).ok());
    EXPECT_EQ(heard.events[0].seq, before.seq + 1);
    std::vector<Event> history;
    hub.attach([&](const Snapshot&, std::vector<Event> recent) { history = std::move(recent); });
    EXPECT_TRUE(std::none_of(history.begin(), history.end(), [](const Event& e) { return e.kind == EventKind::Seal; }));
    EXPECT_EQ(history.size(), 202U);
}

} // namespace
