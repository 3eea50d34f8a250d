// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_files.h"

#include "app/lab/lab_write_files.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace tealdeck {
namespace {

std::string tomlList(const std::vector<std::string>& items) {
    std::string text;
    for (const std::string& item : items) {
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", item);
    }
    return "[" + text + "]";
}

/// The port under which the plan names a primary for a party: the proxy's when there is one.
int portFor(const LabState& state, const std::string& party, Side side) {
    const int link = state.linkPort(party + "-" + sideName(side));
    return link != 0 ? link : state.primary(side).port;
}

std::string planSide(const LabState& state, Side side, const char* name) {
    const LabServer& primary = state.primary(side);
    std::string text =
        fmt::format("[{}.primary]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"tealdeck\"\ndatabase = \"postgres\"\npassfile = \"{}\"\n"
                    "sslmode = \"verify-full\"\nsslrootcert = \"{}\"\nzone = \"{}\"\n\n",
                    name, portFor(state, "engine", side), state.clientPassfile(), state.caFile(), primary.zone);
    for (const LabServer& replica : state.replicas(side)) {
        text += fmt::format("[[{}.replicas]]\nname = \"replica-{}\"\nhost = \"127.0.0.1\"\nport = {}\nzone = \"{}\"\n\n", name,
                            replica.number, replica.port, replica.zone);
    }
    return text;
}

std::string planRouters(const LabState& state) {
    std::string text = planWrites(state);
    for (const LabPooler& pooler : state.poolers) {
        text += fmt::format("[[pgbouncer]]\nname = \"{}\"\nhost = \"127.0.0.1\"\nport = {}\nuser = \"pgb_admin\"\npassfile = "
                            "\"{}\"\nsslmode = \"disable\"\n"
                            "databases_file = \"{}/databases.ini\"\ndatabases = {}\nprobe_user = \"shop_test\"\n{}\n",
                            pooler.name, pooler.port, state.clientPassfile(), pooler.folder, tomlList(state.databases),
                            state.options.proxies ? fmt::format("blue_port = {}\ngreen_port = {}\n", portFor(state, "pooler", Side::Blue),
                                                                portFor(state, "pooler", Side::Green))
                                                  : "");
    }
    const auto names = [&state](Side side) {
        std::vector<std::string> found;
        for (const LabServer& server : readServers(state, side)) {
            found.push_back(haproxyServerName(server));
        }
        return tomlList(found);
    };
    text += fmt::format("[[haproxy]]\nname = \"balancer\"\nsocket = \"{}\"\nbackend = \"reads\"\nblue_servers = {}\ngreen_servers = "
                        "{}\nhost = \"127.0.0.1\"\nport = {}\n\n",
                        state.balancerSocket(), names(Side::Blue), names(Side::Green), state.balancerPort);
    return text;
}

/// Where the client programs of the newest installed major up to blue's are; a bare name leaves it to PATH.
std::string clientProgram(const LabState& state, const std::string& name) {
    for (int major = state.options.blueMajor; major <= 18; ++major) {
        const std::string path = fmt::format("/usr/lib/postgresql/{}/bin/{}", major, name);
        if (std::filesystem::exists(path)) {
            return path;
        }
    }
    return name;
}

/// In the folders that packages and archives of the servers use.
bool hasLibrary(const std::filesystem::path& bin, const char* library) {
    const std::filesystem::path lib = bin.parent_path() / "lib";
    return std::filesystem::exists(lib / library) || std::filesystem::exists(lib / "postgresql" / library);
}

} // namespace

std::string postgresConf(const LabState& state, const LabServer& server) {
    std::string text =
        fmt::format(R"(
# Tealdeck's practice lab
listen_addresses = '127.0.0.1'
port = {}
unix_socket_directories = '{}'
ssl = on
ssl_cert_file = '{}'
ssl_key_file = '{}'
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '64MB'
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_logical_replication_workers = 16
max_worker_processes = 24
max_locks_per_transaction = 256
wal_keep_size = '64MB'
max_wal_size = '512MB'
hot_standby = on
hot_standby_feedback = on
wal_retrieve_retry_interval = '500ms'
log_line_prefix = '%m [%p] %q%u@%d/%a '
timezone = 'UTC'
log_timezone = 'UTC'
)",
                    server.port, state.socketFolder, state.path("tls/server.crt").string(), state.path("tls/server.key").string());
    if (server.major >= 18) {
        text += "idle_replication_slot_timeout = 0\nmax_active_replication_origins = 20\n";
    }
    if (hasLibrary(server.bin, "pg_stat_statements.so")) {
        text += "shared_preload_libraries = 'pg_stat_statements'\n";
    }
    if (server.role == "replica") {
        const LabServer& primary = state.primary(server.side == "blue" ? Side::Blue : Side::Green);
        text += fmt::format("primary_conninfo = 'host=127.0.0.1 port={} user=physical_repl passfile={} sslmode=verify-full sslrootcert={} "
                            "application_name=replica-{}'\n"
                            "primary_slot_name = 'replica_{}'\n",
                            primary.port, state.serverPassfile(), state.caFile(), server.number, server.number);
    }
    return text;
}

