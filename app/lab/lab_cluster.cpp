// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_cluster.h"

#include "app/lab/fault_proxy.h"
#include "app/lab/lab_files.h"
#include "app/lab/lab_processes.h"
#include "app/lab/lab_write_files.h"
#include "app/lab/sql_client.h"
#include "core/traffic/dns_query.h"
#include "core/util/files.h"
#include "core/util/process.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fstream>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr Millis START_LIMIT{60000};

Status runAs(const LabState& state, const std::vector<std::string>& argv, Millis limit) {
    ProcessSpec spec;
    spec.argv = argv;
    spec.folder = "/";
    spec.environment = {{"LC_ALL", "C.UTF-8"}};
    spec.uid = state.uid;
    spec.gid = state.gid;
    Result<ProcessOutcome> outcome = runProcess(spec, Deadline(limit));
    if (!outcome) {
        return outcome.error();
    }
    if (outcome->exitCode != 0) {
        return Error{Error::Kind::Unavailable, fmt::format("{} ended with {}: {}", argv[0], outcome->exitCode, outcome->errors), {}, {}};
    }
    return {};
}

Status appendTo(const std::string& file, const std::string& text) {
    std::ofstream out(file, std::ios::app);
    out << text;
    out.flush();
    if (!out) {
        return Error{Error::Kind::Unavailable, fmt::format("Cannot write {}.", file), {}, {}};
    }
    return {};
}

/// Debian keeps them where a plain user's PATH does not lead.
std::string systemProgram(const std::string& name) {
    const std::string path = "/usr/sbin/" + name;
    return std::filesystem::exists(path) ? path : name;
}

} // namespace

bool answersPing(int port) {
    const std::string text = std::to_string(port);
    const char* names[] = {"host", "port", "connect_timeout", nullptr};
    const char* values[] = {"127.0.0.1", text.c_str(), "2", nullptr};
    return PQpingParams(names, values, 0) == PQPING_OK;
}

bool acceptsConnections(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool fine = fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return fine;
}

void LabStart::letGo(int port) {
    const std::lock_guard<std::mutex> guard(m_mutex);
    m_ports.release(port);
}

Status LabStart::startAndNote(const std::vector<std::string>& argv, const LabProcess& what, const std::function<bool()>& ready) {
    letGo(what.port);
    Result<LabProcess> process = startLabProcess(m_state, argv, what);
    if (!process) {
        return process.error();
    }
    {
        const std::lock_guard<std::mutex> guard(m_mutex);
        m_state.processes.push_back(*process);
        if (Status s = writeLab(m_state); !s) {
            return s;
        }
    }
    const Deadline deadline(START_LIMIT);
    while (!ready()) {
        if (!isAlive(*process)) {
            return Error{Error::Kind::Unavailable,
                         fmt::format("{} ended while starting: {}", what.name, lastLogLine(what.log)),
                         fmt::format("Read its log {}.", what.log),
                         {}};
        }
        if (deadline.passed()) {
            return Error{Error::Kind::Timeout,
                         fmt::format("{} was not ready after {} s.", what.name, START_LIMIT.count() / 1000),
                         fmt::format("Read its log {}.", what.log),
                         {}};
        }
        ::poll(nullptr, 0, 20);
    }
    return {};
}

