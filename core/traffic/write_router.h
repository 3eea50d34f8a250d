// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/util/json.h"
#include "core/util/result.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// Where clients arrive when they follow a router.
struct RouterEndpoint {
    std::string host;     ///< the name that a certificate must carry
    std::string hostaddr; ///< the address that it stands for now; empty: as the system resolves the name
    int port = 0;
};

/// A way by which clients find the primary for their writes. Unlike a pooler it cannot hold them back: it moves after the destination has
/// opened, and the clients, cut off by the fence, come again.
///
/// Writes are never split: shift() first takes the old way away, and target() is a Conflict while both are open. Every call has a limit,
/// may be repeated, and asks the router itself what is true. One thread at a time.
class WriteRouter {
  public:
    virtual ~WriteRouter() = default;
    [[nodiscard]] virtual const std::string& name() const = 0;
    /// For people: "the DNS record primary.db.example at 10.0.0.53:53".
    [[nodiscard]] virtual std::string what() const = 0;
    /// Where it sends those who come now; std::nullopt: nowhere. Conflict: to both, or to something that is neither.
    virtual Result<std::optional<Side>> target(Millis limit) = 0;
    /// What would keep it from being moved, each with its remedy; changes nothing.
    virtual std::vector<std::string> obstacles(Millis limit) = 0;
    /// What would make clients late or lead them back after a restart.
    virtual std::vector<std::string> weaknesses(Millis limit) = 0;
    /// In the pause, before the fence: who comes now is turned away. Nothing where that can't be done.
    virtual Status close(Millis limit) {
        static_cast<void>(limit);
        return {};
    }
    /// Leads to the side, proven by asking; nothing when it does already. Only when that side is open and the other one is closed.
    virtual Status shift(Side to, Millis limit) = 0;
    /// The prior state, and exactly it back.
    virtual Result<Json> save(Millis limit) = 0;
    virtual Status restore(const Json& saved, Millis limit) = 0;
    /// std::nullopt when the plan does not tell.
    virtual Result<std::optional<RouterEndpoint>> endpoint(Millis limit) = 0;
    /// False when asking costs the operator's own program a run, so that it is not done every second.
    [[nodiscard]] virtual bool cheap() const { return true; }
};

using WriteRouters = std::vector<std::unique_ptr<WriteRouter>>;

/// Those of the plan, in the order in which they move. Nothing is asked yet.
WriteRouters makeWriteRouters(const Plan& plan);

/// All lead to the side and can be moved; else Conflict or Refused. Changes nothing.
Status stageRouters(const WriteRouters& routers, Side from, Millis limit);
/// Closes those that can. An error is the first one; the others are still closed.
Status closeRouters(const WriteRouters& routers, Millis limit);
/// Moves all at the same time, each within the limit. An error is the first one; the others are still moved.
Status shiftRouters(const WriteRouters& routers, Side to, Millis limit);
/// Asks each where it leads, and the server behind each known endpoint for its system identifier; `expected` is that of the side.
Status confirmRouters(const WriteRouters& routers, const Plan& plan, Side to, const std::string& expected, Millis limit);

/// The system identifier of the server that answers there, asked as the console's role of a side; verified as the plan says.
Result<std::string> identityThrough(const Endpoint& credentials, const std::string& database, const RouterEndpoint& at, Millis limit);

} // namespace tealdeck
