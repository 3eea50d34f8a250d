// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/metrics/read_probe.h"

#include "core/traffic/write_router.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tealdeck {
namespace {

constexpr Millis LOOK_LIMIT{1000};
constexpr Millis SESSION_LIMIT{900}; // a log-in with TLS and SCRAM on a busy machine
constexpr int SESSIONS_A_LOOK = 2;   // between two heartbeats: more of them would make the heartbeat late
constexpr std::int64_t COUNTED_US = 60'000'000;

Json orNull(const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
}

} // namespace

void ReadTimes::add(double ms) {
    m_ms.push_back(ms);
    if (m_ms.size() > KEPT) {
        m_ms.pop_front();
    }
}

std::optional<double> ReadTimes::percentile(double percent) const {
    if (m_ms.size() < LEAST) {
        return std::nullopt;
    }
    std::vector<double> sorted(m_ms.begin(), m_ms.end());
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

ReadProbe::ReadProbe(const Plan& plan) : m_plan(plan) {
    for (const HaproxyPlan& balancer : plan.haproxies) {
        m_balancers.push_back(std::make_unique<Haproxy>(balancer));
    }
}

void ReadProbe::forget() {
    m_times.clear();
    m_answered.clear();
    m_counts.clear();
    m_failures = 0;
}

const std::string& ReadProbe::identity(Side side, const Deadline& deadline) {
    std::string& known = m_identities[side];
    if (known.empty()) {
        const Endpoint& primary = m_plan.side(side).primary;
        known = identityThrough(primary, primary.database, {primary.host, "", primary.port}, deadline.left()).valueOr("");
    }
    return known;
}

void ReadProbe::read(const HaproxyPlan& balancer, const Deadline& deadline) {
    const auto begin = std::chrono::steady_clock::now();
    const Result<std::string> found = identityThrough(m_plan.blue.primary, m_plan.controlDatabase(), {balancer.host, "", balancer.port},
                                                      std::min(SESSION_LIMIT, deadline.left()));
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    if (!found) {
        ++m_failures;
        return;
    }
    m_failures = 0; // somebody answered
    for (const Side side : {Side::Blue, Side::Green}) {
        if (*found == identity(side, deadline)) {
            m_times[side].add(ms);
            m_answered.push_back(side);
            if (m_answered.size() > ReadTimes::KEPT) {
                m_answered.pop_front();
            }
            return;
        }
    }
}

void ReadProbe::count(std::int64_t nowUs, Json& values) {
    Count now{nowUs, {}, {}};
    for (const auto& balancer : m_balancers) {
        const Result<HaproxyStatus> status = balancer->status(SESSION_LIMIT);
        for (std::size_t i = 0; status.ok() && i < status->servers.size(); ++i) {
            now.sessions[status->servers[i].side] += status->servers[i].totalSessions;
            now.failures[status->servers[i].side] += status->servers[i].failures;
        }
    }
    // A balancer that was restarted, or does not answer, counts from its own zero.
    if (!m_counts.empty() && (now.sessions[Side::Blue] < m_counts.back().sessions[Side::Blue] ||
                              now.sessions[Side::Green] < m_counts.back().sessions[Side::Green])) {
        m_counts.clear();
    }
    m_counts.push_back(now);
    while (m_counts.size() > 2 && nowUs - m_counts.front().atUs > COUNTED_US) {
        m_counts.pop_front();
    }
    for (const Side side : {Side::Blue, Side::Green}) {
        const auto sessions = static_cast<double>(now.sessions[side] - m_counts.front().sessions[side]);
        const auto failures = static_cast<double>(now.failures[side] - m_counts.front().failures[side]);
        values[std::string("read_errors_percent.") + sideName(side)] = sessions > 0 ? Json(100.0 * failures / sessions) : Json(nullptr);
    }
}

void ReadProbe::look(double target, std::int64_t nowUs, Json& values) {
    if (target != m_target) {
        m_target = target;
        forget(); // what was measured at another share says nothing about this one
    }
    if (target <= 0 || m_balancers.empty()) {
        return;
    }
    const Deadline deadline(LOOK_LIMIT);
    for (int i = 0; i < SESSIONS_A_LOOK && !deadline.passed(); ++i) {
        const HaproxyPlan& balancer = m_balancers[static_cast<std::size_t>(i) % m_balancers.size()]->instance();
        if (!balancer.host.empty() && balancer.port != 0) {
            read(balancer, deadline);
        }
    }
    for (const Side side : {Side::Blue, Side::Green}) {
        for (const auto& [name, percent] :
             {std::pair<const char*, double>{"read_p50_ms.", 50}, {"read_p95_ms.", 95}, {"read_p99_ms.", 99}}) {
            values[std::string(name) + sideName(side)] = orNull(m_times[side].percentile(percent));
        }
    }
    const auto green = static_cast<double>(std::count(m_answered.begin(), m_answered.end(), Side::Green));
    values["read_probe_green_percent"] =
        m_answered.size() < ReadTimes::LEAST ? Json(nullptr) : Json(100.0 * green / static_cast<double>(m_answered.size()));
    values["read_probe_failures"] = m_failures;
    count(nowUs, values);
}

} // namespace tealdeck
