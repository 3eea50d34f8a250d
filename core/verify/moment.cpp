// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/moment.h"

#include "core/postgres/sql.h"

#include <fmt/format.h>
#include <poll.h>

namespace tealdeck::verify {
namespace {

constexpr int ATTEMPTS = 10;
constexpr const char* BEGIN_SQL = "begin isolation level repeatable read read only; {}";

} // namespace

Status SessionPair::open() {
    for (auto [session, side] : {std::pair(&m_here, m_source), std::pair(&m_there, otherSide(m_source))}) {
        if (*session && !(*session)->broken()) {
            continue;
        }
        auto opened = m_connector.primary(side, m_database);
        if (!opened) {
            return opened.error();
        }
        if (const auto ready = (*opened)->batch(sessionSql()); !ready) {
            return ready.error();
        }
        const std::lock_guard lock(m_mutex);
        *session = std::move(*opened);
    }
    return {};
}

Result<std::string> SessionPair::lockedMoment(const std::string& table, FeedPass& feed, const std::function<bool()>& cancelled) {
    Error last;
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        if (cancelled && cancelled()) {
            return Error{Error::Kind::Refused, "Stopped.", {}, {}};
        }
        Result<std::string> lsn = tryMoment(table, feed);
        if (lsn) {
            return lsn;
        }
        last = lsn.error();
        leaveMoment();
        const bool passing = last.sqlstate == "55P03" || last.kind == Error::Kind::Timeout;
        if (!passing) {
            return last;
        }
        ::poll(nullptr, 0, 100 * (attempt + 1));
    }
    last.message = fmt::format("No moment without writers was found in {} attempts: {}", ATTEMPTS, last.message);
    return last;
}

Result<std::string> SessionPair::tryMoment(const std::string& table, FeedPass& feed) {
    const Millis bound = m_connector.plan().verify.lock;
    if (!m_locker || m_locker->broken()) {
        auto opened = m_connector.primary(m_source, m_database);
        if (!opened) {
            return opened.error();
        }
        m_locker = std::move(*opened);
    }
    const auto locked = m_locker->batch(
        fmt::format("begin; set local lock_timeout = {}; lock table only {} in share mode", bound.count(), table), bound + Millis(2000));
    if (!locked) {
        return locked.error();
    }
    const Deadline held(bound);
    const auto here = m_here->batch(fmt::format(BEGIN_SQL, "select pg_current_wal_insert_lsn()"), bound);
    Status passed = here.ok() ? feed.pass(held.left()) : Status(here.error());
    const auto there = passed.ok() ? m_there->batch(fmt::format(BEGIN_SQL, "select 1"), bound) : Result<Rows>(passed.error());
    const auto released = m_locker->batch("rollback");
    if (!released) {
        m_locker->breakOff(); // the server ends the lock with the session
    }
    return there.ok() ? Result<std::string>(here->text(0, 0)) : Result<std::string>(there.error());
}

Status SessionPair::importMoment(const SnapshotPair& snapshots) {
    for (auto [session, snapshot] : {std::pair(m_here.get(), &snapshots.source), std::pair(m_there.get(), &snapshots.follower)}) {
        if (const auto seen = session->batch(fmt::format(BEGIN_SQL, "set transaction snapshot " + quoteLiteral(*snapshot))); !seen) {
            return seen.error();
        }
    }
    return {};
}

void SessionPair::leaveMoment() {
    for (Connection* session : {m_here.get(), m_there.get()}) {
        if (session != nullptr && !session->broken()) {
            static_cast<void>(session->batch("rollback"));
        }
    }
}

void SessionPair::cancel() {
    const std::lock_guard lock(m_mutex);
    for (Connection* session : {m_here.get(), m_there.get()}) {
        if (session != nullptr) {
            session->cancel();
        }
    }
}

} // namespace tealdeck::verify
