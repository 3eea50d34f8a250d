// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/util/clock.h"
#include "core/util/result.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// A result set as plain values: text as the server sent it, std::nullopt for NULL.
struct Rows {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
    long affected = 0; ///< rows that INSERT, UPDATE or DELETE changed

    [[nodiscard]] bool empty() const { return rows.empty(); }
    [[nodiscard]] std::size_t size() const { return rows.size(); }
    /// The value as text; NULL, or a row or column that is not there, reads as "".
    [[nodiscard]] std::string text(std::size_t row, std::size_t column) const;
    /// The first column of the first row; std::nullopt when there is none or it is NULL.
    [[nodiscard]] std::optional<std::string> single() const;
};

/// A statement that was run, for the record. Parameters are never part of it.
struct StatementReport {
    std::string server; ///< "blue/shop", "green/replica-1/shop"
    std::string text;   ///< "(secret)" for statements that carry one
    double ms = 0;
    long rows = 0;
    std::string sqlstate; ///< empty when it worked
    double cpuMs = 0;     ///< processor time that it cost us, not the server
};
using StatementObserver = std::function<void(const StatementReport&)>;

using Parameters = std::vector<std::optional<std::string>>;

/// One session with one server, on a thread of its own, so that no caller can hang: every statement has a limit. When it passes, the
/// statement is cancelled out of band; if the server does not answer to that either, the socket is shut down and the session is broken.
/// Callers may be on any thread; statements run in the order in which they were given.
class Connection {
  public:
    struct Options {
        Endpoint endpoint;
        std::string database;        ///< empty: the endpoint's own
        std::string applicationName; ///< as pg_stat_activity shows it
        std::string label;           ///< "blue/shop", for messages
        StatementObserver observer;
        std::function<void(int pid, bool open)> lifecycle; ///< told when the session begins and ends; called on its thread
    };

    /// Connects within the limit; the session has search_path = pg_catalog, UTF8, no statement timeout and writes allowed
    /// (a database's default_transaction_read_only must not lock us out).
    static Result<std::unique_ptr<Connection>> open(Options options, Millis limit);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// A statement with parameters $1…; its result or the server's error.
    Result<Rows> query(const std::string& sql, const Parameters& parameters = {}, Millis limit = Millis(10000));
    /// Several statements in one round trip (simple protocol); the result of the last.
    Result<Rows> batch(const std::string& sql, Millis limit = Millis(10000));
    /// As batch, but the text holds a secret and is not shown to the observer.
    Result<Rows> secretBatch(const std::string& sql, Millis limit = Millis(10000));

    /// A statement under way. Dropping it waits for the statement, at most until its limit.
    class Pending {
      public:
        Pending(Pending&&) noexcept;
        Pending& operator=(Pending&&) noexcept;
        ~Pending();
        /// Waits for the answer, at most until the limit; call once.
        Result<Rows> wait();
        [[nodiscard]] bool ready() const;
        /// Gives up: cancels the statement and, if the server does not answer to that within the grace, breaks the session off. The answer
        /// if one came after all.
        Result<Rows> abandon(Millis grace);

      private:
        friend class Connection;
        struct State;
        explicit Pending(std::unique_ptr<State> state);
        std::unique_ptr<State> m_state;
    };
    /// Sends the batch and returns at once.
    Pending start(const std::string& sql, Millis limit);

    /// Asks the server to cancel what runs now; returns at once.
    void cancel();
    /// Shuts the socket: whatever runs fails at once, the session is over. Safe while another thread waits.
    void breakOff();
    [[nodiscard]] bool broken() const;
    [[nodiscard]] int backendPid() const;
    [[nodiscard]] int serverVersion() const; ///< as server_version_num, such as 150020
    [[nodiscard]] const std::string& label() const;

  private:
    struct Worker;
    explicit Connection(std::shared_ptr<Worker> worker);
    Pending submit(std::string sql, Parameters parameters, bool simple, bool secret, Millis limit);
    std::shared_ptr<Worker> m_worker;
};

class StreamSession;
struct StreamOptions;

/// Opens the sessions of one life of the engine, all under one application name.
class Connector {
  public:
    Connector(Plan plan, std::string applicationName, StatementObserver observer = {});
    /// The same, with another observer; sessions of both are known to pids().
    [[nodiscard]] Connector observedBy(StatementObserver observer) const;
    /// The same, with one observer more.
    [[nodiscard]] Connector alsoObservedBy(StatementObserver observer) const;
    [[nodiscard]] const Plan& plan() const { return m_plan; }
    [[nodiscard]] const std::string& applicationName() const { return m_applicationName; }
    /// A session with the side's primary.
    [[nodiscard]] Result<std::unique_ptr<Connection>> primary(Side side, const std::string& database, Millis limit = Millis(5000)) const;
    /// A session with any server of a side.
    [[nodiscard]] Result<std::unique_ptr<Connection>> server(Side side, const Endpoint& endpoint, const std::string& database,
                                                             Millis limit = Millis(5000)) const;
    /// A session for streams with the side's primary (core/postgres/stream_session.h).
    [[nodiscard]] Result<std::unique_ptr<StreamSession>> stream(Side side, const std::string& database, StreamOptions options,
                                                                Millis limit = Millis(10000)) const;
    /// Server processes of the sessions that are open now with the side's primary: what a fence must spare. Told apart by process id,
    /// because anyone can set an application_name.
    [[nodiscard]] std::vector<int> pids(Side side) const;

  private:
    struct Registry;
    [[nodiscard]] Connection::Options optionsFor(Side side, const Endpoint& endpoint, const std::string& database) const;
    Plan m_plan;
    std::string m_applicationName;
    StatementObserver m_observer;
    std::shared_ptr<Registry> m_registry;
};

} // namespace tealdeck
