// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_setup.h"

#include "app/lab/postgres_programs.h"
#include "core/util/files.h"
#include "core/util/process.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <random>
#include <set>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

namespace fs = std::filesystem;

/// Below the kernel's usual range for outgoing connections (32768 and up), so that a stopped server finds its port free again.
constexpr int FIRST_PORT = 20000;
constexpr int LAST_PORT = 31999;
/// sockaddr_un holds 107 bytes; HAProxy binds "<path>.<pid>.tmp" first.
constexpr std::size_t LONGEST_SOCKET_FOLDER = 70;
constexpr const char* ZONES[] = {"az-a", "az-b", "az-c"};

Error wrong(const std::string& message, const std::string& remedy) {
    return {Error::Kind::Invalid, message, remedy, {}};
}

Status system(const fs::path& path, const char* what, bool fine) {
    if (fine) {
        return {};
    }
    return Error{
        Error::Kind::Unavailable, fmt::format("Cannot {} {}: {}.", what, path.string(), systemReason(errno)), "Choose another --dir.", {}};
}

Status makeFolder(const fs::path& path, unsigned mode, uid_t uid, gid_t gid) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        return system(path, "make", false);
    }
    if (uid != 0 && ::chown(path.c_str(), uid, gid) != 0) {
        return system(path, "give away", false);
    }
    return system(path, "set the mode of", ::chmod(path.c_str(), mode) == 0);
}

int bindPort(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    // As the servers do: without it a port whose last connections linger in TIME_WAIT would look taken.
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 1) != 0) {
        ::close(fd);
        return -1;
    }
    return fd;
}

Status layOutSide(LabState& state, HeldPorts& ports, const std::string& side, int major) {
    for (int i = 0; i <= state.options.replicas; ++i) {
        LabServer server;
        server.side = side;
        server.number = i;
        server.role = i == 0 ? "primary" : "replica";
        server.name = i == 0 ? side + "-primary" : fmt::format("{}-replica-{}", side, i);
        server.zone = ZONES[i % 3];
        server.major = major;
        server.data = state.path(server.name).string();
        Result<int> port = ports.take();
        if (!port) {
            return port.error();
        }
        server.port = *port;
        state.servers.push_back(server);
    }
    return {};
}

Status runOpenssl(const fs::path& folder, const std::vector<std::string>& arguments) {
    ProcessSpec spec;
    spec.argv = {"openssl"};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.folder = folder.string();
    Result<ProcessOutcome> outcome = runProcess(spec, Deadline(Millis(30000)));
    if (!outcome) {
        return Error{outcome.error().kind, outcome.error().message, "Install the package openssl.", {}};
    }
    if (outcome->exitCode != 0) {
        return Error{Error::Kind::Unavailable, fmt::format("openssl ended with {}: {}", outcome->exitCode, outcome->errors), {}, {}};
    }
    return {};
}

} // namespace

Status checkLabOptions(const LabOptions& o) {
    if (o.dir.empty()) {
        return wrong("--dir: no folder was given.", "Name a new folder, as --dir /var/tmp/lab.");
    }
    if (o.blueMajor < 13 || o.blueMajor > 15) {
        return wrong(fmt::format("--blue: {} cannot be blue.", o.blueMajor), "Allowed are 13, 14 and 15.");
    }
    if (o.greenMajor != 17 && o.greenMajor != 18) {
        return wrong(fmt::format("--green: {} cannot be green.", o.greenMajor), "Allowed are 17 and 18.");
    }
    if (o.replicas < 0 || o.replicas > 3) {
        return wrong(fmt::format("--replicas: {} is out of range.", o.replicas), "Allowed are 0 to 3.");
    }
    if (o.schema != "shop" && o.schema != "pgbench" && o.schema != "many") {
        return wrong(fmt::format("--schema: there is no schema {}.", o.schema), "Allowed are shop, pgbench and many.");
    }
    if (o.scale < 1 || o.scale > 1000) {
        return wrong(fmt::format("--scale: {} is out of range.", o.scale), "Allowed are 1 to 1000.");
    }
    if (o.tables < 1 || o.tables > 100000) {
        return wrong(fmt::format("--tables: {} is out of range.", o.tables), "Allowed are 1 to 100000.");
    }
    if (o.poolers < 1 || o.poolers > 2) {
        return wrong(fmt::format("--poolers: {} is out of range.", o.poolers), "Allowed are 1 and 2.");
    }
    const std::set<std::string> ways = {"pgbouncer", "haproxy", "dns", "service", "command"};
    if (ways.count(o.writeThrough) == 0) {
        return wrong(fmt::format("--write-through: there is no way {}.", o.writeThrough),
                     "Allowed are pgbouncer, haproxy, dns, service and command.");
    }
    if (o.engineDiskMib != 0 && (o.engineDiskMib < 4 || o.engineDiskMib > 4096)) {
        return wrong(fmt::format("--engine-disk: {} is out of range.", o.engineDiskMib), "Allowed are 4 to 4096 MiB.");
    }
    if (o.engineDiskMib != 0 && ::geteuid() != 0) {
        return wrong("--engine-disk: only root can mount a disk of its own for the engine.", "Leave it out, or call as root.");
    }
    if (o.name.empty() || o.name.size() > 32 || o.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) {
        return wrong(fmt::format("--name: \"{}\" cannot name a deployment.", o.name), "Allowed are 1 to 32 of a-z, 0-9 and _.");
    }
    std::error_code failure;
    if (fs::exists(o.dir / "lab.json", failure)) {
        return wrong(fmt::format("--dir: {} holds a lab already.", o.dir.string()),
                     fmt::format("End it with: tealctl lab down --remove --dir {}", o.dir.string()));
    }
    if (fs::exists(o.dir, failure) && (!fs::is_directory(o.dir, failure) || !fs::is_empty(o.dir, failure))) {
        return wrong(fmt::format("--dir: {} is not an empty folder.", o.dir.string()), "Name a new or an empty folder.");
    }
    return {};
}

