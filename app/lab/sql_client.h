// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

struct pg_conn;

namespace tealdeck {

struct LabState;

/// A plain libpq connection for the lab's own chores; one thread at a time.
class SqlClient {
  public:
    using Rows = std::vector<std::vector<std::string>>;

    /// Connects within the seconds given (libpq takes 2 at least).
    static Result<SqlClient> connect(const std::map<std::string, std::string>& parameters, int timeoutSeconds = 10);
    /// Runs one or more statements; rows of the last one, NULL as an empty text.
    Result<Rows> query(const std::string& sql);
    Status run(const std::string& sql);

  private:
    struct Finish {
        void operator()(pg_conn* connection) const;
    };
    std::unique_ptr<pg_conn, Finish> m_connection;
};

/// Parameters for a role of the lab on a server's port, over TLS with everything verified.
std::map<std::string, std::string> labConnection(const LabState& state, int port, const std::string& user, const std::string& database);

/// 'text' with quotes doubled, for passwords and names that the lab makes itself.
std::string sqlLiteral(const std::string& text);

} // namespace tealdeck
