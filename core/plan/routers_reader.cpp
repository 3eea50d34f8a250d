// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/routers_reader.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <fmt/format.h>
#include <netinet/in.h>

namespace tealdeck {
namespace {

/// RFC 1035, 2.3.1 and 2.3.4, and the underscore that is used as well; a dot at the end is fine.
bool isDomainName(const std::string& text) {
    std::size_t label = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
        } else if (std::isalnum(c) == 0 && c != '-' && c != '_') {
            return false;
        } else if (++label > 63) {
            return false;
        }
    }
    return !text.empty() && text.size() <= 253;
}

std::string domainName(PlanTable& table, const char* key) {
    std::string text = table.text(key, TextRule::Free);
    if (!text.empty() && !isDomainName(text)) {
        table.problem(key, fmt::format("must be a domain name, not \"{}\"", shownText(text)), "Write it as db.example.org.");
    }
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!text.empty() && text.back() == '.') {
        text.pop_back();
    }
    return text;
}

/// An address, in the one form in which servers tell it, or a host's name for a DNS record.
std::string dnsTarget(PlanTable& table, const char* key) {
    const std::string text = table.text(key, TextRule::Free);
    for (const int family : {AF_INET, AF_INET6}) {
        in6_addr buffer{};
        char usual[INET6_ADDRSTRLEN] = {};
        if (::inet_pton(family, text.c_str(), &buffer) == 1 && ::inet_ntop(family, &buffer, usual, sizeof usual) != nullptr) {
            return usual;
        }
    }
    return text.empty() ? text : domainName(table, key);
}

int kindOf(const std::string& target) {
    in6_addr buffer{};
    return ::inet_pton(AF_INET, target.c_str(), &buffer) == 1 ? 4 : ::inet_pton(AF_INET6, target.c_str(), &buffer) == 1 ? 6 : 0;
}

int portOf(PlanTable& table, const char* key, int fallback = 0) {
    return static_cast<int>(table.whole(key, 1, 65535, fallback));
}

/// What was saved of a router is kept under its name: call before the router joins the plan.
void claimName(PlanTable& table, const std::string& name, const Plan& plan) {
    const auto taken = [&name](const auto& list) {
        return std::any_of(list.begin(), list.end(), [&name](const auto& router) { return router.name == name; });
    };
    const WriteRoutersPlan& r = plan.routers;
    if (taken(plan.pgbouncers) || taken(plan.haproxies) || taken(r.haproxies) || taken(r.dns) || taken(r.serviceFiles) ||
        taken(r.commands)) {
        table.problem("name", fmt::format("\"{}\" names another router already", shownText(name)), "Give each router its own name.");
    }
}

HaproxyPlan readHaproxy(PlanTable& table, bool& writes) {
    HaproxyPlan h;
    h.name = table.text("name", TextRule::Word);
    const std::string role = table.text("role", TextRule::Free, "read");
    writes = role == "write";
    if (!writes && role != "read") {
        table.problem("role", fmt::format("must be \"read\" or \"write\", not \"{}\"", shownText(role)), "Correct the value.");
    }
    h.apiHost = table.text("api_host", TextRule::Host, "");
    h.apiPort = portOf(table, "api_port");
    h.socket = h.apiHost.empty() ? table.text("socket", TextRule::Path) : table.text("socket", TextRule::Path, "");
    if (!h.apiHost.empty() && (!h.socket.empty() || h.apiPort == 0)) {
        table.problem("api_host", "needs api_port and excludes socket",
                      "Give the runtime API either as socket or as api_host and api_port.");
    }
    h.backend = table.text("backend", TextRule::RouterName);
    h.blueServers = table.texts("blue_servers", TextRule::RouterName, true);
    h.greenServers = table.texts("green_servers", TextRule::RouterName, true);
    h.host = table.text("host", TextRule::Host, "");
    h.port = portOf(table, "port");
    h.stateFile = table.text("state_file", TextRule::Path, "");
    table.refuseOtherKeys();
    for (const std::string& server : h.greenServers) {
        if (std::find(h.blueServers.begin(), h.blueServers.end(), server) != h.blueServers.end()) {
            table.problem("green_servers", fmt::format("names \"{}\", which is a blue server too", server),
                          "A server belongs to one side.");
        }
    }
    if (writes && (h.blueServers.size() != 1 || h.greenServers.size() != 1)) {
        table.problem(h.blueServers.size() != 1 ? "blue_servers" : "green_servers", "must name one server when role is \"write\"",
                      "Writes go to one primary; name it alone.");
    }
    return h;
}

void readHaproxies(PlanTable& root, Plan& plan) {
    for (PlanTable& table : root.tables("haproxy")) {
        bool writes = false;
        HaproxyPlan h = readHaproxy(table, writes);
        for (const std::vector<HaproxyPlan>* list : {&plan.haproxies, &plan.routers.haproxies}) {
            for (const HaproxyPlan& other : *list) {
                if (other.name == h.name) {
                    table.problem("name", fmt::format("\"{}\" names two balancers", h.name), "Give each balancer its own name.");
                } else if (other.socket == h.socket && other.apiHost == h.apiHost && other.apiPort == h.apiPort &&
                           other.backend == h.backend) {
                    table.problem("backend", fmt::format("is also the backend of {}", other.name), "Describe each backend once.");
                }
            }
        }
        claimName(table, h.name, plan);
        (writes ? plan.routers.haproxies : plan.haproxies).push_back(std::move(h));
    }
}

