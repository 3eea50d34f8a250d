// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/postgres/admin_console.h"

#include "core/postgres/sql.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

namespace tealdeck {
namespace {

PGconn* raw(void* connection) {
    return static_cast<PGconn*>(connection);
}

std::string reason(PGconn* connection) {
    std::string text = PQerrorMessage(connection);
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    return text;
}

/// False when the deadline passed first.
bool waitFor(PGconn* connection, short events, const Deadline& deadline) {
    pollfd fd{PQsocket(connection), events, 0};
    return ::poll(&fd, 1, static_cast<int>(deadline.left().count())) > 0;
}

Rows toRows(PGresult* result) {
    Rows rows;
    for (int c = 0; c < PQnfields(result); ++c) {
        rows.columns.emplace_back(PQfname(result, c));
    }
    for (int r = 0; r < PQntuples(result); ++r) {
        std::vector<std::optional<std::string>> values;
        for (int c = 0; c < PQnfields(result); ++c) {
            values.push_back(PQgetisnull(result, r, c) != 0 ? std::nullopt : std::optional<std::string>(PQgetvalue(result, r, c)));
        }
        rows.rows.push_back(std::move(values));
    }
    return rows;
}

} // namespace

Result<std::unique_ptr<AdminConsole>> AdminConsole::open(const Options& options, Millis limit) {
    const Deadline deadline(limit);
    PGconn* connection = PQconnectStart(conninfo({{"host", options.host},
                                                  {"port", std::to_string(options.port)},
                                                  {"user", options.user},
                                                  {"dbname", options.database},
                                                  {"hostaddr", options.hostaddr},
                                                  {"passfile", options.passfile},
                                                  {"sslmode", options.sslmode},
                                                  {"sslrootcert", options.sslrootcert},
                                                  {"application_name", "tealdeck"}})
                                            .c_str());
    auto console = std::unique_ptr<AdminConsole>(new AdminConsole(connection, options.label));
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (connection != nullptr && PQstatus(connection) != CONNECTION_BAD && state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        if (!waitFor(connection, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
            return Error{Error::Kind::Timeout,
                         fmt::format("{} did not accept a connection within {} ms.", options.label, limit.count()),
                         "Is the pooler running?",
                         {}};
        }
        state = PQconnectPoll(connection);
    }
    if (state != PGRES_POLLING_OK) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("Cannot connect to {}: {}", options.label, reason(connection)),
                     "Is the pooler running, and is the user in admin_users?",
                     {}};
    }
    return console;
}

AdminConsole::~AdminConsole() {
    close();
}

void AdminConsole::close() {
    if (m_connection != nullptr) {
        PQfinish(raw(m_connection));
    }
    m_connection = nullptr;
}

Status AdminConsole::begin(const std::string& text) {
    if (m_connection == nullptr || PQsendQuery(raw(m_connection), text.c_str()) == 0) {
        const std::string why = m_connection == nullptr ? "the session is closed" : reason(raw(m_connection));
        close();
        return Error{Error::Kind::Unavailable, fmt::format("{}: {}", m_label, why), {}, {}};
    }
    return {};
}

Result<Rows> AdminConsole::finish(Millis limit) {
    if (m_connection == nullptr) {
        return Error{Error::Kind::Unavailable, fmt::format("{}: the session is closed.", m_label), {}, {}};
    }
    const Deadline deadline(limit);
    PGconn* connection = raw(m_connection);
    Result<Rows> answer = Rows{};
    for (;;) {
        while (PQisBusy(connection) != 0) {
            if (!waitFor(connection, POLLIN, deadline)) {
                close();
                return Error{Error::Kind::Timeout, fmt::format("{} did not answer within {} ms.", m_label, limit.count()), {}, {}};
            }
            if (PQconsumeInput(connection) == 0) {
                const std::string why = reason(connection);
                close();
                return Error{Error::Kind::Unavailable, fmt::format("{}: {}", m_label, why), {}, {}};
            }
        }
        PGresult* result = PQgetResult(connection);
        if (result == nullptr) {
            return answer;
        }
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK) {
            answer = toRows(result);
        } else if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
            const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            answer = Error{Error::Kind::Server, fmt::format("{}: {}", m_label, reason(connection)), {}, state == nullptr ? "" : state};
        }
        PQclear(result);
    }
}

Result<Rows> AdminConsole::command(const std::string& text, Millis limit) {
    if (const Status sent = begin(text); !sent) {
        return sent.error();
    }
    return finish(limit);
}

} // namespace tealdeck
