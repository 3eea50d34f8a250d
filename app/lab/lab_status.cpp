// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/fault_proxy.h"
#include "app/lab/faults.h"
#include "app/lab/lab.h"
#include "app/lab/lab_cluster.h"
#include "app/lab/lab_processes.h"
#include "app/lab/sql_client.h"

namespace tealdeck {
namespace {

constexpr int STATUS_TIMEOUT_SECONDS = 3;

/// Everything about the server comes from the server; null means that it could not be asked.
Json askServer(const LabState& state, const LabServer& server) {
    Json answer = {
        {"version", nullptr}, {"major", nullptr}, {"in_recovery", nullptr}, {"system_identifier", nullptr}, {"streaming_replicas", nullptr},
        {"error", nullptr}};
    auto parameters = labConnection(state, server.port, "tealdeck", "postgres");
    parameters["options"] = "-c statement_timeout=3000";
    Result<SqlClient> sql = SqlClient::connect(parameters, STATUS_TIMEOUT_SECONDS);
    if (!sql) {
        answer["error"] = sql.error().message;
        return answer;
    }
    Result<SqlClient::Rows> rows =
        sql->query("select current_setting('server_version'), current_setting('server_version_num')::int / 10000, pg_is_in_recovery(), "
                   "(select system_identifier from pg_control_system()), (select count(*) from pg_stat_replication where state = "
                   "'streaming' and application_name like 'replica-%')");
    if (!rows) {
        answer["error"] = rows.error().message;
        return answer;
    }
    const std::vector<std::string>& row = rows->at(0);
    answer["version"] = row[0];
    answer["major"] = std::stoi(row[1]);
    answer["in_recovery"] = row[2] == "t";
    answer["system_identifier"] = row[3];
    answer["streaming_replicas"] = std::stoi(row[4]);
    return answer;
}

bool asExpected(const LabServer& server, const Json& answer, int replicas) {
    if (!answer["error"].is_null() || answer["major"] != server.major) {
        return false;
    }
    return server.role == "primary" ? answer["streaming_replicas"] == replicas : answer["in_recovery"] == true;
}

} // namespace

Result<Json> labStatus(const std::filesystem::path& dir) {
    Result<LabState> state = readLab(dir);
    if (!state) {
        return state.error();
    }
    Json report = {{"name", state->options.name}, {"dir", state->options.dir.string()}, {"phase", state->phase},
                   {"plan", state->planFile()},   {"servers", Json::array()},           {"routers", Json::array()},
                   {"died", Json::array()}};
    bool fine = state->phase == "up";
    for (const LabProcess& process : state->processes) {
        const bool alive = isAlive(process);
        if (!alive) {
            report["died"].push_back(
                {{"name", process.name}, {"pid", process.pid}, {"log", process.log}, {"last_line", lastLogLine(process.log)}});
            fine = false;
        }
        const LabServer* server = state->server(process.name);
        Json entry = {{"name", process.name}, {"role", process.role}, {"side", process.side},
                      {"pid", process.pid},   {"port", process.port}, {"alive", alive}};
        if (server == nullptr) {
            const bool answers = alive && (process.role == "proxy" ? askFaultProxy(state->proxySocket(), Json::object()).ok()
                                                                   : acceptsConnections(process.port));
            entry["answers"] = answers;
            fine = fine && answers;
            report["routers"].push_back(entry);
            continue;
        }
        entry["zone"] = server->zone;
        const Json answer = askServer(*state, *server);
        fine = fine && asExpected(*server, answer, state->options.replicas);
        entry.update(answer);
        report["servers"].push_back(entry);
    }
    report["faults"] = activeFaults(*state);
    report["ok"] = fine && report["faults"].empty();
    return report;
}

} // namespace tealdeck
