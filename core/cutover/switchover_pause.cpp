// SPDX-License-Identifier: GPL-3.0-or-later
// The critical path: from PAUSE to RESUME. Everything that can be done earlier is done earlier.
#include "core/control/control_store.h"
#include "core/cutover/switch_timer.h"
#include "core/cutover/switchover.h"
#include "core/postgres/sql.h"
#include "core/util/crash_point.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <thread>

namespace tealdeck {
namespace {

constexpr Millis CONSOLE_LIMIT{2000};
constexpr Millis LOGIN_LIMIT{300};

Json object(const std::string& text) {
    return parseJson(text).value_or(Json::object());
}

} // namespace

std::string Switchover::keptRoles() const {
    return textArray({m_plan.replication.user, m_plan.side(m_source).primary.user});
}

std::string Switchover::fenceSql() const {
    std::vector<int> own = m_context.connector.pids(m_source);
    const std::vector<int>& guardian = m_guardian->pids(m_source);
    own.insert(own.end(), guardian.begin(), guardian.end());
    const CutoverPlan& c = m_plan.cutover;
    // With a pooler its PAUSE has drained already; whoever is left came past it and gets the drain time only without one.
    const std::int64_t drain = m_context.poolers.empty() || !m_context.routers.empty() ? c.drain.count() : 0;
    return fmt::format("BEGIN; SELECT tealdeck.close_logins({}); COMMIT; SELECT tealdeck.fence({}, {}, {}, {}, {}, false)", keptRoles(),
                       quoteLiteral(m_token), m_generation, drain, c.kill.count(), pidArray(own));
}

Status Switchover::pauseAndOpen(StepContext& context) {
    m_token = randomHex(8);
    m_report.partsMs.clear();
    m_fenceLsn.clear();
    m_stragglers.clear();
    m_context.quiet(true);
    Status status;
    if (!m_context.driverHeld()) {
        status = Error{Error::Kind::Refused, "The driver's lock was lost.", "Another console may have taken over.", {}};
    }
    if (status.ok()) {
        status = notReplaced(m_from->control());
    }
    if (status.ok()) {
        status = m_guardian->arm(m_context.epoch);
    }
    if (!status) {
        m_context.quiet(false);
        return status;
    }
    m_settled = false;
    if (const Result<Rows> closed = m_from->control().batch(fmt::format("SELECT tealdeck.close_superusers({})", keptRoles())); !closed) {
        status = closed.error();
    }
    // Together, not each: superusers are shut out of the source already. A log-in that takes longer costs a client an error at most.
    const Deadline logins(LOGIN_LIMIT);
    for (const auto& pooler : m_context.poolers) {
        if (!logins.passed()) {
            static_cast<void>(pooler->awaitLogins(logins.left()));
        }
    }
    m_timer->start();
    if (status.ok()) {
        status = pausePoolers();
    }
    if (status.ok()) {
        status = fenceAndReceive(context);
    }
    if (!status) {
        status = takeBack(status.error(), true);
    } else {
        status = openDestination();
        if (status.ok()) {
            status = resumePoolers();
        }
        if (!status) {
            status = takeBack(status.error(), false);
        }
    }
    m_settled = m_settled || status.ok();
    m_report.pauseMs = m_timer->whole();
    m_report.ok = m_past;
    if (m_past && status.ok() && !m_context.poolers.empty() && !m_stragglers.empty()) {
        m_report.detail = fmt::format("Ended on {}, which they reach past the poolers and must leave: {}.", sideName(m_source),
                                      fmt::join(m_stragglers, ", "));
    }
    m_guardian->disarm();
    tellWhoWaited();
    m_context.quiet(false);
    m_context.pointOfNoReturn(m_past);
    return m_past ? Status() : status;
}

Status Switchover::pausePoolers() {
    for (const auto& pooler : m_context.poolers) {
        if (const Status sent = pooler->beginPause(); !sent) {
            return sent;
        }
    }
    // Who comes now would only meet the fence. Where a router can't be closed the fence alone holds.
    static_cast<void>(closeRouters(m_context.routers, m_plan.cutover.drain));
    const Deadline deadline(m_plan.cutover.drain);
    for (const auto& pooler : m_context.poolers) {
        if (const Status paused = pooler->finishPause(std::max(deadline.left(), Millis(1))); !paused) {
            return paused;
        }
    }
    crashPoint("paused");
    m_report.partsMs["pause"] = m_timer->part();
    return {};
}

Status Switchover::fenceAndReceive(StepContext& context) {
    const CutoverPlan& c = m_plan.cutover;
    // Past the budget the writes go back whatever comes: nothing is waited for longer than that.
    const Millis left = std::max(c.budget - Millis(static_cast<std::int64_t>(m_timer->whole())), Millis(1));
    const Millis fenceLimit = std::min(c.drain + c.kill + Millis(500), left);
    const Millis receiveLimit = std::min(c.drain + c.kill + Millis(500) + c.receive, left);
    std::vector<Connection::Pending> receives;
    std::vector<Connection::Pending> fences;
    const std::string fence = fenceSql();
    const std::string receive = fmt::format("SELECT tealdeck.receive({}, {}, {}, {}, false)", quoteLiteral(m_token), m_generation,
                                            c.sequenceGap, receiveLimit.count());
    for (std::size_t i = 0; i < m_from->size(); ++i) {
        fences.push_back((*m_from)[i].start(fence, fenceLimit));
        receives.push_back((*m_to)[i].start(receive, receiveLimit + Millis(200)));
    }
    crashPoint("fencing");
    // Written while the servers work: by the time it is needed it is on disk.
    Status status = m_context.record.publish(
        EventKind::Intent, {{"step", m_id + ".open"},
                            {"detail", fmt::format("open {} when all {} databases have received everything: the point of no return",
                                                   sideName(m_destination), m_to->size())}});
    for (Connection::Pending& pending : fences) {
        const Result<Rows> fenced = status.ok() ? pending.wait() : pending.abandon(Millis(300));
        if (!fenced) {
            status = status.ok() ? Status(fenced.error()) : status;
            continue;
        }
        const Json told = object(fenced->text(0, 0));
        m_fenceLsn.push_back(member<std::string>(told, "lsn", ""));
        for (const Json& one : member(told, "who", Json::array())) {
            m_stragglers.insert(one.is_string() ? plainText(one.get<std::string>(), 80) : std::string());
        }
    }
    crashPoint("fenced");
    m_report.partsMs["fence"] = m_timer->part();
    for (Connection::Pending& pending : receives) {
        const Result<Rows> received = status.ok() ? pending.wait() : pending.abandon(Millis(300));
        if (!received) {
            status = status.ok() ? Status(received.error()) : status;
        }
    }
    crashPoint("received");
    m_report.partsMs["receive"] = m_timer->part();
    return status.ok() ? mayStillOpen(context) : status;
}

/// The last questions before the point of no return.
Status Switchover::mayStillOpen(const StepContext& context) const {
    const CutoverPlan& c = m_plan.cutover;
    if (context.cancelled()) {
        return Error{Error::Kind::Refused, "Stopped by Abort before the point of no return.", {}, {}};
    }
    if (m_timer->whole() > static_cast<double>(c.budget.count())) {
        return Error{Error::Kind::Timeout,
                     fmt::format("The pause took {:.0f} ms already; the plan allows {}.", m_timer->whole(), c.budget.count()),
                     "Wait for less load, or raise cutover.budget_ms.",
                     {}};
    }
    if (!m_context.driverHeld()) {
        return Error{Error::Kind::Refused, "The driver's lock was lost before the point of no return.", {}, {}};
    }
    return {};
}

Status Switchover::openDestination() {
    // From here on a death of ours makes the guardian ask the destination before it gives anything back.
    if (const Status told = m_guardian->opening(); !told) {
        return told;
    }
    crashPoint("opening");
    m_askedMs = m_timer->whole();
    for (const auto& pooler : m_context.poolers) {
        pooler->askWhoWaits();
    }
    const std::string open = fmt::format("SELECT tealdeck.open({}, {})", quoteLiteral(m_token), m_generation);
    const std::string phase = m_destination == Side::Green ? "observe" : "rolled-back";
    const std::string id = quoteLiteral(m_plan.deployment);
    // The point of no return: one transaction opens the first database and says so for good.
    const Result<Rows> first = m_to->control().batch(
        fmt::format(
            "BEGIN; INSERT INTO tealdeck.journal(deployment, epoch, step, state, detail) VALUES ({0}, {1}, {2}, 'point of no return', "
            "jsonb_build_object('token', {3}, 'generation', {4})); "
            "UPDATE tealdeck.deployment SET phase = {5}, updated_at = clock_timestamp() WHERE id = {0} AND epoch = {1}; {6}; COMMIT",
            id, m_context.epoch, quoteLiteral(m_id), quoteLiteral(m_token), m_generation, quoteLiteral(phase), open),
        CONSOLE_LIMIT);
    if (!first) {
        return first.error();
    }
    m_past = true;
    crashPoint("opened-first");
    std::vector<Connection::Pending> rest;
    for (std::size_t i = 1; i < m_to->size(); ++i) {
        rest.push_back((*m_to)[i].start(open, CONSOLE_LIMIT));
    }
    Status status;
    for (Connection::Pending& pending : rest) {
        if (const Result<Rows> opened = pending.wait(); !opened) {
            status = opened.error();
        }
    }
    crashPoint("opened");
    m_report.partsMs["open"] = m_timer->part();
    return status;
}

Status Switchover::resumePoolers() {
    Status status;
    for (const auto& pooler : m_context.poolers) {
        Status one = pooler->publish(m_destination);
        crashPoint("published");
        if (one) {
            one = pooler->reload(CONSOLE_LIMIT);
        }
        if (one) {
            one = pooler->resume(CONSOLE_LIMIT);
        }
        crashPoint("resumed");
        status = one.ok() ? status : one;
    }
    m_report.partsMs["resume"] = m_timer->part();
    if (!m_context.routers.empty()) {
        const Status moved = shiftRouters(m_context.routers, m_destination, CONSOLE_LIMIT);
        crashPoint("shifted");
        status = moved.ok() ? status : moved;
        m_report.partsMs["routers"] = m_timer->part();
    }
    return status;
}

/// After the pause, in a record of its own: names and addresses are not wanted in every copy of a recording, the pause is.
void Switchover::tellWhoWaited() {
    for (const auto& pooler : m_context.poolers) {
        Result<ClientPauses> waited = pooler->whoWaits(CONSOLE_LIMIT);
        if (!waited || waited->waiting == 0) {
            continue; // what cannot be told is no reason to hold up a switch
        }
        waited->direction = m_id;
        for (ClientGroup& group : waited->groups) {
            group.longestMs += std::max(m_report.pauseMs - m_askedMs, 0.0);
        }
        static_cast<void>(m_context.record.publish(EventKind::Clients, toJson(*waited)));
    }
}

/// An engine that was frozen for a while may have been replaced: then nothing is its business any more, not even the way back.
Status Switchover::notReplaced(Connection& session) {
    return control::notReplaced(session, m_plan.deployment, m_context.epoch);
}

/// Who leaves takes nobody's clients along: what was paused here goes on, wherever the other engine has pointed it.
void Switchover::letPoolersGo() {
    for (const auto& pooler : m_context.poolers) {
        static_cast<void>(pooler->resume(CONSOLE_LIMIT));
    }
}

/// Something went wrong between PAUSE and RESUME: the servers are asked what is true, and the safe side is taken.
Status Switchover::takeBack(const Error& reason, bool neverOpened) {
    const Deadline deadline(Millis(30000));
    Error last = reason;
    do {
        for (std::optional<SideSessions>* side : {&m_from, &m_to}) {
            if (!*side || (*side)->broken()) {
                const Side which = side == &m_from ? m_source : m_destination;
                auto again = SideSessions::open(m_context.connector, which, Millis(1000));
                side->reset();
                if (again) {
                    side->emplace(std::move(*again));
                }
            }
        }
        for (const std::optional<SideSessions>* side : {&m_from, &m_to}) {
            if (const Status ours = *side ? notReplaced((*side)->control()) : Status();
                !ours && ours.error().kind == Error::Kind::Refused) {
                m_settled = true;
                letPoolersGo();
                return ours;
            }
        }
        SideSessions* from = m_from ? &*m_from : nullptr;
        SideSessions* to = m_to ? &*m_to : nullptr;
        Settler settler(m_context.connector, m_source == Side::Blue ? from : to, m_source == Side::Blue ? to : from, m_context.poolers,
                        m_context.routers);
        const Result<Side> settled = settler.settle(neverOpened && !m_past, CONSOLE_LIMIT);
        if (settled) {
            m_settled = true;
            m_past = *settled == m_destination;
            m_report.detail = fmt::format("{} → {}", reason.text(), verdictName(settler.lastVerdict()));
            return Error{reason.kind, fmt::format("{} Writes are on {}.", reason.message, sideName(*settled)), reason.remedy,
                         reason.sqlstate};
        }
        last = settled.error();
        // Whatever it was, the next try begins with sessions that carry nothing over.
        m_from.reset();
        m_to.reset();
    } while (!deadline.passed());
    return Error{last.kind, fmt::format("{} And then: {}", reason.message, last.message), last.remedy, last.sqlstate};
}

} // namespace tealdeck
