// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/ramp_watch.h"
#include "core/metrics/read_probe.h"

#include <gtest/gtest.h>

using namespace tealdeck;

namespace {

constexpr std::int64_t SECOND = 1'000'000;

/// A ramp at 50 %, with everything measured at this time and well.
Snapshot well(std::int64_t nowUs) {
    Snapshot s;
    s.phase = Phase::Ramp;
    s.traffic.readsGreenTarget = 50;
    for (const auto& [name, value] : std::map<std::string, double>{{"lag_seconds.forward", 0.1},
                                                                   {"read_p95_ms.blue", 4},
                                                                   {"read_p95_ms.green", 6},
                                                                   {"read_errors_percent.blue", 0},
                                                                   {"read_errors_percent.green", 0.5},
                                                                   {"read_probe_failures", 0},
                                                                   {"sampler_ms", 3}}) {
        s.metrics[name] = {value, nowUs};
    }
    return s;
}

ReadsVerdict judged(const std::string& name, std::optional<double> value, std::int64_t ageUs = 0) {
    Snapshot s = well(100 * SECOND);
    s.metrics[name] = {value, 100 * SECOND - ageUs};
    return judgeReads(s, RampPlan{}, 100 * SECOND);
}

TEST(RampWatch, unknown_lag_is_a_breach_and_unknown_latency_is_not) {
    using Kind = ReadsVerdict::Kind;
    EXPECT_EQ(judgeReads(well(SECOND), RampPlan{}, SECOND).kind, Kind::Fine);
    EXPECT_EQ(judged("lag_seconds.forward", std::nullopt).kind, Kind::Stale);
    EXPECT_EQ(judged("lag_seconds.forward", 0.1, 11 * SECOND).kind, Kind::Stale) << "an old value is no value";
    EXPECT_EQ(judged("lag_seconds.forward", 1.5).kind, Kind::Stale);
    EXPECT_EQ(judged("read_p95_ms.green", std::nullopt).kind, Kind::Fine);
    EXPECT_EQ(judged("read_p95_ms.green", 8).kind, Kind::Fine) << "a few milliseconds are noise, whatever the ratio";
    EXPECT_EQ(judged("read_p95_ms.green", 13).kind, Kind::Bad);
    EXPECT_EQ(judged("read_errors_percent.green", 1.5).kind, Kind::Bad);
    EXPECT_EQ(judged("read_probe_failures", 6).kind, Kind::Bad);
    EXPECT_NE(judged("lag_seconds.forward", 1.5).reason.find("1.5 s behind"), std::string::npos);
}

TEST(RampWatch, three_breaches_in_a_row_step_back_and_one_does_not) {
    const RampPlan plan;
    RampWatch watch;
    const auto look = [&](int at, const std::string& name, double value) {
        Snapshot s = well(at * SECOND);
        s.metrics[name].value = value;
        return watch.look(s, plan, at * SECOND);
    };
    EXPECT_FALSE(look(1, "read_p95_ms.green", 50));
    EXPECT_FALSE(look(2, "read_p95_ms.green", 50));
    EXPECT_FALSE(look(2, "read_p95_ms.green", 50)) << "the same sample again";
    EXPECT_FALSE(look(3, "read_p95_ms.green", 5));
    EXPECT_FALSE(look(4, "read_p95_ms.green", 50));
    EXPECT_FALSE(look(5, "read_p95_ms.green", 50));
    const auto slow = look(6, "read_p95_ms.green", 50);
    ASSERT_TRUE(slow.has_value());
    EXPECT_EQ(slow->percent, 20) << "the step before 50";
    EXPECT_TRUE(slow->held);
    EXPECT_FALSE(slow->reason.empty());
    EXPECT_FALSE(look(7, "lag_seconds.forward", 9));
    EXPECT_FALSE(look(8, "lag_seconds.forward", 9));
    const auto stale = look(9, "lag_seconds.forward", 9);
    ASSERT_TRUE(stale.has_value());
    EXPECT_EQ(stale->percent, 0) << "what is stale is read nowhere";
    EXPECT_FALSE(stale->held) << "and comes again when it is fresh";
}

TEST(RampWatch, only_a_ramp_is_watched) {
    RampWatch watch;
    for (const Phase phase : {Phase::Validate, Phase::Cutover, Phase::Observe}) {
        for (int i = 1; i < 10; ++i) {
            Snapshot s = well(i * SECOND);
            s.phase = phase;
            s.metrics["lag_seconds.forward"].value = 99;
            EXPECT_FALSE(watch.look(s, RampPlan{}, i * SECOND));
        }
    }
    EXPECT_EQ(stepBelow(RampPlan{}, 100), 50);
    EXPECT_EQ(stepBelow(RampPlan{}, 35), 20);
    EXPECT_EQ(stepBelow(RampPlan{}, 10), 0);
    EXPECT_EQ(stepBelow(RampPlan{}, 0), 0);
}

TEST(ReadTimes, a_percentile_needs_enough_values_and_forgets_old_ones) {
    ReadTimes times;
    for (int i = 1; i < 10; ++i) {
        times.add(i);
    }
    EXPECT_FALSE(times.percentile(50));
    times.add(10);
    EXPECT_EQ(times.percentile(50), 5);
    EXPECT_EQ(times.percentile(95), 10);
    for (int i = 0; i < 200; ++i) {
        times.add(1000);
    }
    EXPECT_EQ(times.percentile(1), 1000);
    EXPECT_EQ(times.size(), ReadTimes::KEPT);
}

} // namespace
