// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/postgres/stream_session.h"

#include "core/postgres/sql.h"
#include "core/util/text.h"

#include <cstdlib>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

namespace tealdeck {
namespace {

/// How often a wait looks whether it was cancelled.
constexpr Millis TICK{100};
/// As much may lie in libpq's output buffer before a put waits for the socket.
constexpr std::size_t FLUSH_EVERY = std::size_t{256} << 10;

constexpr const char* SETTINGS =
    "SET search_path = pg_catalog; SET default_transaction_read_only = off; SET statement_timeout = 0; SET lock_timeout = 0; "
    "SET idle_in_transaction_session_timeout = 0; SET row_security = off; SET client_min_messages = error; SET client_encoding = ";

struct ResultDeleter {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

Rows toRows(const PGresult* result) {
    Rows rows;
    const int columns = PQnfields(result);
    for (int c = 0; c < columns; ++c) {
        rows.columns.emplace_back(PQfname(result, c));
    }
    rows.affected = std::atol(PQcmdTuples(const_cast<PGresult*>(result)));
    for (int r = 0; r < PQntuples(result); ++r) {
        std::vector<std::optional<std::string>> values;
        for (int c = 0; c < columns; ++c) {
            values.push_back(PQgetisnull(result, r, c) != 0
                                 ? std::nullopt
                                 : std::optional<std::string>(
                                       std::string(PQgetvalue(result, r, c), static_cast<std::size_t>(PQgetlength(result, r, c)))));
        }
        rows.rows.push_back(std::move(values));
    }
    return rows;
}

std::string oneLine(const char* text) {
    return plainText(text == nullptr ? "" : text, 600);
}

} // namespace

struct StreamSession::State {
    State(Connection::Options o, StreamOptions s) : options(std::move(o)), stream(std::move(s)) {}
    ~State() {
        PQfreemem(piece);
        if (session != nullptr) {
            PQfinish(session);
        }
        if (known) {
            options.lifecycle(pid, false);
        }
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    Connection::Options options;
    StreamOptions stream;
    PGconn* session = nullptr;
    char* piece = nullptr;
    bool broken = false;
    bool known = false; ///< the registry of sessions was told
    int pid = 0;
    long rows = 0;
    std::size_t unflushed = 0;

    Error lost(const std::string& why) {
        broken = true;
        return {Error::Kind::Unavailable, fmt::format("The connection to {} was lost: {}", options.label, why), {}, {}};
    }
    Error lostNow() { return lost(oneLine(PQerrorMessage(session))); }

    /// Waits until the socket can be read (or written); at the limit or when cancelled the session is given up.
    Status wait(short events, const Deadline& deadline) {
        for (;;) {
            pollfd fd{PQsocket(session), events, 0};
            const int ready = ::poll(&fd, 1, static_cast<int>(std::min(TICK, deadline.left() + Millis(1)).count()));
            if (ready > 0) {
                return {};
            }
            if (stream.cancelled && stream.cancelled()) {
                broken = true;
                return Error{Error::Kind::Refused, fmt::format("{}: stopped.", options.label), {}, {}};
            }
            if (deadline.passed()) {
                broken = true;
                return Error{Error::Kind::Timeout,
                             fmt::format("{}: nothing moved within {} s.", options.label, deadline.limit().count() / 1000),
                             {},
                             "57014"};
            }
        }
    }

    Status connect(Millis limit) {
        const Deadline deadline(limit);
        std::string text = conninfo(options.endpoint, options.database, options.applicationName, 10);
        text += stream.replication ? " replication='database'" : "";
        session = PQconnectStart(text.c_str());
        for (PostgresPollingStatusType state = PGRES_POLLING_WRITING;;) {
            if (session == nullptr || PQstatus(session) == CONNECTION_BAD || state == PGRES_POLLING_FAILED) {
                broken = true;
                return Error{Error::Kind::Unavailable,
                             fmt::format("Cannot connect to {}: {}", options.label,
                                         session == nullptr ? "out of memory" : oneLine(PQerrorMessage(session))),
                             {},
                             {}};
            }
            if (state == PGRES_POLLING_OK) {
                break;
            }
            if (const Status ready = wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline); !ready) {
                return ready;
            }
            state = PQconnectPoll(session);
        }
        PQsetnonblocking(session, 1);
        PQsetNoticeProcessor(
            session, [](void*, const char*) {}, nullptr);
        pid = PQbackendPID(session);
        if (options.lifecycle) {
            options.lifecycle(pid, true);
            known = true;
        }
        return {};
    }

