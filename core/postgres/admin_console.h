// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <memory>
#include <string>

namespace tealdeck {

/// A session with PgBouncer's admin console, or with whoever is behind an endpoint. Not a Connection: the console speaks only the simple protocol, one command at a time, and its
/// version number makes libpqxx refuse it. Not thread-safe; one object for each command that may have to wait (a PAUSE that is never
/// answered occupies its session, see pgbouncer(1)).
class AdminConsole {
  public:
    struct Options {
        std::string host;
        int port = 6432;
        std::string user;
        std::string passfile;
        std::string sslmode = "prefer";
        std::string sslrootcert;
        std::string label;                  ///< for messages
        std::string hostaddr = {};          ///< address of the host; empty: as the system resolves it
        std::string database = "pgbouncer"; ///< another one: a server's, to ask a single question through an endpoint
    };
    static Result<std::unique_ptr<AdminConsole>> open(const Options& options, Millis limit);
    ~AdminConsole();
    AdminConsole(const AdminConsole&) = delete;
    AdminConsole& operator=(const AdminConsole&) = delete;

    /// One command and its answer. After a Timeout the session is closed: what was asked may still happen.
    Result<Rows> command(const std::string& text, Millis limit);
    /// Sends and returns; finish() waits for the answer.
    Status begin(const std::string& text);
    Result<Rows> finish(Millis limit);
    [[nodiscard]] bool broken() const { return m_connection == nullptr; }

  private:
    AdminConsole(void* connection, std::string label) : m_connection(connection), m_label(std::move(label)) {}
    void close();
    void* m_connection; ///< PGconn, kept out of the header
    std::string m_label;
};

} // namespace tealdeck
