// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/own_program.h"

#include <string>
#include <vector>

namespace tealdeck {

/// A HAProxy backend: on the way of the reads (Plan::haproxies), or of the writes (WriteRoutersPlan::haproxies; one server a side).
struct HaproxyPlan {
    std::string name;
    std::string socket;  ///< runtime socket, level admin; empty: the API is reached over TCP
    std::string backend; ///< backend that holds both sides' servers
    std::vector<std::string> blueServers;
    std::vector<std::string> greenServers;
    std::string host; ///< the endpoint that clients use, for probes
    int port = 0;
    std::string apiHost; ///< where the runtime API listens on TCP (a "stats socket" with an address)
    int apiPort = 0;
    std::string stateFile; ///< its server-state-file, which is rewritten after each change, so that a restart keeps the states
};

/// A DNS record that leads the clients to the primary, changed by RFC 2136 updates.
struct DnsPlan {
    std::string name;
    std::string server; ///< the zone's primary name server: takes updates, and answers for the zone
    int port = 53;
    std::string zone;                     ///< without the dot at the end
    std::string record;                   ///< the whole name, without the dot at the end
    std::vector<std::string> secondaries; ///< addresses of the zone's other servers (same port), which must show it as well
    std::string blue;                     ///< an IPv4 or IPv6 address (A, AAAA), or a host's name (CNAME)
    std::string green;
    int ttlSeconds = 5;  ///< written with the record, and the most that it may have beforehand
    std::string keyFile; ///< TSIG key as nsupdate -k reads it; its owner's alone
    int clientPort = 0;  ///< where clients connect under that name, for probes; 0: not told
    std::string nsupdate = "nsupdate";
    Millis limit{5000}; ///< for an update, and for all servers to show it
};

/// Entries of a libpq connection service file that lead to the primary.
struct ServiceFilePlan {
    std::string name;
    std::string file;
    std::vector<std::string> services;
    std::string blueHost; ///< as clients reach the primaries; empty / 0: as the plan's own host and port
    int bluePort = 0;
    std::string greenHost;
    int greenPort = 0;
};

/// A program that moves the writes in a way of the operator's own.
struct RouterCommandPlan {
    std::string name;
    OwnProgram program;
    std::string host; ///< the endpoint that clients use, for probes; empty: not told
    int port = 0;
};

/// The ways of the writes besides the poolers. They move after the destination has opened: clients lose their connections and come again.
struct WriteRoutersPlan {
    std::vector<HaproxyPlan> haproxies;
    std::vector<DnsPlan> dns;
    std::vector<ServiceFilePlan> serviceFiles;
    std::vector<RouterCommandPlan> commands;

    [[nodiscard]] bool empty() const { return haproxies.empty() && dns.empty() && serviceFiles.empty() && commands.empty(); }
};

} // namespace tealdeck
