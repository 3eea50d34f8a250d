// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/cutover/settle.h"

#include "core/postgres/sql.h"

#include <fmt/format.h>
#include <poll.h>
#include <thread>

namespace tealdeck {
namespace {

using Verdict = Situation::Verdict;

constexpr Millis STATEMENT_LIMIT{1500};

bool is(const std::optional<SideRow>& row, SideRole role) {
    return row && row->role == role;
}

/// Runs one statement a database at the same time; the first error, if any.
Status everywhere(SideSessions& sessions, const std::vector<std::string>& sql, const std::string& mustBe) {
    std::vector<Connection::Pending> pending;
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        pending.push_back(sessions[i].start(sql[i], STATEMENT_LIMIT));
    }
    Status status;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        const Result<Rows> rows = pending[i].wait();
        if (!rows) {
            status = rows.error();
        } else if (rows->text(0, 0) != mustBe) {
            status = Error{Error::Kind::Conflict,
                           fmt::format("{}: the database is not in the state that \"{}\" needs.", sessions[i].label(), sql[i]),
                           {},
                           {}};
        }
    }
    return status;
}

} // namespace

Settler::Settler(const Connector& connector, SideSessions* blue, SideSessions* green, std::vector<std::unique_ptr<PgBouncer>>& poolers,
                 const WriteRouters& routers)
    : m_connector(connector), m_blue(blue), m_green(green), m_poolers(poolers), m_routers(routers) {}

Situation Settler::look() {
    Situation situation;
    situation.databases.resize(m_connector.plan().databases.size());
    for (const Side side : {Side::Blue, Side::Green}) {
        SideSessions* open = sessions(side);
        for (std::size_t i = 0; open != nullptr && i < open->size(); ++i) {
            const Result<SideRow> row = control::readSide((*open)[i]);
            if (!row) {
                continue;
            }
            Situation::Database& database = situation.databases[i];
            (side == Side::Blue ? database.blue : database.green) = *row;
            if (row->role == SideRole::Primary) {
                const auto logins = control::readSaved((*open)[i], "connect");
                const auto superusers = control::readSaved((*open)[i], "superusers");
                (side == Side::Blue ? database.blueLoginsClosed : database.greenLoginsClosed) =
                    (logins.ok() && logins->has_value()) || (superusers.ok() && superusers->has_value());
            }
        }
    }
    return situation;
}

bool Settler::endOthers(Millis limit) {
    const std::string others =
        fmt::format("from pg_stat_activity where application_name like {} and pid <> pg_backend_pid() and pid <> all ",
                    quoteLiteral("tealdeck/" + m_connector.plan().deployment + "/%"));
    bool gone = true;
    const Deadline deadline(limit);
    for (const Side side : {Side::Blue, Side::Green}) {
        SideSessions* open = sessions(side);
        if (open == nullptr) {
            continue;
        }
        const std::string own = "(" + pidArray(m_connector.pids(side)) + ")";
        for (;;) {
            const Result<Rows> left = open->control().batch("select count(pg_terminate_backend(pid)) " + others + own, STATEMENT_LIMIT);
            if (left.ok() && left->text(0, 0) == "0") {
                break;
            }
            if (!left.ok() || deadline.passed()) {
                gone = false;
                break;
            }
            ::poll(nullptr, 0, 5);
        }
    }
    return gone;
}

Result<Side> Settler::settle(bool neverOpened, Millis limit) {
    endOthers(std::min(limit, Millis(1000)));
    const Situation situation = look();
    m_verdict = decide(situation, neverOpened);
    Status done;
    Side side = Side::Blue;
    switch (m_verdict) {
    case Verdict::NotBegun:
        return Side::Blue; // nothing of ours is there: the poolers are none of our business
    case Verdict::OnBlue:
        break;
    case Verdict::OnGreen:
        side = Side::Green;
        break;
    case Verdict::ReturnToBlue:
        done = giveBack(Side::Blue, situation, neverOpened);
        break;
    case Verdict::ReturnToGreen:
        side = Side::Green;
        done = giveBack(Side::Green, situation, neverOpened);
        break;
    case Verdict::CompleteToGreen:
        side = Side::Green;
        done = complete(Side::Green, situation);
        break;
    case Verdict::CompleteToBlue:
        done = complete(Side::Blue, situation);
        break;
    case Verdict::Unclear:
        return Error{Error::Kind::Unavailable,
                     "It is not clear which side may write: a server that must be asked does not answer.",
                     "Bring both primaries within reach and run the command again; nothing is opened until then.",
                     {}};
    }
    if (!done) {
        return done.error();
    }
    if (const Status pointed = pointPoolers(side, limit); !pointed) {
        return pointed.error();
    }
    return side;
}

