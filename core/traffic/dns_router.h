// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/traffic/dns_query.h"
#include "core/traffic/write_router.h"

namespace tealdeck {

/// A DNS record that names the primary's address. Changed by nsupdate in one message (RFC 2136: all or nothing) signed with a TSIG key
/// from a file, and believed only when every server of the zone that the plan names shows it. Clients that have the old answer keep it
/// for up to its TTL; until then they meet the fence.
class DnsRouter : public WriteRouter {
  public:
    explicit DnsRouter(DnsPlan instance) : m_instance(std::move(instance)), m_type(dnsTypeFor(m_instance.blue)) {}
    [[nodiscard]] const std::string& name() const override { return m_instance.name; }
    [[nodiscard]] std::string what() const override;
    Result<std::optional<Side>> target(Millis limit) override;
    std::vector<std::string> obstacles(Millis limit) override;
    std::vector<std::string> weaknesses(Millis limit) override;
    Status shift(Side to, Millis limit) override;
    Result<Json> save(Millis limit) override;
    Status restore(const Json& saved, Millis limit) override;
    Result<std::optional<RouterEndpoint>> endpoint(Millis limit) override;

  private:
    [[nodiscard]] Result<DnsAnswer> ask(const std::string& server, Millis limit) const;
    [[nodiscard]] std::vector<std::string> servers() const;
    /// Replaces the record set, then waits until all servers show it.
    Status replace(const std::vector<std::string>& values, std::int64_t ttl, const Deadline& deadline);
    Status update(const std::string& commands, const Deadline& deadline) const;
    Status waitUntilShown(const std::vector<std::string>& values, const Deadline& deadline) const;

    DnsPlan m_instance;
    DnsType m_type;
};

} // namespace tealdeck