Status chooseLabUser(LabState& state) {
    const std::string wanted = state.options.user;
    if (::geteuid() != 0) {
        const passwd* self = ::getpwuid(::geteuid());
        state.user = self != nullptr ? self->pw_name : std::to_string(::geteuid());
        if (!wanted.empty() && wanted != state.user) {
            return wrong(fmt::format("--user: only root can start servers as {}.", wanted), "Leave --user out, or call as root.");
        }
        return {};
    }
    for (const std::string& name : wanted.empty() ? std::vector<std::string>{"postgres", "nobody"} : std::vector<std::string>{wanted}) {
        const passwd* found = ::getpwnam(name.c_str());
        if (found != nullptr && found->pw_uid != 0) {
            state.user = name;
            state.uid = found->pw_uid;
            state.gid = found->pw_gid;
            if (!enterableByAll(state.options.dir.parent_path())) {
                return wrong(fmt::format("--dir: the servers' user {} cannot enter {}.", name, state.options.dir.parent_path().string()),
                             "Choose a folder below one that everyone may enter, as /var/tmp/lab.");
            }
            return {};
        }
    }
    return wrong(fmt::format("--user: there is no unprivileged user {}.", wanted.empty() ? "postgres or nobody" : wanted),
                 "Name an existing user other than root.");
}

HeldPorts::~HeldPorts() {
    for (const auto& [port, fd] : m_sockets) {
        ::close(fd);
    }
}

Result<int> HeldPorts::take() {
    std::random_device random;
    std::uniform_int_distribution<int> any(FIRST_PORT, LAST_PORT);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const int port = any(random);
        const int fd = m_sockets.count(port) != 0 ? -1 : bindPort(port);
        if (fd >= 0) {
            m_sockets[port] = fd;
            return port;
        }
    }
    return Error{Error::Kind::Unavailable, fmt::format("No free port was found between {} and {}.", FIRST_PORT, LAST_PORT), {}, {}};
}

void HeldPorts::release(int port) {
    const auto held = m_sockets.find(port);
    if (held != m_sockets.end()) {
        ::close(held->second);
        m_sockets.erase(held);
    }
}

namespace {

/// Who reaches which primary. Replicas, clients and the lab's own questions never go through the proxy.
Status layOutLinks(LabState& state, HeldPorts& ports) {
    for (const char* from : {"engine", "pooler", "green", "blue"}) {
        for (const Side to : {Side::Blue, Side::Green}) {
            if (std::string(from) == sideName(to)) {
                continue;
            }
            Result<int> port = ports.take();
            if (!port) {
                return port.error();
            }
            state.links.push_back({fmt::format("{}-{}", from, sideName(to)), *port, state.primary(to).port});
        }
    }
    return {};
}

} // namespace

Status layOut(LabState& state, HeldPorts& ports) {
    const std::string& schema = state.options.schema;
    state.databases =
        schema == "shop" ? std::vector<std::string>{"shop", "shop_audit"} : std::vector<std::string>{schema == "many" ? "many" : "bench"};
    if (Status s = layOutSide(state, ports, "blue", state.options.blueMajor); !s) {
        return s;
    }
    if (Status s = layOutSide(state, ports, "green", state.options.greenMajor); !s) {
        return s;
    }
    const std::string& through = state.options.writeThrough;
    for (int i = 1; through == "pgbouncer" && i <= state.options.poolers; ++i) {
        Result<int> port = ports.take();
        if (!port) {
            return port.error();
        }
        const std::string name = fmt::format("pooler-{}", i);
        state.poolers.push_back({name, *port, state.path(fmt::format("pgbouncer-{}", i)).string()});
    }
    Result<int> port = ports.take();
    if (!port) {
        return port.error();
    }
    state.balancerPort = *port;
    for (int* more : {&state.writePort, &state.dnsPort}) {
        if (through == "dns" || (through == "haproxy" && more == &state.writePort)) {
            Result<int> own = ports.take();
            if (!own) {
                return own.error();
            }
            *more = *own;
        }
    }
    return state.options.proxies ? layOutLinks(state, ports) : Status();
}

