// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/postgres/connection.h"
#include "core/postgres/stream_session.h"

#include <fmt/format.h>
#include <mutex>
#include <set>

namespace tealdeck {

struct Connector::Registry {
    std::mutex mutex;
    std::set<int> pids[2];
};

Connector::Connector(Plan plan, std::string applicationName, StatementObserver observer)
    : m_plan(std::move(plan)), m_applicationName(std::move(applicationName)), m_observer(std::move(observer)),
      m_registry(std::make_shared<Registry>()) {}

Connector Connector::observedBy(StatementObserver observer) const {
    Connector other = *this;
    other.m_observer = std::move(observer);
    return other;
}

Connector Connector::alsoObservedBy(StatementObserver observer) const {
    return observedBy([first = m_observer, second = std::move(observer)](const StatementReport& report) {
        if (first) {
            first(report);
        }
        second(report);
    });
}

std::vector<int> Connector::pids(Side side) const {
    const std::lock_guard lock(m_registry->mutex);
    const std::set<int>& open = m_registry->pids[side == Side::Green];
    return {open.begin(), open.end()};
}

Result<std::unique_ptr<Connection>> Connector::primary(Side side, const std::string& database, Millis limit) const {
    return server(side, m_plan.side(side).primary, database, limit);
}

Connection::Options Connector::optionsFor(Side side, const Endpoint& endpoint, const std::string& database) const {
    const std::string where = endpoint.name.empty() || endpoint.name == "primary" ? "" : "/" + endpoint.name;
    std::function<void(int, bool)> lifecycle;
    if (where.empty()) {
        lifecycle = [registry = m_registry, side](int pid, bool open) {
            const std::lock_guard lock(registry->mutex);
            std::set<int>& pids = registry->pids[side == Side::Green];
            open ? static_cast<void>(pids.insert(pid)) : static_cast<void>(pids.erase(pid));
        };
    }
    return {endpoint,          database,
            m_applicationName, fmt::format("{}{}/{}", sideName(side), where, database.empty() ? endpoint.database : database),
            m_observer,        lifecycle};
}

Result<std::unique_ptr<Connection>> Connector::server(Side side, const Endpoint& endpoint, const std::string& database,
                                                      Millis limit) const {
    return Connection::open(optionsFor(side, endpoint, database), limit);
}

Result<std::unique_ptr<StreamSession>> Connector::stream(Side side, const std::string& database, StreamOptions options,
                                                         Millis limit) const {
    return StreamSession::open(optionsFor(side, m_plan.side(side).primary, database), std::move(options), limit);
}

} // namespace tealdeck
