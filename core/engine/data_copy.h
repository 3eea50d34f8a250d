// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/cutover/sessions.h"
#include "core/engine/copy_choice.h"
#include "core/recipe/step.h"
#include "core/replication/copy_job.h"
#include "core/replication/exported_snapshot.h"
#include "core/replication/link.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace tealdeck {

/// What a copy tells while it runs.
struct CopyOutlet {
    std::shared_ptr<CopyControl> control = std::make_shared<CopyControl>();
    std::function<void(Json)> tell = [](const Json&) {};                  ///< bodies of EventKind::Copy
    std::function<std::int64_t()> nowUs = [] { return std::int64_t{0}; }; ///< of the recording
};

/// The data of every database from blue to green, up to a feed that follows.
///
/// A database whose subscription exists is copied, or is being copied by the servers: whatever is published and not subscribed yet is
/// emptied on green and left to them. A database without is copied by one of the two strategies. The snapshot copy that was killed is not
/// begun again: tables that green's record calls finished are subscribed to from the old slot on, which has every change since their
/// snapshot; the others cannot be finished, because that snapshot is gone, and so the servers copy them in snapshots of their own.
class DataCopy {
  public:
    /// keys: makes what apply needs on green, keys and identity indexes of the database with that number, unless it is there. The snapshot
    /// copy calls it after the rows, which come faster without.
    using MakeKeys = std::function<Status(std::size_t database, StepContext& context)>;
    DataCopy(const Connector& connector, CopyOutlet outlet, MakeKeys keys)
        : m_connector(connector), m_plan(connector.plan()), m_out(std::move(outlet)), m_keys(std::move(keys)) {}

    /// Publishes, chooses how, and makes the subscriptions of databases that go from server to server.
    Status subscribe(SideSessions& blue, SideSessions& green, StepContext& context);
    /// Copies; ends when every table of every database follows.
    Status run(SideSessions& blue, SideSessions& green, StepContext& context);

  private:
    struct Place; ///< one database with its sessions
    Result<CopyChoice> choice(const Place& place);
    Status snapshotCopy(Place& place, StepContext& context);
    Result<std::unique_ptr<ExportedSnapshot>> begin(Place& place, StepContext& context);
    Result<std::set<std::string>> finishedBefore(Place& place);
    Status look(Place& place, CopyProgress& progress, bool ended, StepContext& context);
    struct ReplicaLag {
        std::string name;
        double bytes = 0;
    };
    void watchBudgets(Place& place);
    std::optional<ReplicaLag> worstReplica(Place& place);
    Status follow(Place& place, const std::set<std::string>& finished, const std::set<std::string>& failed, StepContext& context);
    Status emptyTheRest(Place& place);
    Status takeUpTheRest(Place& place, const std::set<std::string>& except);
    Status waitForServers(SideSessions& blue, SideSessions& green, StepContext& context);
    Result<bool> serversAreDone(Place& place, std::string& waiting);
    void lookAtServers(Place& place, const LinkProgress& progress, std::int64_t now);
    Status standStill(Place& place);
    void tell(Place& place, const std::string& state, const std::string& detail);

    const Connector& m_connector;
    const Plan& m_plan;
    CopyOutlet m_out;
    MakeKeys m_keys;
    std::map<std::string, CopyChoice> m_choices;
    std::map<std::string, CopyState> m_states;
    std::map<std::string, std::int64_t> m_toldUs;
    double m_lagAllowed = 0; ///< bytes that a replica may be behind; moves on likewise
    bool m_heldForLag = false;
    double m_walAllowed = 0; ///< bytes that blue may keep before the copy holds; moves on when an operator says go on
};

} // namespace tealdeck