    Status flush(const Deadline& deadline) {
        for (;;) {
            const int left = PQflush(session);
            if (left == 0) {
                unflushed = 0;
                return {};
            }
            if (left < 0) {
                return lostNow();
            }
            // The server may be telling us something at the same time, such as an error in mid-stream.
            if (const Status ready = wait(POLLIN | POLLOUT, deadline); !ready) {
                return ready;
            }
            if (PQconsumeInput(session) == 0) {
                return lostNow();
            }
        }
    }

    Status send(const std::string& sql, const Deadline& deadline) {
        if (broken) {
            return Error{Error::Kind::Unavailable, fmt::format("The connection to {} is closed.", options.label), {}, {}};
        }
        return PQsendQuery(session, sql.c_str()) == 1 ? flush(deadline) : Status(lostNow());
    }

    /// The next result; a null pointer after the last.
    Result<ResultPtr> receive(const Deadline& deadline) {
        while (PQisBusy(session) != 0) {
            if (const Status ready = wait(POLLIN, deadline); !ready) {
                return ready.error();
            }
            if (PQconsumeInput(session) == 0) {
                return lostNow();
            }
        }
        return ResultPtr(PQgetResult(session));
    }

    Error errorOf(const PGresult* result) {
        const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char* detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
        const char* context = PQresultErrorField(result, PG_DIAG_CONTEXT);
        const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        if (state == nullptr || PQstatus(session) == CONNECTION_BAD) {
            return lost(oneLine(PQresultErrorMessage(result)));
        }
        return {Error::Kind::Server,
                fmt::format("{}: {}{}{}{}{}", options.label, oneLine(primary), detail != nullptr ? " " : "", oneLine(detail),
                            context != nullptr ? "; " : "", oneLine(context)),
                {},
                state};
    }

    /// Takes all that is left of a command; the first error wins.
    Status drain(const Deadline& deadline, Rows* last = nullptr) {
        Status status;
        for (;;) {
            Result<ResultPtr> result = receive(deadline);
            if (!result) {
                return result.error();
            }
            if (*result == nullptr) {
                return broken && status.ok() ? Status(lostNow()) : status;
            }
            const ExecStatusType kind = PQresultStatus(result->get());
            if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK) {
                rows = std::atol(PQcmdTuples(result->get()));
                if (last != nullptr) {
                    *last = toRows(result->get());
                }
            } else if (kind == PGRES_COPY_IN) {
                PQputCopyEnd(session, "not expected");
            } else if (status.ok() && kind != PGRES_EMPTY_QUERY) {
                status = errorOf(result->get());
            }
            if (PQstatus(session) == CONNECTION_BAD) {
                broken = true;
                return status.ok() ? Status(lostNow()) : status;
            }
        }
    }

    Status beginCopy(const std::string& sql, ExecStatusType wanted, Millis limit) {
        const Deadline deadline(limit);
        if (const Status sent = send(sql, deadline); !sent) {
            return sent;
        }
        Result<ResultPtr> result = receive(deadline);
        if (!result) {
            return result.error();
        }
        if (*result != nullptr && PQresultStatus(result->get()) == wanted) {
            unflushed = 0;
            return {};
        }
        const Error error = *result != nullptr ? errorOf(result->get()) : lostNow();
        static_cast<void>(drain(deadline));
        return error;
    }

    /// During COPY IN a server speaks only to say that it failed; libpq would tell that at the end of the stream only.
    [[nodiscard]] bool hasSpoken() const {
        pollfd fd{PQsocket(session), POLLIN, 0};
        return ::poll(&fd, 1, 0) > 0;
    }
    Status endEarly(const Deadline& deadline) {
        if (PQconsumeInput(session) == 0 || PQputCopyEnd(session, "the server spoke in mid-stream") < 0) {
            return lostNow();
        }
        const Status flushed = flush(deadline);
        const Status ended = flushed.ok() ? drain(deadline) : flushed;
        return ended.ok() ? Status(lost("a COPY that was broken off has ended well")) : ended;
    }

