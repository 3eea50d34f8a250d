// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/sql_client.h"

#include "app/lab/lab_state.h"

#include <fmt/format.h>
#include <libpq-fe.h>

namespace tealdeck {
namespace {

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

} // namespace

void SqlClient::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

Result<SqlClient> SqlClient::connect(const std::map<std::string, std::string>& parameters, int timeoutSeconds) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : parameters) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    const std::string timeout = std::to_string(timeoutSeconds);
    names.insert(names.end(), {"connect_timeout", "application_name", nullptr});
    values.insert(values.end(), {timeout.c_str(), "tealdeck-lab", nullptr});
    SqlClient client;
    client.m_connection.reset(PQconnectdbParams(names.data(), values.data(), 0));
    if (PQstatus(client.m_connection.get()) != CONNECTION_OK) {
        return Error{Error::Kind::Unavailable, trimmed(PQerrorMessage(client.m_connection.get())), {}, {}};
    }
    PQsetNoticeProcessor(
        client.m_connection.get(), [](void*, const char*) {}, nullptr);
    return client;
}

Result<SqlClient::Rows> SqlClient::query(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(m_connection.get(), sql.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        const char* sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        return Error{Error::Kind::Server, trimmed(PQerrorMessage(m_connection.get())), {}, sqlstate == nullptr ? "" : sqlstate};
    }
    Rows rows;
    for (int r = 0; r < PQntuples(result.get()); ++r) {
        std::vector<std::string>& row = rows.emplace_back();
        for (int c = 0; c < PQnfields(result.get()); ++c) {
            row.emplace_back(PQgetvalue(result.get(), r, c), static_cast<std::size_t>(PQgetlength(result.get(), r, c)));
        }
    }
    return rows;
}

Status SqlClient::run(const std::string& sql) {
    Result<Rows> rows = query(sql);
    return rows ? Status() : Status(rows.error());
}

std::map<std::string, std::string> labConnection(const LabState& state, int port, const std::string& user, const std::string& database) {
    return {{"host", "127.0.0.1"},          {"port", std::to_string(port)},       {"user", user},
            {"dbname", database},           {"passfile", state.clientPassfile()}, {"sslmode", "verify-full"},
            {"sslrootcert", state.caFile()}};
}

std::string sqlLiteral(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c == '\'' ? "''" : std::string(1, c);
    }
    return quoted + "'";
}

} // namespace tealdeck
