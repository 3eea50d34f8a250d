// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/postgres/connection.h"

#include "core/postgres/sql.h"
#include "core/util/cpu_time.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <future>
#include <mutex>
#include <pqxx/pqxx>
#include <sys/socket.h>
#include <thread>

// 6.4 calls some of its own deprecated, and 7.10 the forms that 6 and 7 share.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace tealdeck {
namespace {

/// After a cancel request the server gets this long to answer before the socket is shut down.
constexpr Millis CANCEL_GRACE{300};

struct Job {
    std::string sql;
    Parameters parameters;
    bool simple = false;
    bool secret = false;
    std::promise<Result<Rows>> answer;
};

Rows toRows(const pqxx::result& result) {
    Rows rows;
    for (pqxx::row::size_type c = 0; c < result.columns(); ++c) {
        rows.columns.emplace_back(result.column_name(c));
    }
    rows.affected = static_cast<long>(result.affected_rows());
    rows.rows.reserve(static_cast<std::size_t>(result.size()));
    for (const auto& row : result) {
        std::vector<std::optional<std::string>> values;
        values.reserve(rows.columns.size());
        for (const auto& field : row) {
            values.push_back(field.is_null() ? std::nullopt : std::optional<std::string>(std::string(field.c_str(), field.size())));
        }
        rows.rows.push_back(std::move(values));
    }
    return rows;
}

std::string firstLine(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    for (char& c : text) {
        if (c == '\n' || c == '\t') {
            c = ' ';
        }
    }
    return text;
}

} // namespace

std::string Rows::text(std::size_t row, std::size_t column) const {
    return row < rows.size() && column < rows[row].size() ? rows[row][column].value_or("") : std::string();
}

std::optional<std::string> Rows::single() const {
    return rows.empty() || rows[0].empty() ? std::nullopt : rows[0][0];
}

/// Shared by the caller's object and the worker thread, which may outlive it while a frozen server keeps it waiting.
struct Connection::Worker : std::enable_shared_from_this<Connection::Worker> {
    explicit Worker(Options o) : options(std::move(o)) {}

    Options options;
    std::mutex mutex; ///< guards queue and closing
    std::condition_variable wake;
    std::deque<Job> queue;
    bool closing = false;
    std::mutex sessionMutex; ///< held while session is made, cancelled or destroyed; never by a caller that must not wait
    std::unique_ptr<pqxx::connection> session;
    std::atomic<int> socket{-1};
    std::atomic<int> pid{0};
    std::atomic<int> version{0};
    std::atomic<bool> broken{false};

    void run(std::promise<Status> opened, Millis limit) {
        Status status = connect(limit);
        const bool fine = status.ok();
        if (fine && options.lifecycle) {
            options.lifecycle(pid, true);
        }
        opened.set_value(std::move(status));
        if (fine) {
            serve();
        }
        broken = true;
        if (fine && options.lifecycle) {
            options.lifecycle(pid, false);
        }
        {
            const std::lock_guard lock(mutex);
            for (Job& job : queue) {
                job.answer.set_value(lostError());
            }
            queue.clear();
        }
        const std::lock_guard lock(sessionMutex);
        socket = -1;
        m_quiet.reset();
        session.reset();
    }

    Status connect(Millis limit) {
        // libpq counts in whole seconds and takes less than two as two.
        const int seconds = static_cast<int>(std::max<std::int64_t>(2, (limit.count() + 999) / 1000));
        try {
            auto opened =
                std::make_unique<pqxx::connection>(conninfo(options.endpoint, options.database, options.applicationName, seconds));
#if PQXX_VERSION_MAJOR < 7
            opened->inhibit_reactivation(true); // a silent reconnect would lose locks and session settings
#endif
            m_quiet = std::make_unique<pqxx::quiet_errorhandler>(*opened);
            pqxx::nontransaction tx(*opened);
            tx.exec(
                "SET search_path = pg_catalog; SET default_transaction_read_only = off; SET statement_timeout = 0; SET lock_timeout = 0; "
                "SET idle_in_transaction_session_timeout = 0");
            socket = opened->sock();
            pid = opened->backendpid();
            version = opened->server_version();
            const std::lock_guard lock(sessionMutex);
            session = std::move(opened);
            return {};
        } catch (const std::exception& failure) {
            return Error{
                Error::Kind::Unavailable, fmt::format("Cannot connect to {}: {}", options.label, firstLine(failure.what())), {}, {}};
        }
    }

