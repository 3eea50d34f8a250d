// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/control/control_store.h"
#include "core/cutover/sessions.h"
#include "core/traffic/pgbouncer.h"
#include "core/traffic/write_router.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tealdeck {

/// What the catalogs say about a deployment, read from both primaries.
struct Situation {
    struct Database {
        std::optional<SideRow> blue; ///< std::nullopt: the server did not answer
        std::optional<SideRow> green;
        bool blueLoginsClosed = false; ///< close_logins took effect and was not undone
        bool greenLoginsClosed = false;
    };
    std::vector<Database> databases;

    /// What is to be done, from the table in decide().
    enum class Verdict {
        NotBegun, ///< no control schema
        OnBlue,   ///< blue is primary, nothing is half done
        OnGreen,
        ReturnToBlue,  ///< a move to green stopped before the point of no return
        ReturnToGreen, ///< a move back to blue stopped before it
        CompleteToGreen,
        CompleteToBlue,
        Unclear ///< a side that must be asked does not answer
    };
};
const char* verdictName(Situation::Verdict verdict);

/// The pure decision, also enumerated by a test. neverOpened: it is certain that no open was sent in the current move, so that the
/// destination needs not be asked before the source is given back.
Situation::Verdict decide(const Situation& situation, bool neverOpened);

/// Brings a deployment whose driver died (or failed) to the safe side: ends the dead driver's sessions, returns the writes to where they
/// came from or, after the point of no return, completes the move; then points the poolers there and resumes them. May be run by several
/// at once and any number of times. Never opens one side before the other is proven closed (law 1).
class Settler {
  public:
    /// Sessions may be missing (nullptr): a side that can't be reached. Poolers and routers are borrowed.
    Settler(const Connector& connector, SideSessions* blue, SideSessions* green, std::vector<std::unique_ptr<PgBouncer>>& poolers,
            const WriteRouters& routers);

    Situation look();
    /// Ends sessions of other engines of this deployment, so that nothing of them is still under way; true when none is left.
    bool endOthers(Millis limit);
    /// Acts on the verdict. The side where writes are now; an error says what could not be done (and is worth another try).
    Result<Side> settle(bool neverOpened, Millis limit);
    [[nodiscard]] Situation::Verdict lastVerdict() const { return m_verdict; }

  private:
    Status giveBack(Side source, const Situation& situation, bool neverOpened);
    Status complete(Side destination, const Situation& situation);
    Status pointPoolers(Side side, Millis limit);
    SideSessions* sessions(Side side) { return side == Side::Blue ? m_blue : m_green; }

    const Connector& m_connector;
    SideSessions* m_blue;
    SideSessions* m_green;
    std::vector<std::unique_ptr<PgBouncer>>& m_poolers;
    const WriteRouters& m_routers;
    Situation::Verdict m_verdict = Situation::Verdict::Unclear;
};

} // namespace tealdeck
