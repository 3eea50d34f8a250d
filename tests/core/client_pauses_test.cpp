// SPDX-License-Identifier: GPL-3.0-or-later
// Who waited in a switch: as it is stored, told, added up and taken out of a copy.
#include "core/model/client_pauses.h"
#include "core/recording/redact.h"
#include "core/review/measures.h"
#include "core/review/report.h"
#include "tests/core/recording_fixture.h"

#include <gmock/gmock.h>

using namespace tealdeck;
using namespace tealdeck::review;
using testing::HasSubstr;

namespace {

ClientPauses example() {
    ClientPauses pauses{"cutover", "pooler-1", 5, {}};
    pauses.groups.push_back({"shop_app", "shop", "checkout", "10.0.0.7", 4, 141.6});
    pauses.groups.push_back({"shop_app", "shop", "", "10.0.0.8", 1, 12});
    return pauses;
}

Event eventOf(std::uint64_t seq, EventKind kind, Json body) {
    return {seq, static_cast<std::int64_t>(seq) * 1000, 0, kind, "engine", std::move(body)};
}

Event switchOf(std::uint64_t seq) {
    SwitchReport report;
    report.direction = "cutover";
    report.ok = true;
    report.pauseMs = 150;
    report.partsMs = {{"pause", 10}, {"fence", 90}, {"receive", 20}, {"open", 5}, {"resume", 25}};
    return eventOf(seq, EventKind::Switch, toJson(report));
}

TEST(ClientPauses, SurviveJsonAndBadBodiesSayNothing) {
    const ClientPauses back = clientPausesFromJson(toJson(example()));
    ASSERT_EQ(back.groups.size(), 2U);
    EXPECT_EQ(back.waiting, 5);
    EXPECT_EQ(back.groups[0].application, "checkout");
    EXPECT_EQ(back.groups[0].clients, 4);
    EXPECT_DOUBLE_EQ(back.groups[0].longestMs, 141.6);
    for (const char* text : {R"({"groups": 7})", R"({"groups": [7, null, {"clients": "x"}]})", R"({"waiting": "many"})"}) {
        const ClientPauses bad = clientPausesFromJson(*parseJson(text));
        EXPECT_EQ(bad.waiting, 0) << text;
    }
    ClientPauses crowd = example();
    crowd.groups.resize(500);
    EXPECT_EQ(clientPausesFromJson(toJson(crowd)).groups.size(), 50U);
}

TEST(ClientPauses, ReadAsOneLineOfPlainText) {
    EXPECT_EQ(clientPausesText(example()), "5 clients waited at pooler-1, the longest 142 ms");
    EXPECT_EQ(clientPausesText({"cutover", "pooler-1", 0, {}}), "no client waited at pooler-1");
    EXPECT_EQ(clientGroupName(example().groups[0]), "shop_app · shop · checkout · 10.0.0.7");
    EXPECT_EQ(clientGroupName(example().groups[1]), "shop_app · shop · 10.0.0.8");
    EXPECT_EQ(clientGroupName({}), "unnamed");
    EXPECT_EQ(clientGroupName({"a\nb", "", "", "", 1, 0}).find('\n'), std::string::npos);
    EXPECT_EQ(describe(eventOf(1, EventKind::Clients, toJson(example()))), "cutover: 5 clients waited at pooler-1, the longest 142 ms");
}

TEST(ClientPauses, BelongToTheSwitchThatTheyPrecede) {
    MeasuresBuilder builder;
    builder.apply(eventOf(1, EventKind::Session, Json::object()));
    builder.apply(eventOf(2, EventKind::Clients, toJson(example())));
    builder.apply(switchOf(3));
    builder.apply(switchOf(4));
    // An engine that died in its switch: its end was never told, and the next one is another's.
    builder.apply(eventOf(5, EventKind::Clients, toJson(example())));
    builder.apply(eventOf(6, EventKind::Session, Json::object()));
    builder.apply(switchOf(7));
    const Measures m = builder.done();
    ASSERT_EQ(m.switches.size(), 3U);
    ASSERT_EQ(m.switches[0].waited.size(), 1U);
    EXPECT_EQ(m.switches[0].waited[0].waiting, 5);
    EXPECT_TRUE(m.switches[1].waited.empty());
    EXPECT_TRUE(m.switches[2].waited.empty());
    const auto sides = pauseBySide(m.switches[0].report);
    ASSERT_EQ(sides.size(), 3U);
    EXPECT_EQ(sides[0], std::pair(std::string("on BLUE"), 100.0));
    EXPECT_EQ(sides[1], std::pair(std::string("on GREEN"), 25.0));
    EXPECT_EQ(sides[2], std::pair(std::string("at the endpoints"), 25.0));
    ReportData data;
    data.measures = m;
    const std::string report = toMarkdown(makeReport(data));
    EXPECT_THAT(report, HasSubstr("Who waited"));
    EXPECT_THAT(report, HasSubstr("checkout"));
    EXPECT_THAT(report, HasSubstr("100.0 ms on BLUE, 25.0 ms on GREEN, 25.0 ms at the endpoints"));
    EXPECT_THAT(reportCsv(data), HasSubstr("shop_app · shop · checkout · 10.0.0.7"));
    SwitchReport back = m.switches[0].report;
    back.direction = "rollback";
    EXPECT_EQ(pauseBySide(back)[0], std::pair(std::string("on GREEN"), 100.0));
}

} // namespace