    void serve() {
        for (;;) {
            Job job;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [&] { return closing || !queue.empty(); });
                if (queue.empty()) {
                    return;
                }
                job = std::move(queue.front());
                queue.pop_front();
            }
            const auto begin = std::chrono::steady_clock::now();
            const std::int64_t cpuBegin = threadCpuUs();
            Result<Rows> result = execute(job);
            if (options.observer) {
                const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
                options.observer({options.label, job.secret ? "(secret)" : job.sql, ms, result.ok() ? static_cast<long>(result->size()) : 0,
                                  result.ok()                       ? std::string()
                                  : result.error().sqlstate.empty() ? "08000"
                                                                    : result.error().sqlstate,
                                  static_cast<double>(threadCpuUs() - cpuBegin) / 1000.0});
            }
            const bool lost = broken;
            job.answer.set_value(std::move(result));
            if (lost) {
                return;
            }
        }
    }

    Result<Rows> execute(const Job& job) {
        try {
            pqxx::nontransaction tx(*session);
            if (job.simple) {
                return toRows(tx.exec(job.sql));
            }
            std::vector<const char*> values;
            values.reserve(job.parameters.size());
            for (const auto& parameter : job.parameters) {
                values.push_back(parameter ? parameter->c_str() : nullptr);
            }
            return toRows(tx.exec_params(job.sql, pqxx::prepare::make_dynamic_params(values)));
        } catch (const pqxx::broken_connection& failure) {
            // Also thrown for SQLSTATEs of class 08, such as a subscription that can't reach its publisher: then this session is well.
            if (!broken && session->is_open()) {
                if (job.simple) {
                    leaveTransaction();
                }
                return Error{Error::Kind::Server, fmt::format("{}: {}", options.label, firstLine(failure.what())), {}, "08001"};
            }
            broken = true;
            return Error{Error::Kind::Unavailable,
                         fmt::format("The connection to {} was lost: {}", options.label, firstLine(failure.what())),
                         {},
                         {}};
        } catch (const pqxx::sql_error& failure) {
            // libpqxx before 7 reports a connection that ends in mid-statement as an error without a state; but it also forgets the state
            // of a denied permission, which leaves the session as it was.
            const bool denied = dynamic_cast<const pqxx::insufficient_privilege*>(&failure) != nullptr;
            const std::string state = denied ? "42501" : failure.sqlstate();
            broken = broken || state.empty() || !session->is_open();
            if (job.simple && !broken) {
                leaveTransaction();
            }
            return Error{broken ? Error::Kind::Unavailable : Error::Kind::Server,
                         fmt::format("{}: {}", options.label, firstLine(failure.what())),
                         {},
                         state};
        } catch (const std::exception& failure) {
            broken = broken || !session->is_open();
            return Error{Error::Kind::Unavailable, fmt::format("{}: {}", options.label, firstLine(failure.what())), {}, {}};
        }
    }

    /// A batch that failed after its BEGIN leaves the session in a transaction that refuses everything.
    void leaveTransaction() {
        try {
            pqxx::nontransaction(*session).exec("ROLLBACK");
        } catch (const std::exception&) {
            broken = true;
        }
    }

    Error lostError() const {
        return {Error::Kind::Unavailable, fmt::format("The connection to {} is closed.", options.label), {}, {}};
    }

    void cancel() {
        // On a thread of its own: a frozen server accepts the cancel's connection and never answers it.
        std::thread([self = shared_from_this()] {
            try {
                const std::lock_guard lock(self->sessionMutex);
                if (self->session && !self->broken) {
                    self->session->cancel_query();
                }
            } catch (const std::exception&) {
                // The caller's next step, shutting the socket, does not depend on this.
            }
        }).detach();
    }

    void breakOff() {
        broken = true;
        const int fd = socket;
        if (fd >= 0) {
            ::shutdown(fd, SHUT_RDWR);
        }
    }

  private:
    std::unique_ptr<pqxx::quiet_errorhandler> m_quiet;
};

