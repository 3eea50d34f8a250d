// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/client_pauses.h"
#include "core/plan/plan.h"
#include "core/postgres/admin_console.h"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tealdeck {

/// A line of SHOW DATABASES.
struct PoolerDatabase {
    std::string name; ///< as clients ask for it
    std::string host; ///< empty: PgBouncer's default Unix socket
    int port = 0;
    std::string database; ///< name at the server
    bool paused = false;
    bool disabled = false;
    std::string poolMode; ///< the one in force: the database's own or the instance's
};

struct PoolerStatus {
    std::vector<PoolerDatabase> databases;
    std::map<std::string, std::string> config; ///< SHOW CONFIG
    std::string version;                       ///< "1.18.0"
};

/// One PgBouncer on the way of the writes: its admin console and the file with its databases.
///
/// Two sessions work side by side, because a PAUSE that is never answered occupies its session for ever: beginPause and finishPause use
/// one session a database, everything else another. So finishPause may wait on one thread while resume or status run on another;
/// otherwise one thread at a time.
class PgBouncer {
  public:
    PgBouncer(PgBouncerPlan instance, const Plan& plan);
    [[nodiscard]] const std::string& name() const { return m_instance.name; }
    [[nodiscard]] const PgBouncerPlan& instance() const { return m_instance; }

    /// Opens a new session when the pooler was restarted since the last call.
    Result<PoolerStatus> status(Millis limit);
    /// Of the status only the databases, with one question instead of three: cheap enough for each sample. poolMode is empty where the
    /// instance's is in force.
    Result<std::vector<PoolerDatabase>> databases(Millis limit);
    /// The side whose primary all databases of the plan point to. Conflict when they point to both or to something else.
    Result<Side> target(Millis limit);
    /// The same from databases that are already there.
    [[nodiscard]] Result<Side> targetOf(const std::vector<PoolerDatabase>& databases) const;

    /// Writes <databases_file>.tealdeck-<side> beside the file, with its owner and mode: the same bytes, only host= and port= of the
    /// plan's databases replaced. Conflict when a database of the plan has no entry.
    Status stage(Side side);
    /// Opens, or proves alive, the sessions that the pause needs.
    Status warm(Millis limit);
    /// Waits until no server connection of the plan's databases is logging in. PAUSE closes those too, and PgBouncer then counts the log-in
    /// as failed: clients that ask right after RESUME, before the first new log-in, are turned away with 08P01 "server login has been
    /// failing" (pgbouncer pull request 420, seen with 1.18). Timeout when one still does.
    Status awaitLogins(Millis limit);
    /// Sends PAUSE for every database of the plan at once. Opens the sessions if warm() was not called.
    Status beginPause();
    /// Waits until all are paused: transactions ended and server connections closed. On any error the pause may still be in force or
    /// come later, also after a Timeout: the caller must resume(). Sessions that were not answered are closed.
    Status finishPause(Millis limit);
    /// Asks the console, on a session whose PAUSE was answered, which clients wait, and does not wait for the answer: the pause does not
    /// grow by it. Nothing happens when no such session is there.
    void askWhoWaits();
    /// The answer to askWhoWaits: the waits as they were when it was asked. Nothing was asked: no groups. The direction is the caller's.
    Result<ClientPauses> whoWaits(Millis limit);
    /// Renames the staged file over the databases file; no reload. Stages again when there is no staged file or the databases file was
    /// edited since. Durable when it returns (one fsync of the folder). With a push program it has run as well.
    Status publish(Side side);
    /// RELOAD. Older versions answer so even when they could not read the file: prove it with target(). Values that were SET on the
    /// console are lost.
    Status reload(Millis limit);
    /// RESUME of every database of the plan; fine for those that are not paused. Works while a PAUSE hangs.
    Status resume(Millis limit);
    /// RECONNECT: server connections are closed when they are next released. Never for a write switch: old and new would coexist.
    Status reconnect(Millis limit);
    /// SET on the console, such as server_login_retry = 0; lost at the next reload.
    Status set(const std::string& key, const std::string& value, Millis limit);

    /// Keeps the exact bytes of the databases file; does nothing when the copy is already there (0600).
    Status saveOriginal(const std::filesystem::path& path) const;
    /// Puts the saved bytes back and reloads.
    Status restoreOriginal(const std::filesystem::path& path, Millis limit);
    /// The system identifier of the server behind the pooler's databases, asked as the plan's probe_user; std::nullopt without one.
    Result<std::optional<std::string>> identity(Millis limit);
    /// Where stage() writes.
    [[nodiscard]] std::filesystem::path stagedFile(Side side) const;

  private:
    [[nodiscard]] AdminConsole::Options options(const std::string& use) const;
    Result<Rows> control(const std::string& command, Millis limit);
    Status forEveryDatabase(const std::string& command, Millis limit, const std::string& fineError);
    [[nodiscard]] Result<std::string> rendered(Side side) const;
    Status openPauseSessions(Millis limit);
    /// Hands the file to the plan's push program, if there is one.
    Status push(const std::string& to, const std::string& bytes, Millis limit) const;

    PgBouncerPlan m_instance;
    Endpoint m_blue; ///< as the pooler reaches it
    Endpoint m_green;
    std::mutex m_controlMutex; ///< guards m_control
    std::unique_ptr<AdminConsole> m_control;
    std::vector<std::unique_ptr<AdminConsole>> m_pause; ///< as m_instance.databases
    bool m_pausing = false;                             ///< beginPause was called and finishPause was not
    bool m_asked = false;                               ///< the first of m_pause owes the answer to askWhoWaits
};

} // namespace tealdeck
