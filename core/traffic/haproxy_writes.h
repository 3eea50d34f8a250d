// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/traffic/haproxy_runtime.h"
#include "core/traffic/write_router.h"

namespace tealdeck {

/// A HAProxy backend with one server for each primary, of which exactly one is ready, and none in the pause. Knows no weights: there is
/// no way to ask it for a share of the writes.
class HaproxyWrites : public WriteRouter {
  public:
    explicit HaproxyWrites(HaproxyPlan instance) : m_runtime(std::move(instance)) {}
    [[nodiscard]] const std::string& name() const override { return m_runtime.instance().name; }
    [[nodiscard]] std::string what() const override;
    Result<std::optional<Side>> target(Millis limit) override;
    std::vector<std::string> obstacles(Millis limit) override;
    std::vector<std::string> weaknesses(Millis limit) override;
    /// Both in maintenance: new clients are refused at once, those inside are left to the fence.
    Status close(Millis limit) override;
    /// The other side into maintenance and its sessions ended, then this one ready.
    Status shift(Side to, Millis limit) override;
    Result<Json> save(Millis limit) override;
    Status restore(const Json& saved, Millis limit) override;
    Result<std::optional<RouterEndpoint>> endpoint(Millis limit) override;

  private:
    [[nodiscard]] const std::vector<std::string>& servers(Side side) const;
    Status maintain(Side side, Millis limit);

    HaproxyRuntime m_runtime;
};

} // namespace tealdeck
