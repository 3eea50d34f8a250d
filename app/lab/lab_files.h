// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

#include <map>

namespace tealdeck {

/// Lines that the lab appends to a server's postgresql.conf.
std::string postgresConf(const LabState& state, const LabServer& server);
/// pg_hba.conf of every server: passwords over TLS on the loopback address, passwords on the socket.
std::string postgresHba();
/// Main file of a pooler; %includes databases.ini, which the engine rewrites.
std::string pgbouncerIni(const LabState& state, const LabPooler& pooler);
std::string pgbouncerDatabases(const LabState& state);
std::string pgbouncerUsers(const std::map<std::string, std::string>& passwords);
std::string haproxyConf(const LabState& state);
/// Name of a server in HAProxy's backend: "blue_replica_1".
std::string haproxyServerName(const LabServer& server);
/// The servers of a side that answer reads: its replicas, or its primary when it has none.
std::vector<LabServer> readServers(const LabState& state, Side side);
/// The deployment's plan, as tealctl reads it.
std::string planToml(const LabState& state);

} // namespace tealdeck
