// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/traffic/write_router.h"

#include <map>

namespace tealdeck {

/// Entries of a libpq connection service file: host and port of the plan's services. Clients read it when they connect. The file is
/// replaced in one step and keeps its owner and mode, and every byte that is not one of those values.
class ServiceFileRouter : public WriteRouter {
  public:
    explicit ServiceFileRouter(ServiceFilePlan instance) : m_instance(std::move(instance)) {}
    [[nodiscard]] const std::string& name() const override { return m_instance.name; }
    [[nodiscard]] std::string what() const override;
    Result<std::optional<Side>> target(Millis limit) override;
    std::vector<std::string> obstacles(Millis limit) override;
    std::vector<std::string> weaknesses(Millis limit) override;
    Status shift(Side to, Millis limit) override;
    /// Host and port of each service, not the file: others may edit the rest of it meanwhile.
    Result<Json> save(Millis limit) override;
    Status restore(const Json& saved, Millis limit) override;
    Result<std::optional<RouterEndpoint>> endpoint(Millis limit) override;

  private:
    using Values = std::map<std::string, std::optional<std::string>>;
    [[nodiscard]] Result<std::string> text() const;
    [[nodiscard]] Result<std::map<std::string, std::string>> service(const std::string& text, const std::string& service) const;
    Status rewrite(const std::map<std::string, Values>& services) const;
    [[nodiscard]] Error named(Error error) const;

    ServiceFilePlan m_instance;
};

} // namespace tealdeck
