// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_setup.h"

#include <functional>
#include <mutex>

namespace tealdeck {

/// A lab while it starts: what several threads share. lab.json follows each process at once, so that even a killed
/// `lab up` leaves a list of what to end.
class LabStart {
  public:
    LabStart(LabState& state, HeldPorts& ports, std::map<std::string, std::string> passwords)
        : m_state(state), m_ports(ports), m_passwords(std::move(passwords)) {}

    /// One side from nothing to streaming replicas, with its roles.
    Status startSide(Side side);
    /// Waits until all replicas of a side stream and show what the primary has written up to now.
    Status waitForReplicas(Side side);
    /// PgBouncer instances, HAProxy and, before them, the fault proxy if the lab has one.
    Status startRouters();
    /// Starts a process of a lab that is up again, with the files that are there.
    Status restart(const std::string& name);

  private:
    Status initialise(const LabServer& primary);
    Status makeReplica(const LabServer& primary, const LabServer& replica);
    Status configure(const LabServer& server);
    Status startServer(const LabServer& server);
    Status startPooler(const LabPooler& pooler);
    Status startBalancer();
    Status startNameServer();
    Status writeWritePath();
    Status startProxy();
    void forget(const std::string& name);
    Status startAndNote(const std::vector<std::string>& argv, const LabProcess& what, const std::function<bool()>& ready);
    Status makeRoles(const LabServer& primary);
    void letGo(int port);

    LabState& m_state;
    HeldPorts& m_ports;
    std::map<std::string, std::string> m_passwords;
    std::mutex m_mutex;
};

/// True when the server takes connections.
bool answersPing(int port);
/// True when something accepts TCP connections on the port.
bool acceptsConnections(int port);

} // namespace tealdeck
