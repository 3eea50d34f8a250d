// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/cutover/guardian.h"
#include "core/cutover/sessions.h"
#include "core/model/snapshot.h"
#include "core/recipe/runner.h"
#include "core/replication/link.h"
#include "core/traffic/haproxy.h"
#include "core/traffic/pgbouncer.h"
#include "core/traffic/write_router.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tealdeck {

/// What a switchover needs of the engine; everything is borrowed for its life.
struct SwitchContext {
    const Connector& connector;
    std::vector<std::unique_ptr<PgBouncer>>& poolers;
    std::vector<std::unique_ptr<Haproxy>>& balancers;
    const WriteRouters& routers; ///< move after the destination has opened
    RunRecord record;
    const std::atomic<bool>& cancel;
    std::string guardianProgram; ///< tealdeck-engine; it is run with --guardian
    std::int64_t epoch = 0;
    std::function<bool()> driverHeld;               ///< the advisory locks are still ours
    std::function<void(bool)> quiet;                ///< true: sampling and heartbeats stop; false: they go on
    std::function<void(bool past)> pointOfNoReturn; ///< tells the world, after the fact
};

/// Moves the writes along a direction: forward is the cutover, reverse the rollback. One protocol for both.
class Switchover {
  public:
    Switchover(SwitchContext context, Direction direction);
    ~Switchover();

    /// Everything up to and including the point of no return and the resumed clients. Before the point of no return each failure, Abort
    /// included, leaves the writes where they were.
    std::vector<Step> stepsToSwitch();
    /// What has to follow and can't be cancelled: the feed in the other direction, and the end of the old one. Can be repeated after a
    /// crash.
    std::vector<Step> stepsAfterSwitch();
    [[nodiscard]] bool past() const { return m_past; }
    /// False when a failed switch could not be brought to a safe side yet: servers or poolers do not answer.
    [[nodiscard]] bool settled() const { return m_settled; }
    [[nodiscard]] const SwitchReport& report() const { return m_report; }

  private:
    struct Timer;
    std::vector<Step> stepsToPrepare(); ///< what does not touch a client
    Status openSessions();
    Status moveReads();
    Status restoreReads();
    Status advanceSequences();
    Status armReturnPath(StepContext& context);
    Status disarmReturnPath();
    Status callWitness();
    Status dismissWitness();
    Status hearWitness();
    Status stagePoolers();
    Status startGuardian();
    Status gate(StepContext& context);
    Status probeOnce(Millis limit);
    Status pauseAndOpen(StepContext& context);
    Status pausePoolers();
    Status fenceAndReceive(StepContext& context);
    Status mayStillOpen(const StepContext& context) const;
    Status openDestination();
    Status resumePoolers();
    void tellWhoWaited();
    Status takeBack(const Error& reason, bool neverOpened);
    Status notReplaced(Connection& session);
    void letPoolersGo();
    Status confirmEndpoints();
    Status confirmIdentities();
    Status readOpened();
    Status endOldFeed();
    Status startReturnFeed(StepContext& context);
    Status proveReturnFeed(StepContext& context);
    [[nodiscard]] std::string keptRoles() const;
    [[nodiscard]] std::string fenceSql() const;
    Link link(Direction direction, std::size_t database);

    SwitchContext m_context;
    const Plan& m_plan;
    Direction m_direction;
    Side m_source;
    Side m_destination;
    std::string m_id; ///< "cutover" or "rollback": prefix of the steps
    std::optional<SideSessions> m_from;
    std::optional<SideSessions> m_to;
    std::unique_ptr<Guardian> m_guardian;
    std::vector<Json> m_savedReads;
    std::int64_t m_generation = 0;
    std::string m_token;
    std::vector<std::string> m_fenceLsn; ///< by database
    double m_askedMs = 0;                ///< into the pause: when the poolers were asked who waits
    std::set<std::string> m_stragglers;  ///< who still had sessions on the source when it was fenced
    std::vector<std::string> m_startLsn; ///< by database: where the destination's own life began
    bool m_past = false;
    bool m_settled = true;
    std::unique_ptr<Timer> m_timer;
    SwitchReport m_report;
};

} // namespace tealdeck
