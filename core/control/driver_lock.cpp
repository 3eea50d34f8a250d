// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/control/control_store.h"

#include <fmt/format.h>
#include <poll.h>

namespace tealdeck {
namespace {

constexpr const char* LOCK_SQL = "select pg_try_advisory_lock(hashtext('tealdeck'), hashtext($1))";
constexpr const char* HOLDER_SQL =
    "select a.pid, a.application_name from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.granted "
    "and l.classid = hashtext('tealdeck')::oid and l.objid = hashtext($1)::oid and l.database = (select oid from pg_database where datname "
    "= current_database())";
/// Sessions of other engines of this deployment, whatever their epoch. Ours are told apart by process id: before the first copy no epoch is
/// on the servers yet, so that two engines may have the same one.
constexpr const char* END_OTHERS_SQL = "select pg_terminate_backend(pid) from pg_stat_activity where "
                                       "starts_with(application_name, 'tealdeck/' || $1 || '/') and pid <> all ($2::int[])";

std::string ownPids(const Connector& connector, Side side) {
    std::string list;
    for (const int pid : connector.pids(side)) {
        list += (list.empty() ? "" : ",") + std::to_string(pid);
    }
    return "{" + list + "}";
}

Result<std::unique_ptr<Connection>> lockOne(const Connector& connector, Side side, const std::string& deployment, bool takeover,
                                            const Deadline& deadline) {
    Result<std::unique_ptr<Connection>> session = connector.primary(side, {});
    if (!session) {
        return session;
    }
    if (takeover) {
        if (const auto ended = (*session)->query(END_OTHERS_SQL, {deployment, ownPids(connector, side)}); !ended) {
            return ended.error();
        }
    }
    for (;;) {
        const Result<Rows> got = (*session)->query(LOCK_SQL, {deployment});
        if (!got) {
            return got.error();
        }
        if (got->text(0, 0) == "t") {
            return session;
        }
        if (deadline.passed()) {
            const Result<Rows> holder = (*session)->query(HOLDER_SQL, {deployment});
            const std::string who = holder.ok() && !holder->empty()
                                        ? fmt::format("{} (server process {})", holder->text(0, 1), holder->text(0, 0))
                                        : "another session";
            return Error{Error::Kind::Refused,
                         fmt::format("{} drives this deployment on {}.", who, sideName(side)),
                         "Attach to that engine, or take the deployment over with --takeover.",
                         {}};
        }
        ::poll(nullptr, 0, 100); // the lock of an engine that was killed goes away as soon as its server process notices
    }
}

} // namespace

Result<std::unique_ptr<DriverLock>> DriverLock::acquire(const Connector& connector, const std::string& deployment, bool takeover,
                                                        Millis limit) {
    const Deadline deadline(limit);
    auto lock = std::make_unique<DriverLock>();
    // Always blue first: two engines can't hold one each.
    auto blue = lockOne(connector, Side::Blue, deployment, takeover, deadline);
    if (!blue) {
        return blue.error();
    }
    lock->m_blue = std::move(*blue);
    auto green = lockOne(connector, Side::Green, deployment, takeover, deadline);
    if (!green) {
        return green.error();
    }
    lock->m_green = std::move(*green);
    return lock;
}

bool DriverLock::held() const {
    return m_blue && m_green && !m_blue->broken() && !m_green->broken();
}

std::vector<int> DriverLock::pids(Side side) const {
    return {(side == Side::Blue ? m_blue : m_green)->backendPid()};
}

} // namespace tealdeck
