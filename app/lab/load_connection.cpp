// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/load_connection.h"

#include <algorithm>
#include <libpq-fe.h>
#include <poll.h>

namespace tealdeck {
namespace {

constexpr Millis CONNECT_LIMIT{30000};
/// Longer than the pooler's query_wait_timeout, so that the pooler's own answer comes first.
constexpr Millis STATEMENT_LIMIT{130000};
constexpr Millis STOP_GRACE{5000};
constexpr const char* LOST_STATE = "08006";

std::string firstLine(const char* text) {
    const std::string whole = text == nullptr ? "" : text;
    return whole.substr(0, whole.find('\n'));
}

} // namespace

void LoadConnection::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

LoadReply LoadConnection::lost(const char* fallback) {
    LoadReply reply;
    reply.outcome = LoadReply::Outcome::Lost;
    reply.sqlstate = LOST_STATE;
    reply.message = firstLine(m_connection ? PQerrorMessage(m_connection.get()) : nullptr);
    if (reply.message.empty()) {
        reply.message = fallback;
    }
    close();
    return reply;
}

bool LoadConnection::waitFor(bool forWriting, const Deadline& limit) {
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        if (m_stop && m_stopSeen == std::chrono::steady_clock::time_point{}) {
            m_stopSeen = now;
        }
        if (limit.passed() || (m_stop && now - m_stopSeen > STOP_GRACE)) {
            return false;
        }
        pollfd fd{PQsocket(m_connection.get()), static_cast<short>(POLLIN | (forWriting ? POLLOUT : 0)), 0};
        const int ready = ::poll(&fd, 1, static_cast<int>(std::min<std::int64_t>(limit.left().count() + 1, 100)));
        if (ready > 0) {
            return true;
        }
    }
}

LoadReply LoadConnection::open(const std::map<std::string, std::string>& parameters) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : parameters) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    m_connection.reset(PQconnectStartParams(names.data(), values.data(), 0));
    if (!m_connection || PQstatus(m_connection.get()) == CONNECTION_BAD) {
        return lost("The connection could not be started.");
    }
    const Deadline limit(CONNECT_LIMIT);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED || !waitFor(state == PGRES_POLLING_WRITING, limit)) {
            return lost("The connection took too long.");
        }
        state = PQconnectPoll(m_connection.get());
    }
    PQsetnonblocking(m_connection.get(), 1);
    PQsetNoticeProcessor(
        m_connection.get(), [](void*, const char*) {}, nullptr);
    return {};
}

bool LoadConnection::waitForAnswer(const Deadline& limit) {
    int unsent = PQflush(m_connection.get());
    while (unsent > 0 || PQisBusy(m_connection.get()) != 0) {
        if (unsent < 0 || !waitFor(unsent > 0, limit)) {
            return false;
        }
        if (PQconsumeInput(m_connection.get()) == 0) {
            return false;
        }
        if (unsent > 0) {
            unsent = PQflush(m_connection.get());
        }
    }
    return unsent == 0;
}

void LoadConnection::take(LoadReply& reply, const pg_result* result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) {
        for (int r = 0; r < PQntuples(result); ++r) {
            std::vector<std::string>& row = reply.rows.emplace_back();
            for (int c = 0; c < PQnfields(result); ++c) {
                row.emplace_back(PQgetvalue(result, r, c));
            }
        }
        return;
    }
    if (status == PGRES_COMMAND_OK || reply.outcome != LoadReply::Outcome::Ok) {
        return;
    }
    const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    reply.sqlstate = sqlstate == nullptr ? LOST_STATE : sqlstate;
    reply.message = firstLine(PQresultErrorMessage(result));
    // Only an ERROR of the server proves that nothing happened; a FATAL may come after the commit, and the pooler's own
    // errors (class 08) say nothing about the server.
    const bool refused = severity != nullptr && std::string(severity) == "ERROR" && reply.sqlstate.compare(0, 2, "08") != 0;
    reply.outcome = refused ? LoadReply::Outcome::Refused : LoadReply::Outcome::Lost;
}

LoadReply LoadConnection::execute(const std::string& sql, const std::vector<std::string>& values) {
    if (!m_connection) {
        return lost("There is no connection.");
    }
    std::vector<const char*> pointers;
    for (const std::string& value : values) {
        pointers.push_back(value.c_str());
    }
    if (PQsendQueryParams(m_connection.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, pointers.data(), nullptr, nullptr,
                          0) == 0) {
        return lost("The statement could not be sent.");
    }
    const Deadline limit(STATEMENT_LIMIT);
    LoadReply reply;
    // All results up to the end: in the extended protocol the commit's own error comes after the rows.
    for (;;) {
        if (!waitForAnswer(limit)) {
            return reply.outcome == LoadReply::Outcome::Ok ? lost("The answer took too long.") : (close(), reply);
        }
        const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(m_connection.get()), PQclear);
        if (!result) {
            break;
        }
        take(reply, result.get());
    }
    if (PQstatus(m_connection.get()) == CONNECTION_BAD || reply.outcome == LoadReply::Outcome::Lost) {
        if (reply.outcome == LoadReply::Outcome::Ok) {
            return lost("The connection was lost.");
        }
        reply.outcome = LoadReply::Outcome::Lost;
        close();
    }
    return reply;
}

} // namespace tealdeck
