// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/phase.h"
#include "core/postgres/connection.h"
#include "core/util/json.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tealdeck {

/// What one database is allowed to be: its row in tealdeck.side.
enum class SideRole { None, Primary, Fenced, Replica, Received };
const char* sideRoleName(SideRole role);

struct SideRow {
    SideRole role = SideRole::None; ///< None: there is no control schema here
    std::int64_t generation = 0;    ///< number of finished switches
    std::string token;
    std::string lsn;
};

/// The deployment's row: what another console reads to take over.
struct DeploymentRow {
    std::int64_t epoch = 0;
    Phase phase = Phase::Plan;
    std::string planSha256;
    std::string recordingId;
    Json info = Json::object();
};

namespace control {

/// Makes or completes the control schema in the database of the session.
Status install(Connection& session);
/// Writes the side row if there is none: blue begins as primary, green as replica, generation 0.
Status initialiseSide(Connection& session, const std::string& deployment, Side side);
/// Role None when the control schema is not there; any other failure is an error.
Result<SideRow> readSide(Connection& session);
/// std::nullopt when the deployment is not known here.
Result<std::optional<DeploymentRow>> readDeployment(Connection& session, const std::string& deployment);
/// Refused when a newer epoch stands there: another engine has taken the deployment over. No row: not replaced.
Status notReplaced(Connection& session, const std::string& deployment, std::int64_t epoch);
/// Makes the epoch known before its engine does anything; false: there is one at least as great already. No row: nothing to claim.
Result<bool> claimEpoch(Connection& session, const std::string& deployment, const std::string& holder, std::int64_t epoch);
Status writeDeployment(Connection& session, const std::string& deployment, const std::string& holder, const DeploymentRow& row,
                       const std::string& headHash);
Status writeJournal(Connection& session, const std::string& deployment, std::int64_t epoch, const std::string& step,
                    const std::string& state, const Json& detail = Json::object());
/// A value that must be given back later; the first one written wins.
Status saveOnce(Connection& session, const std::string& key, const Json& value);
Result<std::optional<Json>> readSaved(Connection& session, const std::string& key);
/// Drops the control schemas.
Status remove(Connection& session);

} // namespace control

/// "One driver": session-level advisory locks on both primaries, on direct connections (through a pooler they would be no locks).
class DriverLock {
  public:
    /// Refused when another session holds it; the message names it. With takeover the other's sessions are ended first.
    static Result<std::unique_ptr<DriverLock>> acquire(const Connector& connector, const std::string& deployment, bool takeover,
                                                       Millis limit);
    /// False when one of the sessions was lost: the engine must stop acting.
    [[nodiscard]] bool held() const;
    [[nodiscard]] std::vector<int> pids(Side side) const;

  private:
    std::unique_ptr<Connection> m_blue;
    std::unique_ptr<Connection> m_green;
};

} // namespace tealdeck