std::string postgresHba() {
    return "local   all         all               scram-sha-256\n"
           "hostssl all         all 127.0.0.1/32  scram-sha-256\n"
           "hostssl replication all 127.0.0.1/32  scram-sha-256\n";
}

std::string pgbouncerIni(const LabState& state, const LabPooler& pooler) {
    return fmt::format(R"(%include {}/databases.ini

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {}
; No Unix socket: with one it would go on although a stranger holds its port.
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {}/userlist.txt
admin_users = pgb_admin
pool_mode = transaction
max_client_conn = 500
default_pool_size = 30
query_wait_timeout = 120
; A failed log-in must not keep clients waiting after a switch.
server_login_retry = 0
server_tls_sslmode = verify-full
server_tls_ca_file = {}
ignore_startup_parameters = extra_float_digits
)",
                       pooler.folder, pooler.port, pooler.folder, state.caFile());
}

std::string pgbouncerDatabases(const LabState& state) {
    std::string text = "[databases]\n";
    for (const std::string& database : state.databases) {
        text += fmt::format("{} = host=127.0.0.1 port={} dbname={}\n", database, portFor(state, "pooler", Side::Blue), database);
    }
    return text;
}

std::string pgbouncerUsers(const std::map<std::string, std::string>& passwords) {
    std::string text;
    for (const char* role : {"shop_app", "shop_test", "pgb_admin"}) {
        text += fmt::format("\"{}\" \"{}\"\n", role, passwords.at(role));
    }
    return text;
}

std::string haproxyServerName(const LabServer& server) {
    std::string name = server.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

std::vector<LabServer> readServers(const LabState& state, Side side) {
    std::vector<LabServer> servers = state.replicas(side);
    if (servers.empty()) {
        servers.push_back(state.primary(side));
    }
    return servers;
}

std::string haproxyConf(const LabState& state) {
    std::string text = fmt::format(R"(global
    maxconn 600
    stats socket {} mode 600 level admin
    server-state-file {}
    stats timeout 1h

defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h

frontend reads_in
    bind 127.0.0.1:{}
    default_backend reads

backend reads
    balance roundrobin
)",
                                   state.balancerSocket(), state.balancerState(), state.balancerPort);
    for (const Side side : {Side::Blue, Side::Green}) {
        for (const LabServer& server : readServers(state, side)) {
            text += fmt::format("    server {} 127.0.0.1:{} weight 100{}\n", haproxyServerName(server), server.port,
                                side == Side::Green ? " disabled" : "");
        }
    }
    return text + haproxyWrites(state);
}

std::string planToml(const LabState& state) {
    std::string text = fmt::format("# The plan of a practice lab, written by tealctl lab up.\nformat = 1\n\n[deployment]\nname = "
                                   "\"{}\"\ndatabases = {}\n\n[engine]\nfolder = \"engine\"\n\n",
                                   state.options.name, tomlList(state.databases));
    text += planSide(state, Side::Blue, "blue") + planSide(state, Side::Green, "green");
    text += fmt::format("[replication]\nuser = \"tealdeck_repl\"\npassfile = \"{}\"\nsslmode = \"verify-full\"\nsslrootcert = "
                        "\"{}\"\n{}\n[roles]\nreads = [\"shop_reader\"]\n\n",
                        state.serverPassfile(), state.caFile(),
                        state.options.proxies ? fmt::format("blue_port = {}\ngreen_port = {}\n", portFor(state, "green", Side::Blue),
                                                            portFor(state, "blue", Side::Green))
                                              : "");
    text += planRouters(state);
    text += "[ramp]\nsteps = [10, 20, 50, 100]\nhold_seconds = 60\nmax_lag_seconds = 1.0\n\n"
            "[cutover]\nbudget_ms = 2000\ndrain_ms = 1000\nkill_ms = 500\nreceive_ms = 1000\nsequence_gap = 10000\n\n"
            "[rollback]\nwindow_hours = 24\n\n";
    text += fmt::format("[programs]\npg_dump = \"{}\"\npg_restore = \"{}\"\n", clientProgram(state, "pg_dump"),
                        clientProgram(state, "pg_restore"));
    return text;
}

} // namespace tealdeck
