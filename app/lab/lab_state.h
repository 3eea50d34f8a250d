// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/util/json.h"
#include "core/util/result.h"

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tealdeck {

/// What a person can choose about a practice lab. The defaults are the ones of `tealctl lab up`.
struct LabOptions {
    std::filesystem::path dir;
    int blueMajor = 15;
    int greenMajor = 18;
    int replicas = 1;                       ///< streaming replicas on each side, 0 to 3
    std::string schema = "shop";            ///< shop, pgbench or many
    int scale = 1;                          ///< rows of shop and pgbench, in units of the smallest size
    int tables = 100;                       ///< of schema many
    int poolers = 1;                        ///< PgBouncer instances, 1 or 2; only with writes through them
    std::string writeThrough = "pgbouncer"; ///< how clients find the primary: pgbouncer, haproxy, dns, service or command
    bool proxies = false;                   ///< a fault proxy on each link that a switch depends on
    int engineDiskMib = 0;                  ///< size of a disk of its own for the engine's folder (root only); 0: an ordinary folder
    std::string user;                       ///< unprivileged user of the servers when the caller is root; empty: postgres, else nobody
    std::string name = "lab";               ///< of the deployment in plan.toml
};

/// One process that the lab started. A pid alone is not enough to end it later: pids are used again, pid and start time are not.
struct LabProcess {
    std::string name; ///< unique in the lab, as "green-replica-1"
    std::string role; ///< primary, replica, pooler, balancer, dns or proxy
    std::string side; ///< blue, green, or empty for what serves both
    pid_t pid = 0;
    std::uint64_t startTime = 0; ///< field 22 of /proc/PID/stat, clock ticks since boot
    int port = 0;
    std::string log;
};

/// One PostgreSQL server of the lab.
struct LabServer {
    std::string name; ///< "blue-primary", "green-replica-2"
    std::string side;
    std::string role; ///< primary or replica
    std::string zone;
    int number = 0; ///< of the replica from 1; 0 for the primary
    int major = 0;
    int port = 0;
    std::string bin;  ///< folder of the server programs
    std::string data; ///< data directory
};

struct LabPooler {
    std::string name;
    int port = 0;
    std::string folder; ///< holds pgbouncer.ini, databases.ini, userlist.txt
};

/// A way from one part of the lab to another through the fault proxy: "FROM-TO", as "engine-green".
struct LabLink {
    std::string name;
    int port = 0;   ///< where FROM connects to
    int target = 0; ///< port of the primary TO
};

/// All that lab.json says. Everything a client of the lab needs to find its parts.
struct LabState {
    LabOptions options;
    std::string phase; ///< starting, up, failed or down
    std::string user;  ///< that the servers run as
    uid_t uid = 0;     ///< 0: the caller's own, no change of user
    gid_t gid = 0;
    std::vector<std::string> databases;
    std::string socketFolder;
    bool socketFolderOutside = false; ///< made under /tmp because the lab's own path is too long for a socket
    std::vector<LabServer> servers;
    std::vector<LabPooler> poolers;
    int balancerPort = 0;
    int writePort = 0;          ///< of HAProxy for the writes, or of both primaries' addresses in the DNS; 0: there is none
    int dnsPort = 0;            ///< of the name server; 0: there is none
    std::vector<LabLink> links; ///< empty without proxies
    std::vector<LabProcess> processes;

    [[nodiscard]] std::filesystem::path path(const std::string& relative) const { return options.dir / relative; }
    [[nodiscard]] std::string clientPassfile() const { return path("passfile").string(); }
    [[nodiscard]] std::string serverPassfile() const { return path("server/passfile").string(); }
    [[nodiscard]] std::string caFile() const { return path("tls/ca.crt").string(); }
    [[nodiscard]] std::string balancerSocket() const { return socketFolder + "/haproxy.sock"; }
    [[nodiscard]] std::string balancerState() const { return path("haproxy/state").string(); }
    [[nodiscard]] std::string serviceFile() const { return path("pg_service.conf").string(); }
    [[nodiscard]] std::string tsigFile() const { return path("tsig.key").string(); }
    [[nodiscard]] std::string moverProgram() const { return path("move-writes").string(); }
    [[nodiscard]] std::string moverFile() const { return path("writes-to").string(); }
    [[nodiscard]] std::string planFile() const { return path("plan.toml").string(); }
    [[nodiscard]] std::string proxySocket() const { return socketFolder + "/fault-proxy.sock"; }
    /// The port of a link; 0 when the lab has no proxies.
    [[nodiscard]] int linkPort(const std::string& name) const;
    [[nodiscard]] const LabServer* server(const std::string& name) const;
    [[nodiscard]] const LabServer& primary(Side side) const;
    [[nodiscard]] std::vector<LabServer> replicas(Side side) const;
    /// "blue", "green" or "" for a port that is no server's.
    [[nodiscard]] std::string sideOfPort(int port) const;
};

/// What the lab's name server knows, and the address that stands for each side there: all of 127.0.0.0/8 is this machine.
inline constexpr const char* LAB_ZONE = "lab.test";
inline constexpr const char* LAB_RECORD = "primary.lab.test";
inline constexpr const char* LAB_BLUE_ADDRESS = "127.0.0.11";
inline constexpr const char* LAB_GREEN_ADDRESS = "127.0.0.12";

Json labToJson(const LabState& state);
/// Reads D/lab.json; Invalid with the remedy when D is no lab.
Result<LabState> readLab(const std::filesystem::path& dir);
Status writeLab(const LabState& state);

} // namespace tealdeck