void readDns(PlanTable& root, Plan& plan) {
    for (PlanTable& table : root.tables("dns")) {
        DnsPlan d;
        d.name = table.text("name", TextRule::Word);
        d.server = table.text("server", TextRule::Host);
        d.port = portOf(table, "port", d.port);
        d.zone = domainName(table, "zone");
        d.record = domainName(table, "record");
        d.secondaries = table.texts("secondaries", TextRule::Host, false);
        d.blue = dnsTarget(table, "blue");
        d.green = dnsTarget(table, "green");
        d.ttlSeconds = static_cast<int>(table.whole("ttl_seconds", 0, 3600, d.ttlSeconds));
        d.keyFile = table.text("key_file", TextRule::Path);
        d.clientPort = portOf(table, "client_port");
        d.nsupdate = table.text("nsupdate", TextRule::Program, d.nsupdate);
        d.limit = Millis(table.whole("limit_ms", 100, 600'000, d.limit.count()));
        table.refuseOtherKeys();
        const bool inside =
            d.record == d.zone || (d.record.size() > d.zone.size() &&
                                   d.record.compare(d.record.size() - d.zone.size() - 1, std::string::npos, "." + d.zone) == 0);
        if (!d.record.empty() && !d.zone.empty() && !inside) {
            table.problem("record", fmt::format("must lie in the zone {}", d.zone), "Write the record's whole name.");
        }
        if (!d.blue.empty() && (d.blue == d.green || kindOf(d.blue) != kindOf(d.green))) {
            table.problem("green", d.blue == d.green ? "makes blue and green the same" : "must be of the same kind as blue",
                          "Give both as IPv4 addresses, as IPv6 addresses, or as names.");
        }
        claimName(table, d.name, plan);
        plan.routers.dns.push_back(std::move(d));
    }
}

void readServiceFiles(PlanTable& root, Plan& plan) {
    for (PlanTable& table : root.tables("service_file")) {
        ServiceFilePlan s;
        s.name = table.text("name", TextRule::Word);
        s.file = table.text("file", TextRule::Path);
        s.services = table.texts("services", TextRule::Free, true);
        s.blueHost = table.text("blue_host", TextRule::Host, plan.blue.primary.host);
        s.bluePort = portOf(table, "blue_port", plan.blue.primary.port);
        s.greenHost = table.text("green_host", TextRule::Host, plan.green.primary.host);
        s.greenPort = portOf(table, "green_port", plan.green.primary.port);
        table.refuseOtherKeys();
        if (s.blueHost == s.greenHost && s.bluePort == s.greenPort) {
            table.problem("green_host", "makes blue and green the same server", "Give each side its own host and port.");
        }
        for (const std::string& service : s.services) {
            if (service.find_first_of("[]") != std::string::npos) {
                table.problem("services", fmt::format("names \"{}\", which cannot name a service", shownText(service)),
                              "Leave the brackets out.");
            }
        }
        for (const ServiceFilePlan& other : plan.routers.serviceFiles) {
            if (other.file == s.file) {
                table.problem("file", fmt::format("is also the file of {}", other.name), "Name all its services in one table.");
            }
        }
        claimName(table, s.name, plan);
        plan.routers.serviceFiles.push_back(std::move(s));
    }
}

void readCommands(PlanTable& root, Plan& plan) {
    for (PlanTable& table : root.tables("router_command")) {
        RouterCommandPlan c;
        c.name = table.text("name", TextRule::Word);
        c.program = readOwnProgram(table, "", true);
        c.host = table.text("host", TextRule::Host, "");
        c.port = portOf(table, "port");
        table.refuseOtherKeys();
        if (c.host.empty() != (c.port == 0)) {
            table.problem("host", "and port stand together", "Give the endpoint that clients use as host and port, or leave both out.");
        }
        claimName(table, c.name, plan);
        plan.routers.commands.push_back(std::move(c));
    }
}

} // namespace

void refuseOtherThanVariables(PlanTable& table, const char* key, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const bool fine = std::isdigit(static_cast<unsigned char>(name.empty() ? '0' : name[0])) == 0 &&
                          std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
        if (!fine) {
            table.problem(key, fmt::format("names \"{}\", which is no variable", shownText(name)),
                          "Use letters, digits and _; give names, not values.");
        }
    }
}

OwnProgram readOwnProgram(PlanTable& table, const std::string& prefix, bool required) {
    OwnProgram p;
    const auto key = [&](const char* name) { return prefix + name; };
    p.program = required ? table.text(key("program").c_str(), TextRule::HookProgram)
                         : table.text(key("program").c_str(), TextRule::HookProgram, "");
    p.arguments = table.textsInOrder(key("arguments").c_str(), TextRule::Free);
    p.environment = table.texts(key("environment").c_str(), TextRule::Free, false);
    p.limit = Millis(table.whole(key("limit_ms").c_str(), 1, 600'000, p.limit.count()));
    refuseOtherThanVariables(table, key("environment").c_str(), p.environment);
    return p;
}

void readRouters(PlanTable& root, Plan& plan) {
    readHaproxies(root, plan);
    readDns(root, plan);
    readServiceFiles(root, plan);
    readCommands(root, plan);
}

} // namespace tealdeck
