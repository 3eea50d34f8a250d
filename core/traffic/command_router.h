// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/traffic/write_router.h"

namespace tealdeck {

/// A program of the operator's that moves the writes. Each call is one run with one JSON object on standard input:
///   action      "target", "check", "shift", "save" or "restore"
///   deployment, router
///   blue, green {"host", "port"}: the primaries as the plan has them
///   from, to    "blue" or "green", with "shift"
///   state       with "restore": what "save" answered
/// It answers with exit code 0 and one JSON object on standard output: "target" with {"target": "blue" | "green" | null}, "save" with
/// {"state": anything}; the others may answer nothing. Any call may come twice. What it does is believed only after "target" says so.
class CommandRouter : public WriteRouter {
  public:
    CommandRouter(RouterCommandPlan instance, const Plan& plan);
    [[nodiscard]] const std::string& name() const override { return m_instance.name; }
    [[nodiscard]] std::string what() const override;
    Result<std::optional<Side>> target(Millis limit) override;
    std::vector<std::string> obstacles(Millis limit) override;
    std::vector<std::string> weaknesses(Millis limit) override;
    Status shift(Side to, Millis limit) override;
    Result<Json> save(Millis limit) override;
    Status restore(const Json& saved, Millis limit) override;
    Result<std::optional<RouterEndpoint>> endpoint(Millis limit) override;
    [[nodiscard]] bool cheap() const override { return false; }

  private:
    /// The program's own limit holds when it is longer than the caller's. An answer that is no JSON object is read as an empty one.
    [[nodiscard]] Result<Json> call(const std::string& action, const Json& more, Millis limit) const;

    RouterCommandPlan m_instance;
    Json m_common;
};

} // namespace tealdeck
