// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/traffic/haproxy.h"
#include "core/util/json.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// The newest times of reads that one side answered, in milliseconds.
class ReadTimes {
  public:
    void add(double ms);
    [[nodiscard]] std::size_t size() const { return m_ms.size(); }
    /// std::nullopt with fewer than LEAST of them: a percentile of three values says nothing.
    [[nodiscard]] std::optional<double> percentile(double percent) const;
    static constexpr std::size_t KEPT = 200;
    static constexpr std::size_t LEAST = 10;

  private:
    std::deque<double> m_ms;
};

/// What readers feel while the reads are shared. Reads itself: some sessions through the balancer's endpoint at each look, told apart by
/// the system identifier that answers, each with one question. And asks the balancers how many sessions their servers failed.
///
/// Metrics: read_p50_ms.SIDE, read_p95_ms.SIDE, read_p99_ms.SIDE (connecting, asking and leaving, of the last 200 of that side; null: too
/// few), read_probe_green_percent (of the last 200 of both), read_probe_failures (sessions in a row that no side answered),
/// read_errors_percent.SIDE (connections of the last minute that failed at the balancers, of the sessions; null: there
/// were none).
class ReadProbe {
  public:
    explicit ReadProbe(const Plan& plan);
    /// Reads only while green has a share (target above 0); else forgets everything. At most a second, also when nobody answers.
    void look(double target, std::int64_t nowUs, Json& values);

  private:
    void read(const HaproxyPlan& balancer, const Deadline& deadline);
    void count(std::int64_t nowUs, Json& values);
    [[nodiscard]] const std::string& identity(Side side, const Deadline& deadline);
    void forget();

    struct Count {
        std::int64_t atUs = 0;
        std::map<Side, std::int64_t> sessions;
        std::map<Side, std::int64_t> failures;
    };
    const Plan& m_plan;
    std::vector<std::unique_ptr<Haproxy>> m_balancers;
    std::map<Side, std::string> m_identities; ///< of the primaries, which their replicas share
    std::map<Side, ReadTimes> m_times;
    std::deque<Side> m_answered; ///< by whom, the newest last
    int m_failures = 0;
    std::deque<Count> m_counts;
    double m_target = 0;
};

} // namespace tealdeck