    void report(const std::string& text, std::chrono::steady_clock::time_point begin, const Status& status, long count) const {
        if (options.observer) {
            const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
            options.observer({options.label, text, ms, count,
                              status.ok()                       ? std::string()
                              : status.error().sqlstate.empty() ? "08000"
                                                                : status.error().sqlstate});
        }
    }
};

StreamSession::StreamSession(std::unique_ptr<State> state) : m_state(std::move(state)) {}
StreamSession::~StreamSession() = default;

Result<std::unique_ptr<StreamSession>> StreamSession::open(Connection::Options options, StreamOptions stream, Millis limit) {
    auto state = std::make_unique<State>(std::move(options), std::move(stream));
    if (const Status connected = state->connect(limit); !connected) {
        return connected.error();
    }
    const std::string encoding = quoteLiteral(state->stream.clientEncoding.empty() ? "UTF8" : state->stream.clientEncoding);
    const bool replication = state->stream.replication;
    auto session = std::unique_ptr<StreamSession>(new StreamSession(std::move(state)));
    if (!replication) {
        if (const Result<Rows> set = session->run(SETTINGS + encoding, limit); !set) {
            return set.error();
        }
    }
    return session;
}

Result<Rows> StreamSession::run(const std::string& sql, Millis limit) {
    const auto begin = std::chrono::steady_clock::now();
    const Deadline deadline(limit);
    Rows rows;
    Status status = m_state->send(sql, deadline);
    status = status.ok() ? m_state->drain(deadline, &rows) : status;
    m_state->report(sql, begin, status, static_cast<long>(rows.size()));
    return status.ok() ? Result<Rows>(std::move(rows)) : Result<Rows>(status.error());
}

Status StreamSession::beginCopyOut(const std::string& sql, Millis limit) {
    return m_state->beginCopy(sql, PGRES_COPY_OUT, limit);
}

Result<std::optional<std::string_view>> StreamSession::next() {
    State& s = *m_state;
    PQfreemem(s.piece);
    s.piece = nullptr;
    const Deadline deadline(s.stream.stall);
    for (;;) {
        const int length = PQgetCopyData(s.session, &s.piece, 1);
        if (length > 0) {
            return std::optional(std::string_view(s.piece, static_cast<std::size_t>(length)));
        }
        if (length == -1) {
            const Status ended = s.drain(deadline);
            return ended.ok() ? Result<std::optional<std::string_view>>(std::nullopt) : ended.error();
        }
        if (length == -2) {
            return s.lostNow();
        }
        if (const Status ready = s.wait(POLLIN, deadline); !ready) {
            return ready.error();
        }
        if (PQconsumeInput(s.session) == 0) {
            return s.lostNow();
        }
    }
}

Status StreamSession::beginCopyIn(const std::string& sql, Millis limit) {
    return m_state->beginCopy(sql, PGRES_COPY_IN, limit);
}

Status StreamSession::put(std::string_view piece) {
    State& s = *m_state;
    const Deadline deadline(s.stream.stall);
    // libpq takes lengths as int; a row is never that long, but a caller's piece might be.
    constexpr std::size_t LARGEST = std::size_t{1} << 28;
    for (std::size_t at = 0; at < piece.size(); at += LARGEST) {
        const std::string_view part = piece.substr(at, LARGEST);
        for (int taken = 0; taken != 1;) {
            taken = PQputCopyData(s.session, part.data(), static_cast<int>(part.size()));
            if (taken < 0) {
                return s.lostNow();
            }
            if (const Status flushed = taken == 0 ? s.flush(deadline) : Status(); !flushed) {
                return flushed;
            }
        }
        s.unflushed += part.size();
        if (s.unflushed >= FLUSH_EVERY) {
            if (const Status flushed = s.flush(deadline); !flushed) {
                return flushed;
            }
            if (s.hasSpoken()) {
                return s.endEarly(deadline);
            }
        }
    }
    return {};
}

Status StreamSession::endCopyIn(Millis limit) {
    State& s = *m_state;
    const Deadline deadline(limit);
    for (int taken = 0; taken != 1;) {
        taken = PQputCopyEnd(s.session, nullptr);
        if (taken < 0) {
            return s.lostNow();
        }
        if (const Status flushed = s.flush(deadline); !flushed) {
            return flushed;
        }
    }
    return s.drain(deadline);
}

long StreamSession::rowsCopied() const {
    return m_state->rows;
}
bool StreamSession::broken() const {
    return m_state->broken;
}
int StreamSession::backendPid() const {
    return m_state->pid;
}
int StreamSession::serverVersion() const {
    return PQserverVersion(m_state->session);
}
const std::string& StreamSession::label() const {
    return m_state->options.label;
}

} // namespace tealdeck