Status Settler::giveBack(Side source, const Situation& situation, bool neverOpened) {
    const Side destination = otherSide(source);
    // A source that never became fenced wrote no marker, and without it nothing can have been received or opened over there.
    bool fenced = false;
    for (const Situation::Database& d : situation.databases) {
        fenced = fenced || !is(source == Side::Blue ? d.blue : d.green, SideRole::Primary);
    }
    neverOpened = neverOpened || !fenced;
    if (SideSessions* other = sessions(destination)) {
        // After this commits on every database, no open of the stopped move can succeed any more.
        for (std::size_t i = 0; i < other->size(); ++i) {
            const auto& row = destination == Side::Green ? situation.databases[i].green : situation.databases[i].blue;
            if (row && row->role == SideRole::None) {
                continue;
            }
            const std::string generation = row ? std::to_string(row->generation) : "-1";
            const Result<Rows> closed = (*other)[i].query("select tealdeck.unreceive($1)", {generation}, STATEMENT_LIMIT);
            const bool proven = closed.ok() && closed->text(0, 0) == "t";
            if (!proven && !neverOpened) {
                return closed.ok()
                           ? Status(Error{Error::Kind::Conflict, fmt::format("{} has been opened meanwhile.", (*other)[i].label()), {}, {}})
                           : Status(closed.error());
            }
        }
    } else if (!neverOpened) {
        return Error{Error::Kind::Unavailable,
                     fmt::format("{} does not answer, so it is not proven that it is closed.", sideName(destination)),
                     {},
                     {}};
    }
    SideSessions* own = sessions(source);
    if (own == nullptr) {
        return Error{Error::Kind::Unavailable, fmt::format("{} does not answer.", sideName(source)), {}, {}};
    }
    return everywhere(*own, std::vector<std::string>(own->size(), "select tealdeck.reopen(generation) from tealdeck.side"), "t");
}

Status Settler::complete(Side destination, const Situation& situation) {
    SideSessions* own = sessions(destination);
    if (own == nullptr) {
        return Error{Error::Kind::Unavailable, fmt::format("{} does not answer.", sideName(destination)), {}, {}};
    }
    // The others were all received before the first was opened; opening what is open already is no error here.
    std::vector<std::string> sql;
    for (const Situation::Database& d : situation.databases) {
        const auto& here = destination == Side::Green ? d.green : d.blue;
        const auto& source = destination == Side::Green ? d.blue : d.green;
        std::string again;
        if (is(here, SideRole::Replica) && is(source, SideRole::Fenced) && here->generation == source->generation) {
            // An engine that was replaced has closed it again with its last breath: what the fence sealed is received once more.
            again = fmt::format("select tealdeck.receive({}, generation, {}, {}, false) from tealdeck.side where role = 'replica'; ",
                                quoteLiteral(source->token), m_connector.plan().cutover.sequenceGap, STATEMENT_LIMIT.count() - 500);
        }
        sql.push_back(again + "with opened as (select case role when 'received' then tealdeck.open(token, generation) is not null else "
                              "role = 'primary' end as yes from tealdeck.side) select yes from opened");
    }
    return everywhere(*own, sql, "t");
}

Status Settler::pointPoolers(Side side, Millis limit) {
    Status status;
    for (const auto& pooler : m_poolers) {
        Status one;
        // A pooler that points there already needs only its RESUME: a reload would be harmless but not free.
        const Result<Side> now = pooler->target(limit);
        if (!now.ok() || *now != side) {
            one = pooler->publish(side);
            if (one) {
                one = pooler->reload(limit);
            }
        }
        if (one) {
            one = pooler->resume(limit);
        }
        if (!one) {
            status = one; // go on with the others: their clients need not wait for this one
        }
    }
    const Status moved = shiftRouters(m_routers, side, limit);
    return status.ok() ? moved : status;
}

} // namespace tealdeck
