// SPDX-License-Identifier: GPL-3.0-or-later
// Events, text, series and the fold: properties on random input, with printed seeds.
#include "core/model/command.h"
#include "core/model/series.h"
#include "core/model/snapshot.h"
#include "core/util/text.h"
#include "tests/core/random_events.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <tuple>

using namespace tealdeck;
using namespace tealdeck::testing_random;

namespace {

TEST(PlainText, makes_what_is_hidden_visible) {
    EXPECT_EQ(plainText("table \"a\" <b>"), "table \"a\" <b>");
    EXPECT_EQ(plainText("a\nb\tc\r"), "a\\nb\\tc\\r");
    EXPECT_EQ(plainText(std::string_view("a\0b\x1b[31m", 8)), "a\\u{0}b\\u{1B}[31m");
    EXPECT_EQ(plainText("x\u202Ey\u2066z\u200B"), "x\\u{202E}y\\u{2066}z\\u{200B}");
    EXPECT_EQ(plainText("\xff"
                        "a\xC0\xAF\xED\xA0\x80"),
              "\uFFFDa\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(plainText("\xE2\x82"), "\uFFFD");
    EXPECT_EQ(plainText("größe €😀"), "größe €😀");
    EXPECT_EQ(plainText("abcdef", 4), "abc…");
    EXPECT_EQ(plainText("abcd", 4), "abcd");
    EXPECT_EQ(plainText("abcd", 0), "");
}

TEST(PlainText, is_short_valid_and_harmless_for_any_bytes) {
    Random random(seedOfThisRun());
    for (int i = 0; i < 5000; ++i) {
        std::string bytes(random() % 80, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random());
        }
        const std::size_t max = random() % 60;
        const std::string text = plainText(bytes, max);
        ASSERT_TRUE(isUtf8(text));
        ASSERT_EQ(plainText(text, 1000), text) << "nothing is left to escape";
        const auto characters =
            std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
        ASSERT_LE(static_cast<std::size_t>(characters), max);
    }
}

TEST(EventText, goes_through_json_and_describes_every_kind_in_one_line) {
    Random random(seedOfThisRun());
    for (std::uint64_t seq = 1; seq <= 3000; ++seq) {
        const Event event = randomEvent(random, seq);
        const auto back = eventFromJson(toJson(event));
        ASSERT_TRUE(back);
        ASSERT_EQ(toJson(*back), toJson(event));
        const std::string line = describe(event);
        ASSERT_EQ(plainText(line, 10'000), line) << "control characters reach the reader";
        ASSERT_FALSE(line.empty()) << eventKindName(event.kind);
    }
}

TEST(EventText, keeps_the_numbers_of_kinds_and_their_names) {
    for (int number = 1; number <= 27; ++number) {
        const auto kind = eventKindFromNumber(number);
        if (number == 24 || number == 25) {
            continue; // reserved
        }
        ASSERT_TRUE(kind) << number;
        EXPECT_EQ(static_cast<int>(*kind), number);
        EXPECT_EQ(eventKindFromName(eventKindName(*kind)), kind);
    }
    EXPECT_FALSE(eventKindFromNumber(0));
    EXPECT_FALSE(eventKindFromNumber(40));
    EXPECT_STREQ(eventKindName(static_cast<EventKind>(99)), "unknown");
    EXPECT_TRUE(isDurableKind(EventKind::Intent));
    EXPECT_TRUE(isDurableKind(EventKind::Operator));
    EXPECT_FALSE(isDurableKind(EventKind::Metrics));
    EXPECT_TRUE(isDurableKind(static_cast<EventKind>(99))) << "what is not known is kept safe";
}

TEST(EventText, refuses_what_has_not_the_shape_of_an_event) {
    const Json good = toJson(Event{1, 2, 3, EventKind::Note, "anna", {{"text", "x"}}});
    ASSERT_TRUE(eventFromJson(good));
    for (const auto& [key, bad] : std::vector<std::pair<const char*, Json>>{{"seq", -1},
                                                                            {"seq", "1"},
                                                                            {"seq", 1.5},
                                                                            {"seq", 18446744073709551615ULL},
                                                                            {"t_us", nullptr},
                                                                            {"wall_us", 9223372036854775808ULL},
                                                                            {"kind", nullptr},
                                                                            {"kind", -5},
                                                                            {"kind", 5'000'000'000LL},
                                                                            {"actor", 7},
                                                                            {"body", "text"},
                                                                            {"body", Json::array()}}) {
        Json json = good;
        json[key] = bad;
        EXPECT_FALSE(eventFromJson(json)) << key << " " << bad;
        json.erase(key);
        EXPECT_FALSE(eventFromJson(json)) << "without " << key;
    }
    Json newer = good;
    newer["kind"] = 77;
    EXPECT_EQ(toJson(*eventFromJson(newer)), newer) << "a newer kind passes through unchanged";
    EXPECT_FALSE(eventFromJson(Json()));
}

TEST(CommandText, goes_through_json_and_refuses_other_shapes) {
    const Command command{CommandKind::Ramp, {{"percent", 50}}, 17, "anna"};
    const Json json = toJson(command);
    ASSERT_TRUE(commandFromJson(json));
    EXPECT_EQ(toJson(*commandFromJson(json)), json);
    for (const auto& [key, bad] :
         std::vector<std::pair<const char*, Json>>{{"kind", "explode"}, {"kind", 3}, {"args", "x"}, {"based_on", -1}, {"based_on", "17"}}) {
        Json other = json;
        other[key] = bad;
        EXPECT_FALSE(commandFromJson(other)) << key << " " << bad;
    }
}

TEST(JsonLimits, hold_against_depth_and_range) {
    EXPECT_FALSE(parseJson(std::string(100'000, '[')));
    EXPECT_FALSE(parseJson(std::string(65, '[') + std::string(65, ']')));
    EXPECT_TRUE(parseJson(std::string(64, '[') + std::string(64, ']')));
    EXPECT_TRUE(parseJson("\"" + std::string(1000, '[') + "\\\"[[\""));
    const Json json{{"big", 1e300}, {"negative", -1}, {"long", 5'000'000'000LL}, {"fine", 7}, {"float", 7.9}};
    EXPECT_EQ(member<int>(json, "big", 3), 3);
    EXPECT_EQ(member<unsigned>(json, "negative", 3U), 3U);
    EXPECT_EQ(member<int>(json, "long", 3), 3);
    EXPECT_EQ(member<int>(json, "fine", 3), 7);
    EXPECT_EQ(member<int>(json, "float", 3), 7);
}

/// Field by field: what toJson leaves out would not be missed by comparing JSON.
void expectSame(const Snapshot& a, const Snapshot& b) {
    EXPECT_EQ(std::tie(a.seq, a.gateSeq, a.steadyUs, a.wallUs, a.phase, a.phaseReason, a.phaseSinceUs, a.pastPointOfNoReturn, a.busyWith,
                       a.blueFence, a.greenFence, a.rollbackUntilWallUs, a.rollbackReadiness),
              std::tie(b.seq, b.gateSeq, b.steadyUs, b.wallUs, b.phase, b.phaseReason, b.phaseSinceUs, b.pastPointOfNoReturn, b.busyWith,
                       b.blueFence, b.greenFence, b.rollbackUntilWallUs, b.rollbackReadiness));
    EXPECT_EQ(a.checks.size(), b.checks.size());
    EXPECT_EQ(a.steps.size(), b.steps.size());
    EXPECT_EQ(a.alarms.size(), b.alarms.size());
    EXPECT_EQ(a.switches.size(), b.switches.size());
    EXPECT_EQ(a.metrics.size(), b.metrics.size());
    for (int command = 0; command <= static_cast<int>(CommandKind::Note); ++command) {
        EXPECT_EQ(whyNot(a, static_cast<CommandKind>(command), a.steadyUs), whyNot(b, static_cast<CommandKind>(command), b.steadyUs));
    }
}

/// What Series promises, asked of the samples one by one.
void checkColumns(const Series& series, std::int64_t from, std::int64_t to, int wanted) {
    const std::vector<SeriesColumn> columns = series.columns(from, to, wanted);
    ASSERT_LE(columns.size(), static_cast<std::size_t>(std::max(0, wanted)));
    std::size_t next = 0;
    const auto& samples = series.samples();
    while (next < samples.size() && samples[next].timeUs < from) {
        ++next;
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        ASSERT_TRUE(i == 0 || columns[i - 1].timeUs < columns[i].timeUs);
        ASSERT_EQ(columns[i].timeUs, samples[next].timeUs);
        double low = NAN;
        double high = NAN;
        while (next < samples.size() && samples[next].timeUs <= to &&
               (i + 1 == columns.size() || samples[next].timeUs < columns[i + 1].timeUs)) {
            low = std::fmin(low, samples[next].value);
            high = std::fmax(high, samples[next].value);
            ++next;
        }
        ASSERT_TRUE((std::isnan(low) && std::isnan(columns[i].low)) || columns[i].low == low);
        ASSERT_TRUE((std::isnan(high) && std::isnan(columns[i].high)) || columns[i].high == high);
    }
    ASSERT_TRUE(wanted <= 0 || to < from || next == samples.size() || samples[next].timeUs > to) << "samples of the span are in no column";
}

TEST(Series, shows_every_extreme_in_some_column) {
    Random random(seedOfThisRun());
    for (int round = 0; round < 60; ++round) {
        Series series;
        std::int64_t time = static_cast<std::int64_t>(random() % 1000);
        const std::size_t count = random() % 6000;
        const bool twins = round % 2 == 0; // samples of one time; where whole blocks are taken, which of two columns has them is open
        for (std::size_t i = 0; i < count; ++i) {
            series.append(time, random() % 20 == 0 ? NAN : static_cast<double>(random() % 100'000));
            time += static_cast<std::int64_t>(random() % 5) * 100 + (twins ? 0 : 1);
        }
        for (int query = 0; query < 20; ++query) {
            const auto from = static_cast<std::int64_t>(random() % 1'500'000) - 1000;
            const auto to = from + static_cast<std::int64_t>(random() % 1'500'000);
            checkColumns(series, from, to, twins ? 100 + static_cast<int>(random() % 800) : static_cast<int>(random() % 900));
            if (HasFatalFailure()) {
                return;
            }
        }
        checkColumns(series, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 100);
        checkColumns(series, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 1);
    }
}

TEST(Series, takes_whole_blocks_where_a_column_has_very_many_samples) {
    Random random(seedOfThisRun());
    for (const int step : {1, 7, 1000}) {
        Series series;
        std::int64_t time = 0;
        for (int i = 0; i < 300'000; ++i) {
            series.append(time, random() % 20 == 0 ? NAN : static_cast<double>(random() % 100'000));
            time += random() % 3000 == 0 ? step * 20'000 : step; // sometimes nothing comes for a while
        }
        for (int query = 0; query < 12; ++query) {
            const auto from = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(time));
            const int wanted = 1 + static_cast<int>(random() % 300);
            checkColumns(series, from, time, wanted);
            // No sample is drawn further away than an eighth of a column before its own.
            const std::int64_t width = (time - from) / wanted + 1;
            const std::vector<SeriesColumn> columns = series.columns(from, time, wanted);
            for (std::size_t i = 0; i + 1 < columns.size(); ++i) {
                const std::int64_t border = (columns[i].timeUs - from) / width * width + width;
                const Series::Sample* last = series.at(columns[i + 1].timeUs - 1);
                ASSERT_LE(last->timeUs - from, border + width / 8) << "column " << i << " of " << wanted;
            }
        }
        if (HasFatalFailure()) {
            return;
        }
    }
}

TEST(Series, drops_older_times_and_finds_the_sample_before) {
    Series series;
    EXPECT_EQ(series.at(5), nullptr);
    series.append(10, 1);
    series.append(20, 2);
    series.append(15, 9);
    series.append(20, 3);
    EXPECT_EQ(series.samples().size(), 3U);
    EXPECT_EQ(series.at(9), nullptr);
    EXPECT_EQ(series.at(19)->value, 1);
    EXPECT_EQ(series.at(500)->value, 3);
}

TEST(SeriesStore, takes_null_for_unknown) {
    SeriesStore store;
    store.apply({1, 5, 0, EventKind::Metrics, "engine", {{"values", {{"lag", 3}, {"tps", nullptr}}}}});
    store.apply({2, 6, 0, EventKind::Note, "engine", {{"values", {{"lag", 4}}}}});
    store.apply({3, 7, 0, EventKind::Metrics, "engine", {{"values", "nonsense"}}});
    ASSERT_NE(store.find("lag"), nullptr);
    EXPECT_EQ(store.find("lag")->samples().size(), 1U);
    EXPECT_TRUE(std::isnan(store.find("tps")->at(5)->value));
    EXPECT_EQ(store.find("none"), nullptr);
}

TEST(Fold, jumping_to_a_moment_equals_playing_to_it) {
    Random random(seedOfThisRun());
    for (int round = 0; round < 15; ++round) {
        const std::size_t count = 20 + random() % 150;
        const std::size_t keyframeAt = random() % count;
        Snapshot played;
        Snapshot jumped;
        for (std::uint64_t seq = 1; seq <= count; ++seq) {
            const Event event = randomEvent(random, seq);
            if (seq == keyframeAt) {
                const Json keyframe = toJson(played);
                jumped = snapshotFromJson(keyframe);
                ASSERT_EQ(toJson(jumped), keyframe) << "a keyframe loses something";
            }
            if (seq > keyframeAt && keyframeAt > 0) {
                expectSame(jumped, played);
            }
            const Snapshot before = played;
            played = fold(std::move(played), event);
            apply(jumped, event);
            Snapshot again = before;
            apply(again, event);
            ASSERT_EQ(toJson(again), toJson(played)) << "the fold is not pure";
            ASSERT_EQ(toJson(jumped), toJson(played))
                << "round " << round << " event " << seq << " " << eventKindName(event.kind) << " " << event.body;
            ASSERT_EQ(played.seq, seq);
        }
    }
}

} // namespace
