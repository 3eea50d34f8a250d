// SPDX-License-Identifier: GPL-3.0-or-later
// Before the pause. Which steps there are is in switchover_steps.cpp, the pause itself in switchover_pause.cpp, what follows in
// switchover_after.cpp.
#include "core/cutover/switchover.h"

#include "core/control/control_store.h"
#include "core/cutover/switch_timer.h"
#include "core/cutover/witness.h"
#include "core/postgres/sql.h"
#include "core/replication/schema_copy.h"
#include "core/util/files.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr Millis ROUTER_LIMIT{3000};
constexpr Millis SETUP_LIMIT{30000};

Status asStatus(const Result<Rows>& result) {
    return result.ok() ? Status() : Status(result.error());
}

} // namespace

Switchover::Switchover(SwitchContext context, Direction direction)
    : m_context(std::move(context)), m_plan(m_context.connector.plan()), m_direction(direction), m_source(sourceOf(direction)),
      m_destination(destinationOf(direction)), m_id(direction == Direction::Forward ? "cutover" : "rollback"),
      m_timer(std::make_unique<Timer>()) {
    m_report.direction = m_id;
}

Switchover::~Switchover() = default;

Link Switchover::link(Direction direction, std::size_t database) {
    const bool same = direction == m_direction;
    return {m_plan, direction, m_plan.databases[database], same ? (*m_from)[database] : (*m_to)[database],
            same ? (*m_to)[database] : (*m_from)[database]};
}

Status Switchover::openSessions() {
    auto from = SideSessions::open(m_context.connector, m_source, Millis(10000));
    if (!from) {
        return from.error();
    }
    auto to = SideSessions::open(m_context.connector, m_destination, Millis(10000));
    if (!to) {
        return to.error();
    }
    m_from.emplace(std::move(*from));
    m_to.emplace(std::move(*to));
    for (const SideSessions* side : {&*m_from, &*m_to}) {
        // Whoever was replaced must be able to read it on either side.
        const auto row = control::readDeployment(side->control(), m_plan.deployment);
        if (!row || !*row || (*row)->epoch != m_context.epoch) {
            return row.ok() ? Status(Error{Error::Kind::Refused,
                                           fmt::format("{} does not know this engine as its driver.", side->control().label()),
                                           "Run \"tealctl status\"; another engine may have taken over.",
                                           {}})
                            : Status(row.error());
        }
    }
    for (std::size_t i = 0; i < m_from->size(); ++i) {
        const Result<SideRow> source = control::readSide((*m_from)[i]);
        Result<SideRow> destination = control::readSide((*m_to)[i]);
        if (source && destination && source->role == SideRole::Primary && destination->role == SideRole::Received &&
            source->generation == destination->generation) {
            // Left by an attempt that was taken back while the destination was out of reach.
            const Result<Rows> undone = (*m_to)[i].query("select tealdeck.unreceive($1)", {std::to_string(destination->generation)});
            destination = undone.ok() ? control::readSide((*m_to)[i]) : Result<SideRow>(undone.error());
        }
        if (!source || !destination) {
            return (source.ok() ? destination : source).error();
        }
        if (source->role != SideRole::Primary || destination->role != SideRole::Replica || source->generation != destination->generation ||
            (i > 0 && source->generation != m_generation)) {
            return Error{Error::Kind::Conflict,
                         fmt::format("{} is {} and {} is {}: not the roles that a {} starts from.", (*m_from)[i].label(),
                                     sideRoleName(source->role), (*m_to)[i].label(), sideRoleName(destination->role), m_id),
                         "Run \"tealctl status\"; an unfinished switch is finished when the engine starts.",
                         {}};
        }
        m_generation = source->generation;
    }
    return {};
}

Status Switchover::moveReads() {
    m_savedReads.clear();
    for (const auto& balancer : m_context.balancers) {
        Result<Json> before = balancer->save(ROUTER_LIMIT);
        if (!before) {
            return before.error();
        }
        m_savedReads.push_back(*before);
        if (const Status moved = balancer->setGreenShare(m_destination == Side::Green ? 100 : 0, ROUTER_LIMIT); !moved) {
            return moved;
        }
    }
    return {};
}

Status Switchover::restoreReads() {
    Status status;
    for (std::size_t i = 0; i < m_savedReads.size(); ++i) {
        if (const Status one = m_context.balancers[i]->restore(m_savedReads[i], ROUTER_LIMIT); !one) {
            status = one;
        }
    }
    return status;
}

Status Switchover::advanceSequences() {
    for (std::size_t i = 0; i < m_from->size(); ++i) {
        const Result<Rows> states = (*m_from)[i].query("select tealdeck.sequence_states()", {}, SETUP_LIMIT);
        if (!states) {
            return states.error();
        }
        const Result<Rows> set = (*m_to)[i].query("select tealdeck.advance_sequences($1::jsonb, $2)",
                                                  {states->text(0, 0), std::to_string(m_plan.cutover.sequenceGap)}, SETUP_LIMIT);
        if (!set) {
            return set.error();
        }
        // Their contents are not replicated: as fresh as can be when clients arrive.
        if (const Status refreshed = schema_copy::refreshMaterializedViews((*m_from)[i], (*m_to)[i], SETUP_LIMIT); !refreshed) {
            return refreshed;
        }
    }
    return {};
}

