// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/probe_command.h"

#include "app/ctl/terminal.h"
#include "core/postgres/connection.h"
#include "core/util/json.h"
#include "core/util/text.h"

#include <cstdlib>
#include <fmt/format.h>
#include <memory>

namespace tealdeck {
namespace {

struct Arguments {
    Endpoint endpoint;
    int limitMs = 5000;
    bool json = false;
};

/// Sizes of databases that the role may not connect to are unknown, not an error.
constexpr const char* DATABASES_SQL = R"(
select datname, case when has_database_privilege(datname, 'connect') then pg_database_size(oid) end
from pg_database where datallowconn and not datistemplate order by datname)";
constexpr const char* SERVER_SQL = R"(
select split_part(current_setting('server_version'), ' ', 1), pg_is_in_recovery(), current_setting('wal_level'), current_setting('max_replication_slots'),
       (select rolsuper or rolreplication from pg_roles where rolname = current_user), (select ssl from pg_stat_ssl where pid = pg_backend_pid()))";
constexpr const char* REPLICAS_SQL = R"(
select application_name, host(client_addr), state from pg_stat_replication where application_name not like 'tealdeck%' order by 1)";

double number(const std::string& text) {
    return std::strtod(text.c_str(), nullptr);
}

Json found(Connection& session) {
    Json report{{"ok", true}};
    const Result<Rows> server = session.query(SERVER_SQL);
    if (!server) {
        return {{"ok", false}, {"error", server.error().text()}};
    }
    report["version"] = server->text(0, 0);
    report["role"] = server->text(0, 1) == "t" ? "replica" : "primary";
    report["wal_level"] = server->text(0, 2);
    report["max_replication_slots"] = number(server->text(0, 3));
    report["may_replicate"] = server->text(0, 4) == "t";
    report["tls"] = server->text(0, 5) == "t";
    report["databases"] = Json::array();
    const Result<Rows> databases = session.query(DATABASES_SQL);
    for (std::size_t row = 0; databases.ok() && row < databases->size(); ++row) {
        const std::string bytes = databases->text(row, 1);
        report["databases"].push_back({{"name", databases->text(row, 0)}, {"bytes", bytes.empty() ? Json() : Json(number(bytes))}});
    }
    report["replicas"] = Json::array();
    const Result<Rows> replicas = session.query(REPLICAS_SQL);
    for (std::size_t row = 0; replicas.ok() && row < replicas->size(); ++row) {
        report["replicas"].push_back(
            {{"name", replicas->text(row, 0)}, {"address", replicas->text(row, 1)}, {"state", replicas->text(row, 2)}});
    }
    return report;
}

void print(const Json& report) {
    if (!report.value("ok", false)) {
        fmt::print(stderr, "tealctl: {}\n", report.value("error", ""));
        return;
    }
    fmt::print("PostgreSQL {}, {}, wal_level {}, TLS {}.\n", plainText(report.value("version", ""), 40), report.value("role", ""),
               plainText(report.value("wal_level", ""), 40), report.value("tls", false) ? "on" : "off");
    for (const Json& database : report["databases"]) {
        fmt::print("  database {}{}\n", plainText(database.value("name", ""), 63),
                   database["bytes"].is_null() ? "" : fmt::format(", {:.1f} MiB", database["bytes"].get<double>() / 1048576));
    }
    for (const Json& replica : report["replicas"]) {
        fmt::print("  replica {} at {}, {}\n", plainText(replica.value("name", ""), 63), plainText(replica.value("address", ""), 63),
                   plainText(replica.value("state", ""), 40));
    }
}

} // namespace

void addProbeCommand(CLI::App& plan, int& exitCode) {
    const auto a = std::make_shared<Arguments>();
    CLI::App* probe = plan.add_subcommand("probe", "Ask one server who it is, before there is a plan");
    probe->add_option("--host", a->endpoint.host, "Host name, address, or folder of a Unix socket")->required();
    probe->add_option("--port", a->endpoint.port, "Port")->check(CLI::Range(1, 65535));
    probe->add_option("--user", a->endpoint.user, "Role to connect as")->required();
    probe->add_option("--database", a->endpoint.database, "Database to connect to");
    probe->add_option("--passfile", a->endpoint.passfile, "File with the password, in libpq's format; never a password itself");
    probe->add_option("--sslmode", a->endpoint.sslmode, "As for libpq")
        ->check(CLI::IsMember({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}));
    probe->add_option("--sslrootcert", a->endpoint.sslrootcert, "Certificate of the authority that signed the server's");
    probe->add_option("--limit-ms", a->limitMs, "Longest wait")->check(CLI::Range(100, 60000));
    probe->add_flag("--json", a->json, "One JSON object");
    probe->callback([a, &exitCode] {
        Result<std::unique_ptr<Connection>> session =
            Connection::open({a->endpoint, {}, "tealdeck/probe", a->endpoint.host, {}, {}}, Millis(a->limitMs));
        const Json report = session.ok() ? found(**session) : Json{{"ok", false}, {"error", session.error().text()}};
        if (a->json) {
            fmt::print("{}\n", dumpJson(report));
        } else {
            print(report);
        }
        exitCode = report.value("ok", false) ? DONE : FAILED;
    });
}

} // namespace tealdeck
