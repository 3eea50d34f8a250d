// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/util/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// A server of the backend that the plan names.
struct BalancerServer {
    std::string name;
    Side side = Side::Blue;
    std::string state;              ///< administrative: "ready", "drain" or "maint"
    std::string status;             ///< what HAProxy shows: "UP", "DOWN 1/2", "MAINT", "DRAIN", "no check", …
    bool running = false;           ///< takes sessions now: ready and not down
    int weight = 0;                 ///< 0–256
    std::int64_t sessions = 0;      ///< current
    std::int64_t totalSessions = 0; ///< since HAProxy's start
    /// Connections to it that failed, since HAProxy's start. Its counts of aborts and response errors are of no use: PostgreSQL over TLS
    /// ends nearly every session so that HAProxy counts one (tried with 2.6).
    std::int64_t failures = 0;
};

struct HaproxyStatus {
    std::vector<BalancerServer> servers; ///< the plan's, blue first
    std::string version;
};

/// The runtime API of one HAProxy, on a Unix socket or over TCP, for one backend (HAProxy management guide, 9.3). One connection a
/// command, each with a deadline.
class HaproxyRuntime {
  public:
    explicit HaproxyRuntime(HaproxyPlan instance) : m_instance(std::move(instance)) {}
    [[nodiscard]] const HaproxyPlan& instance() const { return m_instance; }

    /// The answer as it came.
    Result<std::string> command(const std::string& text, Millis limit) const;
    /// A command whose success is silence.
    Status act(const std::string& text, Millis limit) const;
    /// Conflict when the backend or a server of the plan is not there.
    Result<HaproxyStatus> status(Millis limit) const;
    /// The weight is absolute.
    Status setServer(const std::string& server, const std::string& state, std::optional<int> weight, Millis limit) const;
    Status shutDownSessions(const std::vector<std::string>& servers, Millis limit) const;
    /// Rewrites the plan's state file with the states of all servers, so that a reload or restart keeps them; nothing without one.
    Status keepState(Millis limit) const;
    [[nodiscard]] Error fault(Error::Kind kind, const std::string& what) const;
    /// "/run/haproxy.sock" or "10.0.0.5:9999".
    [[nodiscard]] std::string address() const;

  private:
    HaproxyPlan m_instance;
};

} // namespace tealdeck
