// SPDX-License-Identifier: GPL-3.0-or-later
// After the clients have moved: the feeds are turned round. Everything here can be repeated by an engine that never saw the switch.
#include "core/control/control_store.h"
#include "core/cutover/switch_timer.h"
#include "core/cutover/switchover.h"
#include "core/cutover/witness.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis ROUTER_LIMIT{3000};

} // namespace

Status Switchover::confirmEndpoints() {
    for (const auto& pooler : m_context.poolers) {
        const Result<Side> now = pooler->target(ROUTER_LIMIT);
        if (!now) {
            return now.error();
        }
        if (*now != m_destination) {
            return Error{Error::Kind::Conflict,
                         fmt::format("{} still leads to {}.", pooler->name(), sideName(*now)),
                         "Check its databases file and RELOAD it.",
                         {}};
        }
    }
    return confirmIdentities();
}

/// Where an endpoint leads is what it says; who answers there is what counts.
Status Switchover::confirmIdentities() {
    const auto probed = [](const auto& pooler) { return !pooler->instance().probeUser.empty(); };
    if (m_context.routers.empty() && std::none_of(m_context.poolers.begin(), m_context.poolers.end(), probed)) {
        return {};
    }
    if (const Status opened = readOpened(); !opened) {
        return opened;
    }
    const Result<Rows> own = m_to->control().query("select system_identifier from pg_control_system()");
    if (!own) {
        return own.error();
    }
    for (const auto& pooler : m_context.poolers) {
        const Result<std::optional<std::string>> found = pooler->identity(ROUTER_LIMIT);
        if (!found) {
            return found.error();
        }
        if (*found && **found != own->text(0, 0)) {
            return Error{Error::Kind::Conflict,
                         fmt::format("Behind {} answers the server {}, not {}'s {}.", pooler->name(), **found, sideName(m_destination),
                                     own->text(0, 0)),
                         "Look at what else stands between the pooler and the servers.",
                         {}};
        }
    }
    return confirmRouters(m_context.routers, m_plan, m_destination, own->text(0, 0), ROUTER_LIMIT);
}

/// After a crash the tail runs in an object that never saw the switch: everything it needs is in the catalogs. A session that the switch
/// lost is opened anew.
Status Switchover::readOpened() {
    if (!m_from || !m_to || m_from->broken() || m_to->broken()) {
        auto from = SideSessions::open(m_context.connector, m_source, Millis(10000));
        auto to = SideSessions::open(m_context.connector, m_destination, Millis(10000));
        if (!from || !to) {
            return (from.ok() ? to : from).error();
        }
        m_from.emplace(std::move(*from));
        m_to.emplace(std::move(*to));
    }
    if (const Status ours = notReplaced(m_to->control()); !ours) {
        return ours;
    }
    m_startLsn.clear();
    for (std::size_t i = 0; i < m_to->size(); ++i) {
        const Result<SideRow> row = control::readSide((*m_to)[i]);
        if (!row) {
            return row.error();
        }
        if (row->role != SideRole::Primary || row->lsn.empty()) {
            return Error{Error::Kind::Conflict, fmt::format("{} is {}, not opened.", (*m_to)[i].label(), sideRoleName(row->role)), {}, {}};
        }
        m_startLsn.push_back(row->lsn);
        m_generation = row->generation - 1;
    }
    return {};
}

Status Switchover::endOldFeed() {
    if (const Status opened = readOpened(); !opened) {
        return opened;
    }
    for (std::size_t i = 0; i < m_to->size(); ++i) {
        // Should the fence have leaked, what leaked must not flow into the new primary.
        if (const Status disabled = link(m_direction, i).disable(); !disabled) {
            return disabled;
        }
    }
    return {};
}

Status Switchover::hearWitness() {
    if (const Status opened = readOpened(); !opened) {
        return opened;
    }
    return Witness(m_plan, *m_from).hear(Millis(20000));
}

Status Switchover::startReturnFeed(StepContext& context) {
    if (const Status opened = readOpened(); !opened) {
        return opened;
    }
    for (std::size_t i = 0; i < m_to->size(); ++i) {
        context.report(m_plan.databases[i], static_cast<double>(i) / static_cast<double>(m_to->size()));
        if (const Status started = link(opposite(m_direction), i).activate(m_startLsn[i]); !started) {
            return started;
        }
        if (const Result<Rows> follows =
                (*m_from)[i].batch(fmt::format("select tealdeck.follow({}, {})", m_generation, textArray(m_plan.readRoles)));
            !follows) {
            return follows.error();
        }
        if (const Status retired = link(m_direction, i).retire(Millis(10000)); !retired) {
            return retired;
        }
    }
    return {};
}

Status Switchover::proveReturnFeed(StepContext& context) {
    if (const Status opened = readOpened(); !opened) {
        return opened;
    }
    std::swap(m_from, m_to); // a marker of the new source, read on the new destination
    Status proven;
    do {
        proven = probeOnce(Millis(2000));
    } while (!proven && proven.error().kind == Error::Kind::Timeout && !context.deadline().passed());
    std::swap(m_from, m_to);
    return proven;
}

} // namespace tealdeck
