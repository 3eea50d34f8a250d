// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_state.h"

#include "core/util/files.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr int FORMAT = 1;

Json serverToJson(const LabServer& s) {
    return {{"name", s.name},   {"side", s.side}, {"role", s.role}, {"zone", s.zone}, {"number", s.number},
            {"major", s.major}, {"port", s.port}, {"bin", s.bin},   {"data", s.data}};
}

LabServer serverFromJson(const Json& j) {
    LabServer s;
    s.name = member<std::string>(j, "name", {});
    s.side = member<std::string>(j, "side", {});
    s.role = member<std::string>(j, "role", {});
    s.zone = member<std::string>(j, "zone", {});
    s.number = member<int>(j, "number", 0);
    s.major = member<int>(j, "major", 0);
    s.port = member<int>(j, "port", 0);
    s.bin = member<std::string>(j, "bin", {});
    s.data = member<std::string>(j, "data", {});
    return s;
}

Json processToJson(const LabProcess& p) {
    return {{"name", p.name}, {"role", p.role}, {"side", p.side}, {"pid", p.pid}, {"start_time", p.startTime},
            {"port", p.port}, {"log", p.log}};
}

LabProcess processFromJson(const Json& j) {
    LabProcess p;
    p.name = member<std::string>(j, "name", {});
    p.role = member<std::string>(j, "role", {});
    p.side = member<std::string>(j, "side", {});
    p.pid = member<pid_t>(j, "pid", 0);
    p.startTime = member<std::uint64_t>(j, "start_time", 0);
    p.port = member<int>(j, "port", 0);
    p.log = member<std::string>(j, "log", {});
    return p;
}

Json listOf(const Json& json, const char* key) {
    Json list = member<Json>(json, key, Json::array());
    return list.is_array() ? list : Json::array();
}

void readOptions(const Json& j, LabOptions& o) {
    o.name = member<std::string>(j, "name", "lab");
    o.blueMajor = member<int>(j, "blue", 0);
    o.greenMajor = member<int>(j, "green", 0);
    o.replicas = member<int>(j, "replicas", 0);
    o.schema = member<std::string>(j, "schema", {});
    o.scale = member<int>(j, "scale", 1);
    o.tables = member<int>(j, "tables", 0);
    o.writeThrough = member<std::string>(j, "write_through", "pgbouncer");
    o.engineDiskMib = member<int>(j, "engine_disk_mib", 0);
}

Error notALab(const std::filesystem::path& dir, const std::string& why) {
    return {Error::Kind::Invalid,
            fmt::format("--dir: {} is not a practice lab: {}", dir.string(), why),
            fmt::format("Start one with: tealctl lab up --dir {}", dir.string()),
            {}};
}

} // namespace

const LabServer* LabState::server(const std::string& name) const {
    for (const LabServer& s : servers) {
        if (s.name == name) {
            return &s;
        }
    }
    return nullptr;
}

const LabServer& LabState::primary(Side side) const {
    return *server(std::string(side == Side::Blue ? "blue" : "green") + "-primary");
}

std::vector<LabServer> LabState::replicas(Side side) const {
    std::vector<LabServer> found;
    for (const LabServer& s : servers) {
        if (s.role == "replica" && s.side == (side == Side::Blue ? "blue" : "green")) {
            found.push_back(s);
        }
    }
    return found;
}

int LabState::linkPort(const std::string& name) const {
    for (const LabLink& link : links) {
        if (link.name == name) {
            return link.port;
        }
    }
    return 0;
}

std::string LabState::sideOfPort(int port) const {
    for (const LabServer& s : servers) {
        if (s.port == port) {
            return s.side;
        }
    }
    return {};
}

