// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_write_files.h"

#include "app/lab/lab_files.h"

#include <fmt/format.h>

namespace tealdeck {

std::string planWrites(const LabState& state) {
    const std::string& through = state.options.writeThrough;
    std::string services;
    for (const std::string& database : state.databases) {
        services += fmt::format("{}\"{}\"", services.empty() ? "[" : ", ", database);
    }
    services += "]";
    const int blue = state.primary(Side::Blue).port;
    const int green = state.primary(Side::Green).port;
    if (through == "haproxy") {
        return fmt::format("[[haproxy]]\nname = \"writes\"\nrole = \"write\"\nsocket = \"{}\"\nbackend = \"writes\"\nblue_servers = "
                           "[\"{}\"]\ngreen_servers = [\"{}\"]\nhost = \"127.0.0.1\"\nport = {}\nstate_file = \"{}\"\n\n",
                           state.balancerSocket(), haproxyServerName(state.primary(Side::Blue)),
                           haproxyServerName(state.primary(Side::Green)), state.writePort, state.balancerState());
    }
    if (through == "dns") {
        return fmt::format("[[dns]]\nname = \"dns\"\nserver = \"127.0.0.1\"\nport = {}\nzone = \"{}\"\nrecord = \"{}\"\nblue = "
                           "\"{}\"\ngreen = \"{}\"\nttl_seconds = 1\nkey_file = \"{}\"\nclient_port = {}\n\n",
                           state.dnsPort, LAB_ZONE, LAB_RECORD, LAB_BLUE_ADDRESS, LAB_GREEN_ADDRESS, state.tsigFile(), state.writePort);
    }
    if (through == "service") {
        return fmt::format("[[service_file]]\nname = \"services\"\nfile = \"{}\"\nservices = {}\nblue_host = \"127.0.0.1\"\nblue_port = "
                           "{}\ngreen_host = \"127.0.0.1\"\ngreen_port = {}\n\n",
                           state.serviceFile(), services, blue, green);
    }
    if (through == "command") {
        return fmt::format("[[router_command]]\nname = \"mover\"\nprogram = \"{}\"\nlimit_ms = 5000\n\n", state.moverProgram());
    }
    return {};
}

std::string haproxyWrites(const LabState& state) {
    std::string text;
    if (state.options.writeThrough == "haproxy") {
        text = fmt::format("\nfrontend writes_in\n    bind 127.0.0.1:{}\n    default_backend writes\n\nbackend writes\n    "
                           "load-server-state-from-file global\n",
                           state.writePort);
    }
    for (const Side side : {Side::Blue, Side::Green}) {
        const LabServer& server = state.primary(side);
        if (state.options.writeThrough == "haproxy") {
            text += fmt::format("    server {} 127.0.0.1:{}{}\n", haproxyServerName(server), server.port,
                                side == Side::Green ? " disabled" : "");
        } else if (state.options.writeThrough == "dns") {
            text += fmt::format("\nlisten address_of_{}\n    bind {}:{}\n    server {} 127.0.0.1:{}\n", sideName(side),
                                side == Side::Blue ? LAB_BLUE_ADDRESS : LAB_GREEN_ADDRESS, state.writePort, haproxyServerName(server),
                                server.port);
        }
    }
    return text;
}

std::string serviceFileText(const LabState& state) {
    std::string text = "# Connection services of the lab's clients.\n\n";
    for (const std::string& database : state.databases) {
        text += fmt::format("[{}]\nhost=127.0.0.1\nport={}\ndbname={}\n\n", database, state.primary(Side::Blue).port, database);
    }
    return text + fmt::format("# Nobody moves this one.\n[reports]\nhost=127.0.0.1\nport={}\n", state.balancerPort);
}

std::string moverScript() {
    return R"sh(#!/bin/sh
# The lab's own way to move the writes: clients read beside this program which side takes them.
PATH=/usr/bin:/bin
file=${0%/*}/writes-to
question=$(cat)
says() { case "$question" in *"$1"*) return 0 ;; esac; return 1; }
write() { printf '%s\n' "$1" >"$file.new" && mv "$file.new" "$file"; }
if says '"action":"target"'; then
    printf '{"target":"%s"}\n' "$(cat "$file")"
elif says '"action":"save"'; then
    printf '{"state":"%s"}\n' "$(cat "$file")"
elif says '"action":"check"'; then
    [ -w "$file" ]
elif says '"action":"shift"' && says '"to":"green"' || says '"state":"green"'; then
    write green
elif says '"action":"shift"' && says '"to":"blue"' || says '"state":"blue"'; then
    write blue
else
    echo "an action that is not known" >&2
    exit 2
fi
)sh";
}

std::string tsigKey(const std::string& secret) {
    return fmt::format("key \"tealdeck-lab\" {{\n    algorithm hmac-sha256;\n    secret \"{}\";\n}};\n", secret);
}

std::string knotConf(const LabState& state, const std::string& secret) {
    return fmt::format(R"(# The lab's name server: Knot DNS
server:
    rundir: "{0}"
    listen: "127.0.0.1@{1}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1

log:
  - target: stdout
    any: info

database:
    storage: "{2}"
    journal-db-max-size: 16M
    kasp-db-max-size: 5M
    timer-db-max-size: 1M

key:
  - id: "tealdeck-lab"
    algorithm: hmac-sha256
    secret: "{3}"

acl:
  - id: updates
    address: 127.0.0.1
    key: "tealdeck-lab"
    action: update

zone:
  - domain: {4}
    storage: "{2}"
    file: "zone"
    acl: updates
)",
                       state.socketFolder, state.dnsPort, state.path("dns").string(), secret, LAB_ZONE);
}

std::string zoneFile() {
    return fmt::format("$ORIGIN {0}.\n@ 60 SOA ns hostmaster 1 60 60 3600 1\n@ 60 NS ns\nns 60 A 127.0.0.1\n{1}. 1 A {2}\n", LAB_ZONE,
                       LAB_RECORD, LAB_BLUE_ADDRESS);
}

} // namespace tealdeck