Status Switchover::armReturnPath(StepContext& context) {
    for (std::size_t i = 0; i < m_from->size(); ++i) {
        context.report(fmt::format("slot and subscription for {}", m_plan.databases[i]),
                       static_cast<double>(i) / static_cast<double>(m_from->size()));
        if (const Status armed = link(opposite(m_direction), i).prepare(SETUP_LIMIT); !armed) {
            return armed;
        }
    }
    return {};
}

Status Switchover::disarmReturnPath() {
    Status status;
    for (const std::optional<SideSessions>* side : {&m_from, &m_to}) {
        // The feed of this name may be the other engine's by now.
        if (const Status ours = *side ? notReplaced((*side)->control()) : Status(); !ours) {
            return ours;
        }
    }
    for (std::size_t i = 0; m_from && m_to && i < m_from->size(); ++i) {
        if (const Status one = link(opposite(m_direction), i).retire(Millis(5000)); !one) {
            status = one;
        }
    }
    return status;
}

Status Switchover::callWitness() {
    return Witness(m_plan, *m_from).create(SETUP_LIMIT);
}

Status Switchover::dismissWitness() {
    return m_from ? Witness(m_plan, *m_from).dismiss(Millis(5000)) : Status();
}

Status Switchover::stagePoolers() {
    for (const auto& pooler : m_context.poolers) {
        if (const Result<Side> now = pooler->target(ROUTER_LIMIT); !now || *now != m_source) {
            return now.ok()
                       ? Status(Error{
                             Error::Kind::Conflict, fmt::format("{} does not lead to {}.", pooler->name(), sideName(m_source)), {}, {}})
                       : Status(now.error());
        }
        if (const Status staged = pooler->stage(m_destination); !staged) {
            return staged;
        }
        if (const Status warm = pooler->warm(ROUTER_LIMIT); !warm) {
            return warm;
        }
    }
    return stageRouters(m_context.routers, m_source, ROUTER_LIMIT);
}

Status Switchover::startGuardian() {
    auto guardian = Guardian::start(m_context.guardianProgram, m_plan, Millis(15000));
    if (!guardian) {
        return guardian.error();
    }
    m_guardian = std::move(*guardian);
    return {};
}

Status Switchover::probeOnce(Millis limit) {
    for (std::size_t i = 0; i < m_from->size(); ++i) {
        const std::string token = "probe-" + randomHex(6);
        if (const Result<Rows> put = (*m_from)[i].query("select tealdeck.put_marker(2, $1, null)", {token}, Millis(2000)); !put) {
            return put.error();
        }
        const Deadline deadline(limit);
        for (;;) {
            const Result<Rows> seen =
                (*m_to)[i].query("select 1 from tealdeck_sync.marker where id = 2 and token = $1", {token}, Millis(2000));
            if (!seen) {
                return seen.error();
            }
            if (!seen->empty()) {
                break;
            }
            if (deadline.passed()) {
                return Error{Error::Kind::Timeout,
                             fmt::format("A marker of {} took longer than {} ms.", m_plan.databases[i], limit.count()),
                             {},
                             {}};
            }
        }
    }
    return {};
}

Status Switchover::gate(StepContext& context) {
    // Warm plans and caches: the first call of these functions costs ten times the others. The logins are opened in a transaction that is
    // rolled back: nobody else sees it, and a session that dies in the middle has changed nothing.
    const std::string fence = fmt::format("select tealdeck.fence('warm', {}, 0, 0, {}, true)", m_generation, pidArray({}));
    const std::string receive =
        fmt::format("begin; select tealdeck.open_logins(); rollback; select tealdeck.receive('warm', {}, {}, 0, true)", m_generation,
                    m_plan.cutover.sequenceGap);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < m_from->size(); ++i) {
            if (const Status warm = asStatus((*m_from)[i].batch(fence)); !warm) {
                return warm;
            }
            if (const Status warm = asStatus((*m_to)[i].batch(receive)); !warm) {
                return warm;
            }
        }
    }
    const Millis close = m_plan.cutover.budget / 10;
    int inARow = 0;
    Status last;
    while (inARow < 3) {
        if (context.cancelled() || context.deadline().passed()) {
            return last.ok() ? Status(Error{Error::Kind::Refused, "Stopped before anything was paused.", {}, {}}) : last;
        }
        last = probeOnce(close);
        if (!last && last.error().kind != Error::Kind::Timeout) {
            return last;
        }
        inARow = last.ok() ? inARow + 1 : 0;
        context.report(fmt::format("marker {} of 3 within {} ms", inARow, close.count()), inARow / 3.0);
    }
    const std::string own = pidArray(m_context.connector.pids(m_source));
    for (std::size_t i = 0; i < m_from->size(); ++i) {
        const Result<Rows> longest =
            (*m_from)[i].batch("select pid, round(extract(epoch from now() - xact_start) * 1000), usename, application_name from "
                               "pg_stat_activity where datname = current_database() and backend_type = 'client backend' "
                               "and xact_start is not null and pid <> all (" +
                               own + ") order by xact_start limit 1");
        if (!longest) {
            return longest.error();
        }
        if (!longest->empty() && std::stod(longest->text(0, 1)) > static_cast<double>(m_plan.cutover.drain.count())) {
            return Error{Error::Kind::Refused,
                         fmt::format("{}: process {} of {} ({}) has had a transaction open for {} ms; the pause would wait for it.",
                                     (*m_from)[i].label(), longest->text(0, 0), longest->text(0, 2), longest->text(0, 3),
                                     longest->text(0, 1)),
                         "End it, or raise cutover.drain_ms in the plan.",
                         {}};
        }
    }
    return {};
}

} // namespace tealdeck
