// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tealdeck {

struct StreamOptions {
    bool replication = false;              ///< a connection of the replication protocol with this database
    std::string clientEncoding;            ///< empty: UTF8
    std::function<bool()> cancelled;       ///< asked ten times a second during every wait; may be empty
    Millis stall{std::chrono::minutes(2)}; ///< a stream in which nothing moves for so long is broken off
};

/// A session that belongs to one thread: statements, COPY streams and commands of the replication protocol, straight on libpq. Every wait
/// has a limit and can be cancelled; what runs then is given up by closing the socket, so the session is broken afterwards.
/// libpq holds one row at a time, so memory is bounded by the longest row and not by the table.
class StreamSession {
  public:
    /// With the settings of a Connection (search_path = pg_catalog, no timeouts, writes allowed) unless it speaks the replication protocol.
    static Result<std::unique_ptr<StreamSession>> open(Connection::Options options, StreamOptions stream, Millis limit);
    ~StreamSession();
    StreamSession(const StreamSession&) = delete;
    StreamSession& operator=(const StreamSession&) = delete;

    /// One or several statements in one round trip; the result of the last. None of them may be a COPY.
    Result<Rows> run(const std::string& sql, Millis limit = Millis(10000));

    /// Begins COPY … TO STDOUT.
    Status beginCopyOut(const std::string& sql, Millis limit = Millis(60000));
    /// The next piece, valid until the next call; std::nullopt: the end, and rowsCopied() tells how many the server sent.
    Result<std::optional<std::string_view>> next();

    /// Begins COPY … FROM STDIN.
    Status beginCopyIn(const std::string& sql, Millis limit = Millis(60000));
    Status put(std::string_view piece);
    /// Ends the stream; rowsCopied() tells how many the server took.
    Status endCopyIn(Millis limit);
    [[nodiscard]] long rowsCopied() const;

    /// True when the session can't be used any more.
    [[nodiscard]] bool broken() const;
    [[nodiscard]] int backendPid() const;
    [[nodiscard]] int serverVersion() const; ///< as server_version_num
    [[nodiscard]] const std::string& label() const;

  private:
    struct State;
    explicit StreamSession(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace tealdeck