namespace {

/// Folders on the way to the lab that are not there yet; the servers' user must be able to pass them.
Status makeParents(const LabState& state) {
    std::vector<fs::path> missing;
    std::error_code failure;
    for (fs::path folder = state.options.dir; !fs::exists(folder, failure) && folder.has_relative_path(); folder = folder.parent_path()) {
        missing.push_back(folder);
    }
    fs::create_directories(state.options.dir, failure);
    if (failure) {
        return Error{Error::Kind::Invalid,
                     fmt::format("--dir: cannot make {}: {}.", state.options.dir.string(), failure.message()),
                     "Choose another folder.",
                     {}};
    }
    for (const fs::path& folder : missing) {
        ::chmod(folder.c_str(), 0711);
    }
    return {};
}

} // namespace

Status makeLabFolders(LabState& state) {
    if (Status s = makeParents(state); !s) {
        return s;
    }
    if (Status s = makeFolder(state.options.dir, 0711, 0, 0); !s) {
        return s;
    }
    if (Status s = makeFolder(state.path("engine"), 0700, 0, 0); !s) {
        return s;
    }
    if (Status s = makeFolder(state.path("tls"), 0755, state.uid, state.gid); !s) {
        return s;
    }
    std::vector<std::string> folders = {"server", "logs", "haproxy"};
    if (state.dnsPort != 0) {
        folders.emplace_back("dns");
    }
    for (const LabPooler& pooler : state.poolers) {
        folders.push_back(fs::path(pooler.folder).filename().string());
    }
    for (const LabServer& server : state.servers) {
        folders.push_back(server.name);
    }
    state.socketFolder = state.path("sockets").string();
    if (state.socketFolder.size() <= LONGEST_SOCKET_FOLDER) {
        folders.push_back("sockets");
    } else {
        std::string pattern = "/tmp/tealdeck-lab-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) {
            return system("/tmp", "make a socket folder in", false);
        }
        state.socketFolder = pattern;
        state.socketFolderOutside = true;
        if (Status s = makeFolder(pattern, 0700, state.uid, state.gid); !s) {
            return s;
        }
    }
    for (const std::string& folder : folders) {
        if (Status s = makeFolder(state.path(folder), 0700, state.uid, state.gid); !s) {
            return s;
        }
    }
    return {};
}

Status makeLabCertificates(const LabState& state) {
    const fs::path folder = state.path("tls");
    const std::vector<std::string> key = {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"};
    std::vector<std::string> ca = {"req", "-x509", "-subj", "/CN=Tealdeck lab CA", "-keyout", "ca.key", "-out", "ca.crt"};
    ca.insert(ca.end(), key.begin(), key.end());
    if (Status s = runOpenssl(folder, ca); !s) {
        return s;
    }
    // libpq before 15 compares an address only with names, so the address is there as a DNS name too (release notes of 15).
    std::vector<std::string> server = {"req",     "-x509",
                                       "-subj",   "/CN=localhost",
                                       "-CA",     "ca.crt",
                                       "-CAkey",  "ca.key",
                                       "-addext", std::string("subjectAltName=DNS:localhost,DNS:127.0.0.1,IP:127.0.0.1,DNS:") + LAB_RECORD,
                                       "-addext", "basicConstraints=critical,CA:FALSE",
                                       "-keyout", "server.key",
                                       "-out",    "server.crt"};
    server.insert(server.end(), key.begin(), key.end());
    if (Status s = runOpenssl(folder, server); !s) {
        return s;
    }
    ::unlink((folder / "ca.key").c_str());
    for (const auto& [name, mode] : {std::pair<const char*, mode_t>{"ca.crt", 0644}, {"server.crt", 0644}, {"server.key", 0600}}) {
        const fs::path file = folder / name;
        if (::chmod(file.c_str(), mode) != 0 || (state.uid != 0 && ::chown(file.c_str(), state.uid, state.gid) != 0)) {
            return system(file, "set owner and mode of", false);
        }
    }
    return {};
}

Result<std::map<std::string, std::string>> makeLabPasswords(const LabState& state) {
    std::map<std::string, std::string> passwords;
    std::string lines;
    std::string serverLines; // the servers only ever log in to each other
    for (const std::string role :
         {"postgres", "tealdeck", "tealdeck_repl", "physical_repl", "shop_owner", "shop_app", "shop_reader", "shop_test", "pgb_admin"}) {
        passwords[role] = randomHex(16);
        lines += fmt::format("*:*:*:{}:{}\n", role, passwords[role]);
        serverLines += role == "tealdeck_repl" || role == "physical_repl" ? fmt::format("*:*:*:{}:{}\n", role, passwords[role]) : "";
    }
    if (Status s = writeFileAtomically(state.clientPassfile(), lines, 0600); !s) {
        return s.error();
    }
    if (Status s = writeOwned(state, state.serverPassfile(), serverLines, 0600); !s) {
        return s.error();
    }
    return passwords;
}

Status writeOwned(const LabState& state, const fs::path& path, const std::string& text, unsigned mode) {
    if (Status s = writeFileAtomically(path, text, mode); !s) {
        return s;
    }
    return system(path, "give away", state.uid == 0 || ::chown(path.c_str(), state.uid, state.gid) == 0);
}

} // namespace tealdeck