Json labToJson(const LabState& state) {
    Json json = {{"format", FORMAT},
                 {"name", state.options.name},
                 {"dir", state.options.dir.string()},
                 {"phase", state.phase},
                 {"blue", state.options.blueMajor},
                 {"green", state.options.greenMajor},
                 {"replicas", state.options.replicas},
                 {"schema", state.options.schema},
                 {"scale", state.options.scale},
                 {"tables", state.options.tables},
                 {"write_through", state.options.writeThrough},
                 {"write_port", state.writePort},
                 {"dns_port", state.dnsPort},
                 {"engine_disk_mib", state.options.engineDiskMib},
                 {"databases", state.databases},
                 {"user", state.user},
                 {"uid", state.uid},
                 {"gid", state.gid},
                 {"plan", state.planFile()},
                 {"passfile", state.clientPassfile()},
                 {"server_passfile", state.serverPassfile()},
                 {"ca", state.caFile()},
                 {"socket_folder", state.socketFolder},
                 {"socket_folder_outside", state.socketFolderOutside},
                 {"balancer", {{"port", state.balancerPort}, {"socket", state.balancerSocket()}}},
                 {"servers", Json::array()},
                 {"poolers", Json::array()},
                 {"links", Json::array()},
                 {"processes", Json::array()}};
    for (const LabServer& s : state.servers) {
        json["servers"].push_back(serverToJson(s));
    }
    for (const LabPooler& p : state.poolers) {
        json["poolers"].push_back({{"name", p.name}, {"port", p.port}, {"folder", p.folder}});
    }
    for (const LabLink& l : state.links) {
        json["links"].push_back({{"name", l.name}, {"port", l.port}, {"target", l.target}});
    }
    for (const LabProcess& p : state.processes) {
        json["processes"].push_back(processToJson(p));
    }
    return json;
}

Result<LabState> readLab(const std::filesystem::path& dir) {
    std::error_code failure;
    const std::filesystem::path absolute = std::filesystem::weakly_canonical(dir, failure);
    const std::filesystem::path file = absolute / "lab.json";
    Result<std::string> text = readFile(file);
    if (!text) {
        return notALab(dir, text.error().message);
    }
    const std::optional<Json> json = parseJson(*text);
    if (!json || member<int>(*json, "format", 0) != FORMAT) {
        return notALab(dir, fmt::format("{} has not the format {}.", file.string(), FORMAT));
    }
    LabState state;
    readOptions(*json, state.options);
    state.options.dir = absolute;
    state.phase = member<std::string>(*json, "phase", {});
    state.user = member<std::string>(*json, "user", {});
    state.uid = member<uid_t>(*json, "uid", 0);
    state.gid = member<gid_t>(*json, "gid", 0);
    state.socketFolder = member<std::string>(*json, "socket_folder", {});
    state.socketFolderOutside = member<bool>(*json, "socket_folder_outside", false);
    state.balancerPort = member<int>(member<Json>(*json, "balancer", Json::object()), "port", 0);
    state.writePort = member<int>(*json, "write_port", 0);
    state.dnsPort = member<int>(*json, "dns_port", 0);
    for (const Json& d : listOf(*json, "databases")) {
        state.databases.push_back(d.is_string() ? d.get<std::string>() : std::string());
    }
    for (const Json& s : listOf(*json, "servers")) {
        state.servers.push_back(serverFromJson(s));
    }
    for (const Json& p : listOf(*json, "poolers")) {
        state.poolers.push_back({member<std::string>(p, "name", {}), member<int>(p, "port", 0), member<std::string>(p, "folder", {})});
    }
    for (const Json& l : listOf(*json, "links")) {
        state.links.push_back({member<std::string>(l, "name", {}), member<int>(l, "port", 0), member<int>(l, "target", 0)});
    }
    for (const Json& p : listOf(*json, "processes")) {
        state.processes.push_back(processFromJson(p));
    }
    if (state.server("blue-primary") == nullptr || state.server("green-primary") == nullptr) {
        return notALab(dir, fmt::format("{} names no primaries.", file.string()));
    }
    state.options.poolers = static_cast<int>(state.poolers.size());
    state.options.proxies = !state.links.empty();
    return state;
}

Status writeLab(const LabState& state) {
    return writeFileAtomically(state.path("lab.json"), labToJson(state).dump(2, ' ', false, Json::error_handler_t::replace) + "\n", 0644);
}

} // namespace tealdeck