struct Connection::Pending::State {
    std::shared_ptr<Worker> worker;
    std::future<Result<Rows>> answer;
    Deadline deadline;
};

Connection::Pending::Pending(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Connection::Pending::Pending(Pending&&) noexcept = default;
Connection::Pending& Connection::Pending::operator=(Pending&&) noexcept = default;
Connection::Pending::~Pending() {
    if (m_state) {
        static_cast<void>(wait());
    }
}

bool Connection::Pending::ready() const {
    return !m_state || m_state->answer.wait_for(Millis(0)) == std::future_status::ready;
}

Result<Rows> Connection::Pending::wait() {
    const std::unique_ptr<State> state = std::move(m_state);
    if (state->answer.wait_until(state->deadline.at()) == std::future_status::ready) {
        return state->answer.get();
    }
    const Error timeout{Error::Kind::Timeout,
                        fmt::format("{} did not answer within {} ms.", state->worker->options.label, state->deadline.limit().count()),
                        {},
                        "57014"};
    state->worker->cancel();
    if (state->answer.wait_for(CANCEL_GRACE) == std::future_status::ready) {
        Result<Rows> late = state->answer.get();
        return late.ok() || late.error().kind == Error::Kind::Unavailable ? std::move(late) : Result<Rows>(timeout);
    }
    state->worker->breakOff();
    state->answer.wait_for(CANCEL_GRACE);
    return timeout;
}

Result<Rows> Connection::Pending::abandon(Millis grace) {
    m_state->worker->cancel();
    m_state->deadline = Deadline(grace);
    return wait();
}

Connection::Connection(std::shared_ptr<Worker> worker) : m_worker(std::move(worker)) {}

Result<std::unique_ptr<Connection>> Connection::open(Options options, Millis limit) {
    auto worker = std::make_shared<Worker>(std::move(options));
    std::promise<Status> opened;
    std::future<Status> future = opened.get_future();
    std::thread([worker, limit, promise = std::move(opened)]() mutable { worker->run(std::move(promise), limit); }).detach();
    if (future.wait_for(limit) != std::future_status::ready) {
        const std::lock_guard lock(worker->mutex);
        worker->closing = true;
        return Error{Error::Kind::Timeout,
                     fmt::format("{} did not accept a connection within {} ms.", worker->options.label, limit.count()),
                     {},
                     {}};
    }
    if (const Status status = future.get(); !status) {
        return status.error();
    }
    return std::unique_ptr<Connection>(new Connection(std::move(worker)));
}

Connection::~Connection() {
    {
        const std::lock_guard lock(m_worker->mutex);
        m_worker->closing = true;
    }
    m_worker->wake.notify_all();
}

Connection::Pending Connection::submit(std::string sql, Parameters parameters, bool simple, bool secret, Millis limit) {
    Job job{std::move(sql), std::move(parameters), simple, secret, {}};
    auto state = std::unique_ptr<Pending::State>(new Pending::State{m_worker, job.answer.get_future(), Deadline(limit)});
    {
        const std::lock_guard lock(m_worker->mutex);
        if (m_worker->broken || m_worker->closing) {
            job.answer.set_value(m_worker->lostError());
        } else {
            m_worker->queue.push_back(std::move(job));
        }
    }
    m_worker->wake.notify_one();
    return Pending(std::move(state));
}

Result<Rows> Connection::query(const std::string& sql, const Parameters& parameters, Millis limit) {
    return submit(sql, parameters, false, false, limit).wait();
}
Result<Rows> Connection::batch(const std::string& sql, Millis limit) {
    return submit(sql, {}, true, false, limit).wait();
}
Result<Rows> Connection::secretBatch(const std::string& sql, Millis limit) {
    return submit(sql, {}, true, true, limit).wait();
}
Connection::Pending Connection::start(const std::string& sql, Millis limit) {
    return submit(sql, {}, true, false, limit);
}
void Connection::cancel() {
    m_worker->cancel();
}
void Connection::breakOff() {
    m_worker->breakOff();
}
bool Connection::broken() const {
    return m_worker->broken;
}
int Connection::backendPid() const {
    return m_worker->pid;
}
int Connection::serverVersion() const {
    return m_worker->version;
}
const std::string& Connection::label() const {
    return m_worker->options.label;
}

} // namespace tealdeck
