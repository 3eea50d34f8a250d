// SPDX-License-Identifier: GPL-3.0-or-later
// Keyframes and plots: jumping equals playing, and what comes from the tables equals what comes from the records.
#include "core/recording/compact.h"
#include "core/recording/json_delta.h"
#include "core/recording/pack.h"
#include "core/util/text.h"
#include "tests/core/random_events.h"
#include "tests/core/recording_fixture.h"

#include <fmt/format.h>

using namespace tealdeck;
using testing_random::seedOfThisRun;
using testing_recording::change;
using testing_recording::Folder;
using testing_recording::META;
using testing_recording::Random;
using testing_recording::verified;

namespace {

std::int64_t roundedTenths(Random& random) {
    return static_cast<std::int64_t>(random() % 100'000);
}

Event randomMetrics(Random& random, std::uint64_t seq) {
    Event event;
    event.seq = seq;
    event.kind = EventKind::Metrics;
    Json values = Json::object();
    for (const char* name : {"lag_bytes", "lag_seconds", "tps", "conn"}) {
        const std::uint64_t dice = random() % 12;
        values[name] = dice == 0   ? Json(nullptr)
                       : dice == 1 ? Json(static_cast<double>(random()) / 7.0)
                       : dice < 6  ? Json(static_cast<double>(roundedTenths(random)) / 10.0)
                                   : Json(roundedTenths(random));
    }
    event.body = {{"values", values}};
    return event;
}

/// A recording as an engine makes it, with restarts in between; also the events as a reader should give them.
std::vector<Event> writeLikeAnEngine(const std::filesystem::path& path, Random& random, std::uint64_t events, std::uint32_t version,
                                     bool close) {
    std::vector<Event> written;
    auto writer = RecordingWriter::create(path, META, version);
    EXPECT_TRUE(writer.ok());
    std::int64_t time = 0;
    while (written.size() < events) {
        const std::uint64_t seq = written.size() + 1;
        Event event = random() % 2 == 0 ? randomMetrics(random, seq) : testing_random::randomEvent(random, seq);
        if (event.kind == EventKind::Seal || (isDurableKind(event.kind) && random() % 5 != 0)) { // fewer waits for the disk
            event = randomMetrics(random, seq);
        }
        event.steadyUs = time += static_cast<std::int64_t>(random() % 3'000'000) * (random() % 100 == 0 ? 400 : 1);
        Event seal;
        const bool sealed = (*writer)->sealDue() || event.kind == EventKind::Phase;
        EXPECT_TRUE((sealed ? (*writer)->appendSealed(event, seal) : (*writer)->append(event)).ok());
        event.actor = plainText(event.actor);
        written.push_back(event);
        if (seal.seq != 0) {
            written.push_back(seal);
        }
        if (random() % 300 == 0) {
            writer->reset();
            writer = RecordingWriter::reopen(path);
            EXPECT_TRUE(writer.ok()) << writer.error().text();
        }
    }
    EXPECT_TRUE((close ? (*writer)->close() : (*writer)->flush()).ok());
    return written;
}

void expectJumpEqualsPlay(RecordingReader& reader, const std::vector<Event>& events, Random& random) {
    Snapshot played;
    for (const Event& event : events) {
        apply(played, event);
        if (random() % 20 == 0 || event.seq == events.size() || event.kind == EventKind::Seal) {
            const auto jumped = reader.snapshotAfter(event.seq);
            ASSERT_TRUE(jumped.ok()) << event.seq << ": " << jumped.error().text();
            ASSERT_EQ(toJson(*jumped), toJson(played)) << "after record " << event.seq;
        }
    }
}

TEST(RecordingIndex, jumping_equals_playing) {
    Random random(seedOfThisRun());
    for (int round = 0; round < 6; ++round) {
        const Folder folder;
        const auto path = folder.path / "a.teal";
        const auto events = writeLikeAnEngine(path, random, 300 + random() % 1500, round == 5 ? 1 : 2, round % 2 == 0);
        auto reader = RecordingReader::open(path);
        ASSERT_TRUE(reader.ok()) << reader.error().text();
        std::uint64_t count = 0;
        const Status same = (*reader)->read(1, events.size(), [&](const Event& event) {
            EXPECT_EQ(toJson(event), toJson(events[count])) << event.seq;
            return ++count < events.size();
        });
        ASSERT_TRUE(same.ok()) << same.error().text();
        EXPECT_EQ(count, events.size());
        expectJumpEqualsPlay(**reader, events, random);
        const auto report = (*reader)->verify();
        EXPECT_TRUE(report.ok() && report->ok) << report->reason;
        EXPECT_EQ((*reader)->info().valueOr(RecordingInfo()).keyframes > 3, round != 5);
    }
}

TEST(RecordingIndex, a_changed_keyframe_is_seen_and_never_shown) {
    Random random(seedOfThisRun());
    const Folder folder;
    const auto path = folder.path / "a.teal";
    const auto events = writeLikeAnEngine(path, random, 800, 2, true);
    ::chmod(path.c_str(), 0600);
    for (const char* sql : {"UPDATE keyframe SET body=CAST(body||'x' AS BLOB)", "UPDATE keyframe SET base=0 WHERE base<>0",
                            "UPDATE keyframe SET body=x'7b7d' WHERE seq > 100", "DELETE FROM keyframe"}) {
        const auto copy = folder.path / "copy.teal";
        std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
        change(copy, sql);
        EXPECT_FALSE(verified(copy).ok) << sql;
        auto reader = RecordingReader::open(copy);
        ASSERT_TRUE(reader.ok());
        expectJumpEqualsPlay(**reader, events, random);
    }
    change(path, "UPDATE pyramid SET body=(SELECT max(body) FROM pyramid)");
    EXPECT_FALSE(verified(path).ok);
}

using Drawn = std::map<std::string, std::vector<SeriesColumn>>;

void expectSameColumns(const Drawn& drawn, const SeriesStore& store, std::int64_t from, std::int64_t to, int columns, std::int64_t width) {
    for (const auto& [name, series] : store.all()) {
        const std::vector<SeriesColumn> expected = series.columns(from, to, columns);
        const auto found = drawn.find(name);
        ASSERT_EQ(found == drawn.end() ? 0 : found->second.size(), expected.size()) << name;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const SeriesColumn& one = found->second[i];
            EXPECT_EQ((one.timeUs - from) / width, (expected[i].timeUs - from) / width);
            EXPECT_TRUE(one.low == expected[i].low || (std::isnan(one.low) && std::isnan(expected[i].low))) << name << i;
            EXPECT_TRUE(one.high == expected[i].high || (std::isnan(one.high) && std::isnan(expected[i].high))) << name << i;
        }
    }
}

TEST(RecordingIndex, plots_have_the_extremes_of_all_samples) {
    Random random(seedOfThisRun());
    for (int round = 0; round < 4; ++round) {
        const Folder folder;
        const auto path = folder.path / "a.teal";
        const auto events = writeLikeAnEngine(path, random, 1200, round == 3 ? 1 : 2, round % 2 == 0);
        SeriesStore store;
        for (const Event& event : events) {
            store.apply(event);
        }
        auto reader = RecordingReader::open(path);
        ASSERT_TRUE(reader.ok()) << reader.error().text();
        for (const std::int64_t width : {std::int64_t{500'000}, pyramid::BUCKET_US, 5 * pyramid::BUCKET_US}) {
            const std::int64_t from = pyramid::BUCKET_US * static_cast<std::int64_t>(random() % 40);
            const int columns = 40 + static_cast<int>(random() % 200);
            const std::int64_t to = from + columns * width - 1;
            const auto drawn = (*reader)->columns(from, to, columns);
            ASSERT_TRUE(drawn.ok()) << drawn.error().text();
            expectSameColumns(*drawn, store, from, to, columns, width);
        }
        EXPECT_TRUE((*reader)->columns(0, -1, 10)->empty());
        constexpr std::int64_t LEAST = std::numeric_limits<std::int64_t>::min();
        EXPECT_TRUE((*reader)->columns(LEAST, std::numeric_limits<std::int64_t>::max(), 3).ok());
    }
}

TEST(RecordingIndex, samples_are_stored_compactly_and_exactly) {
    Random random(seedOfThisRun());
    MetricsEncoder encoder;
    MetricsDecoder decoder;
    std::size_t stored = 0;
    std::size_t json = 0;
    std::vector<double> state(50);
    for (std::uint64_t seq = 1; seq <= 2000; seq += 1 + random() % 3) {
        Json values = Json::object();
        for (std::size_t i = 0; i < state.size(); ++i) {
            state[i] += i % 2 == 0 ? 0 : static_cast<double>(random() % 100) / 1000.0;
            values[fmt::format("metric.{}", i)] = random() % 50 == 0 ? Json(nullptr) : Json(std::round(state[i] * 1000) / 1000);
        }
        const Json body = {{"values", values}};
        const std::string bytes = encoder.encode(seq, body);
        ASSERT_TRUE(MetricsDecoder::isCompact(bytes));
        const auto back = decoder.decode(seq, bytes);
        ASSERT_TRUE(back);
        ASSERT_EQ(*back, body);
        stored += bytes.size();
        json += dumpJson(body).size();
    }
    EXPECT_LT(stored * 10, json);
    // What is no flat list of values stays as it is.
    for (const Json& other : {Json{{"values", {{"a", "text"}}}}, Json{{"values", 3}}, Json{{"x", 1}}, Json::object(),
                              Json{{"values", {{"a", std::uint64_t{1} << 63}}}}, Json{{"values", {{"a", 1}}}, {"b", 2}}}) {
        EXPECT_EQ(encoder.encode(1, other), dumpJson(other));
    }
}

TEST(RecordingIndex, unsound_samples_are_refused) {
    Random random(seedOfThisRun());
    MetricsEncoder encoder;
    const std::string full = encoder.encode(1, randomMetrics(random, 1).body);
    const std::string difference = encoder.encode(2, randomMetrics(random, 2).body);
    for (int i = 0; i < 20'000; ++i) {
        MetricsDecoder decoder;
        std::string one = full;
        std::string two = difference;
        std::string& hurt = i % 2 == 0 ? one : two;
        hurt[random() % hurt.size()] = static_cast<char>(random());
        hurt.resize(hurt.size() - random() % 3);
        static_cast<void>(decoder.learn(1, one));
        const auto body = decoder.decode(2, two);
        EXPECT_TRUE(!body || body->at("values").is_object());
        static_cast<void>(pyramid::decode(hurt));
    }
}

TEST(RecordingIndex, packed_json_comes_back_and_unsound_bytes_do_not) {
    Random random(seedOfThisRun());
    Snapshot snapshot;
    for (std::uint64_t seq = 1; seq <= 300; ++seq) {
        const Event event = testing_random::randomEvent(random, seq);
        apply(snapshot, event);
        const auto json = parseJson(dumpJson(random() % 4 == 0 ? toJson(snapshot) : toJson(event)));
        ASSERT_TRUE(json);
        std::string bytes = pack(*json);
        const auto back = unpack(bytes);
        ASSERT_TRUE(back);
        ASSERT_EQ(dumpJson(*back), dumpJson(*json));
        for (int i = 0; i < 50; ++i) {
            std::string hurt = bytes;
            hurt[random() % hurt.size()] = static_cast<char>(random());
            hurt.resize(hurt.size() - random() % 2);
            static_cast<void>(unpack(hurt));
        }
    }
    EXPECT_FALSE(unpack(std::string(100'000, '\x08') + std::string(100'000, '\x01')));
    EXPECT_FALSE(unpack(std::string("\x08\xFF\xFF\xFF\x7F", 5)));
    EXPECT_FALSE(unpack(""));
}

TEST(RecordingIndex, deltas_of_json_give_the_other_one) {
    Random random(seedOfThisRun());
    Snapshot a;
    Snapshot b;
    for (std::uint64_t seq = 1; seq <= 400; ++seq) {
        apply(b, testing_random::randomEvent(random, seq));
        const Json delta = jsonDelta(toJson(a), toJson(b));
        const auto patched = jsonPatched(toJson(a), delta);
        ASSERT_TRUE(patched);
        ASSERT_EQ(*patched, toJson(b));
        a = random() % 3 == 0 ? b : a;
    }
    EXPECT_FALSE(jsonPatched(Json::array({1}), Json{{"a", {{"7", {{"v", 1}}}}}}));
    EXPECT_FALSE(jsonPatched(Json::object(), Json{{"r", {"gone"}}, {"o", Json::object()}}));
    EXPECT_FALSE(jsonPatched(Json(3), Json{{"o", Json::object()}}));
}

} // namespace
