// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"
#include "app/lab/proxied_connection.h"
#include "core/util/json.h"

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// One link: a listening port, where it leads, and the fault in force.
class ProxyLink {
  public:
    explicit ProxyLink(LabLink link) : m_link(std::move(link)) {}
    ~ProxyLink();
    ProxyLink(const ProxyLink&) = delete;
    ProxyLink& operator=(const ProxyLink&) = delete;

    Status listen();
    /// In force for existing and new connections when it returns.
    Status set(const Fault& fault);
    [[nodiscard]] const std::string& name() const { return m_link.name; }
    [[nodiscard]] Json toJson() const;

    void watch(ProxiedConnection::Time now, std::vector<pollfd>& polled) const;
    /// Reads from `at` on what watch() put there.
    void serve(ProxiedConnection::Time now, const std::vector<pollfd>& polled, std::size_t& at);
    [[nodiscard]] std::optional<ProxiedConnection::Time> nextDue(ProxiedConnection::Time now) const;

  private:
    void acceptOne();
    void endAll(bool withReset);

    LabLink m_link;
    Fault m_fault;
    int m_listener = -1;
    std::list<std::unique_ptr<ProxiedConnection>> m_connections;
};

/// The lab's fault proxy: all links in one process and one thread, told what to do through a Unix socket. A request is one line of JSON:
/// {"link": NAME, "mode": MODE, "ms": N} sets a fault, {} asks; both are answered with {"ok": …, "links": […]} or {"error": …}.
class FaultProxy {
  public:
    /// Listens on every link's port and on the control socket (0600).
    static Result<std::unique_ptr<FaultProxy>> start(const std::vector<LabLink>& links, const std::string& controlSocket);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    /// Serves for at most the given time; call it again and again.
    void serve(Millis atMost);

  private:
    FaultProxy() = default;
    void answerControl();
    Json answer(const std::string& line);

    std::vector<std::unique_ptr<ProxyLink>> m_links;
    std::string m_controlPath;
    int m_control = -1;
};

/// Sends one request to a lab's proxy; Unavailable when it does not answer within 3 s, Invalid when it refuses.
Result<Json> askFaultProxy(const std::string& controlSocket, const Json& request);

} // namespace tealdeck