Status LabStart::initialise(const LabServer& primary) {
    const std::string secret = m_state.path("server/." + primary.name).string();
    if (Status s = writeOwned(m_state, secret, m_passwords.at("postgres") + "\n", 0600); !s) {
        return s;
    }
    // Not flushed: a lab that dies with the machine is made anew. While it runs, fsync is on.
    Status made = runAs(m_state,
                        {primary.bin + "/initdb", "-D", primary.data, "-U", "postgres", "--pwfile", secret, "--auth", "scram-sha-256",
                         "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "--no-sync"},
                        Millis(120000));
    ::unlink(secret.c_str());
    return made;
}

/// The primary has never run yet, so a plain copy of its folder is a clean base for a standby; the same way for all majors.
Status LabStart::makeReplica(const LabServer& primary, const LabServer& replica) {
    if (Status s = runAs(m_state, {"cp", "-a", "--reflink=auto", primary.data + "/.", replica.data}, Millis(120000)); !s) {
        return s;
    }
    return writeOwned(m_state, replica.data + "/standby.signal", "", 0600);
}

Status LabStart::configure(const LabServer& server) {
    if (Status s = appendTo(server.data + "/postgresql.conf", postgresConf(m_state, server)); !s) {
        return s;
    }
    return writeOwned(m_state, server.data + "/pg_hba.conf", postgresHba(), 0600);
}

Status LabStart::startServer(const LabServer& server) {
    const LabProcess what{server.name, server.role, server.side, 0, 0, server.port, m_state.path("logs/" + server.name + ".log").string()};
    return startAndNote({server.bin + "/postgres", "-D", server.data}, what, [&server] { return answersPing(server.port); });
}

Status LabStart::makeRoles(const LabServer& primary) {
    Result<SqlClient> sql = SqlClient::connect(labConnection(m_state, primary.port, "postgres", "postgres"));
    if (!sql) {
        return sql.error();
    }
    const auto role = [this](const char* name, const char* attributes) {
        return fmt::format("create role {} {} password {};\n", name, attributes, sqlLiteral(m_passwords.at(name)));
    };
    std::string text = role("tealdeck", "login superuser") + role("tealdeck_repl", "login replication bypassrls") +
                       role("physical_repl", "login replication");
    if (primary.side == "blue") {
        text += role("shop_owner", "nologin") + role("shop_app", "login") + role("shop_reader", "login") + role("shop_test", "login");
        text += primary.major >= 14 ? "grant pg_read_all_data to tealdeck_repl;\n" : "";
    }
    text += "do $$ begin if current_setting('shared_preload_libraries') <> '' then create extension pg_stat_statements; end if; end $$;\n";
    for (int i = 1; i <= m_state.options.replicas; ++i) {
        text += fmt::format("select pg_create_physical_replication_slot('replica_{}', true);\n", i);
    }
    return sql->run(text);
}

Status LabStart::waitForReplicas(Side side) {
    const LabServer& primary = m_state.primary(side);
    const std::size_t count = m_state.replicas(side).size();
    Result<SqlClient> sql = SqlClient::connect(labConnection(m_state, primary.port, "tealdeck", "postgres"));
    if (!sql) {
        return sql.error();
    }
    Result<SqlClient::Rows> written = sql->query("select pg_current_wal_insert_lsn()");
    if (!written) {
        return written.error();
    }
    const std::string ready = fmt::format(
        "select count(*) from pg_stat_replication where state = 'streaming' and application_name like 'replica-%' and replay_lsn >= '{}'",
        written->at(0).at(0));
    const Deadline deadline(START_LIMIT);
    for (;;) {
        Result<SqlClient::Rows> rows = sql->query(ready);
        if (!rows) {
            return rows.error();
        }
        if (rows->at(0).at(0) == std::to_string(count)) {
            return {};
        }
        if (deadline.passed()) {
            return Error{Error::Kind::Timeout,
                         fmt::format("Only {} of {} replicas of {} have all that it wrote.", rows->at(0).at(0), count, primary.name),
                         fmt::format("Read the logs in {}.", m_state.path("logs").string()),
                         {}};
        }
        ::poll(nullptr, 0, 20);
    }
}

Status LabStart::startSide(Side side) {
    const LabServer primary = m_state.primary(side);
    const std::vector<LabServer> replicas = m_state.replicas(side);
    if (Status s = initialise(primary); !s) {
        return s;
    }
    for (const LabServer& replica : replicas) {
        if (Status s = makeReplica(primary, replica); !s) {
            return s;
        }
        if (Status s = configure(replica); !s) {
            return s;
        }
    }
    if (Status s = configure(primary); !s) {
        return s;
    }
    if (Status s = startServer(primary); !s) {
        return s;
    }
    if (Status s = makeRoles(primary); !s) {
        return s;
    }
    for (const LabServer& replica : replicas) {
        if (Status s = startServer(replica); !s) {
            return s;
        }
    }
    return waitForReplicas(side);
}

Status LabStart::startPooler(const LabPooler& pooler) {
    const LabProcess what{pooler.name, "pooler", "", 0, 0, pooler.port, m_state.path("logs/" + pooler.name + ".log").string()};
    return startAndNote({systemProgram("pgbouncer"), pooler.folder + "/pgbouncer.ini"}, what,
                        [&pooler] { return answersPing(pooler.port); });
}

Status LabStart::startBalancer() {
    if (m_state.writePort != 0) {
        letGo(m_state.writePort);
    }
    const LabProcess what{"balancer", "balancer", "", 0, 0, m_state.balancerPort, m_state.path("logs/balancer.log").string()};
    return startAndNote({systemProgram("haproxy"), "-db", "-f", m_state.path("haproxy/haproxy.cfg").string()}, what,
                        [this] { return acceptsConnections(m_state.balancerPort); });
}

Status LabStart::startNameServer() {
    letGo(m_state.dnsPort);
    const LabProcess what{"name-server", "dns", "", 0, 0, m_state.dnsPort, m_state.path("logs/name-server.log").string()};
    return startAndNote({systemProgram("knotd"), "-c", m_state.path("dns/knot.conf").string()}, what, [this] {
        const Result<DnsAnswer> answer = askDns("127.0.0.1", m_state.dnsPort, LAB_RECORD, DnsType::A, Millis(200));
        return answer.ok() && answer->authoritative;
    });
}

/// What clients and the plan need to find the primary without a pooler. The files that the engine changes belong to the caller.
Status LabStart::writeWritePath() {
    if (m_state.options.writeThrough == "service") {
        return writeFileAtomically(m_state.serviceFile(), serviceFileText(m_state), 0644);
    }
    if (m_state.options.writeThrough == "command") {
        const Status written = writeFileAtomically(m_state.moverFile(), "blue\n", 0644);
        return written ? writeFileAtomically(m_state.moverProgram(), moverScript(), 0755) : written;
    }
    if (m_state.dnsPort == 0) {
        return {};
    }
    const std::string secret = randomHex(32); // its characters are valid base64 too
    if (Status s = writeFileAtomically(m_state.tsigFile(), tsigKey(secret), 0600); !s) {
        return s;
    }
    for (const auto& [name, text] :
         std::map<std::string, std::string>{{"dns/knot.conf", knotConf(m_state, secret)}, {"dns/zone", zoneFile()}}) {
        if (Status s = writeOwned(m_state, m_state.path(name), text, 0600); !s) {
            return s;
        }
    }
    return startNameServer();
}

/// The proxy is tealctl itself, in a process of its own.
Status LabStart::startProxy() {
    const LabProcess what{"fault-proxy", "proxy", "", 0, 0, 0, m_state.path("logs/fault-proxy.log").string()};
    for (const LabLink& link : m_state.links) {
        letGo(link.port);
    }
    std::error_code failure;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", failure);
    return startAndNote({(own.parent_path() / "tealctl").string(), "lab", "proxy", "--dir", m_state.options.dir.string()}, what,
                        [this] { return askFaultProxy(m_state.proxySocket(), Json::object()).ok(); });
}

Status LabStart::startRouters() {
    if (m_state.options.proxies) {
        if (Status s = startProxy(); !s) {
            return s;
        }
    }
    for (const LabPooler& pooler : m_state.poolers) {
        const std::filesystem::path folder = pooler.folder;
        for (const auto& [name, text] : std::map<std::string, std::string>{{"pgbouncer.ini", pgbouncerIni(m_state, pooler)},
                                                                           {"databases.ini", pgbouncerDatabases(m_state)},
                                                                           {"userlist.txt", pgbouncerUsers(m_passwords)}}) {
            if (Status s = writeOwned(m_state, folder / name, text, 0600); !s) {
                return s;
            }
        }
        if (Status s = startPooler(pooler); !s) {
            return s;
        }
    }
    if (Status s = writeWritePath(); !s) {
        return s;
    }
    if (Status s = writeOwned(m_state, m_state.path("haproxy/haproxy.cfg"), haproxyConf(m_state), 0600); !s) {
        return s;
    }
    return startBalancer();
}

void LabStart::forget(const std::string& name) {
    auto& list = m_state.processes;
    list.erase(std::remove_if(list.begin(), list.end(), [&name](const LabProcess& p) { return p.name == name; }), list.end());
}

Status LabStart::restart(const std::string& name) {
    for (const LabProcess& process : m_state.processes) {
        if (process.name == name && isAlive(process)) {
            return Error{Error::Kind::Invalid, fmt::format("{} runs already.", name), {}, {}};
        }
    }
    if (const LabServer* server = m_state.server(name)) {
        if (Status s = waitUntilUnused(server->data); !s) {
            return s;
        }
        // Nothing uses the folder, but a zombie that its parent never asks for would make the server believe so.
        ::unlink((server->data + "/postmaster.pid").c_str());
        forget(name);
        return startServer(*server);
    }
    for (const LabPooler& pooler : m_state.poolers) {
        if (pooler.name == name) {
            forget(name);
            return startPooler(pooler);
        }
    }
    if (name == "fault-proxy" && m_state.options.proxies) {
        forget(name);
        return startProxy();
    }
    if (name == "name-server" && m_state.dnsPort != 0) {
        forget(name);
        return startNameServer();
    }
    if (name == "balancer") {
        forget(name);
        return startBalancer();
    }
    return Error{Error::Kind::Invalid, fmt::format("The lab has no part named {}.", name), "Names are in lab.json.", {}};
}

} // namespace tealdeck
