// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/check_sessions.h"

namespace tealdeck {

Result<Connection*> CheckSessions::session(Side side, const std::string& database) {
    const std::string name = database.empty() ? plan().side(side).primary.database : database;
    const std::pair<Side, std::string> key{side, name};
    auto it = m_sessions.find(key);
    if (it == m_sessions.end()) {
        if (const auto dead = m_unreachable.find(side); dead != m_unreachable.end()) {
            return dead->second;
        }
        Result<std::unique_ptr<Connection>> opened = open(side, plan().side(side).primary, name);
        if (!opened && name == plan().side(side).primary.database) {
            m_unreachable.emplace(side, opened.error());
        }
        it = m_sessions.emplace(key, std::move(opened)).first;
    }
    if (!it->second) {
        return it->second.error();
    }
    Connection* connection = it->second->get();
    if (connection->broken()) {
        return Error{Error::Kind::Unavailable, "The session with " + connection->label() + " was lost.", {}, {}};
    }
    return connection;
}

Result<std::unique_ptr<Connection>> CheckSessions::open(Side side, const Endpoint& endpoint, const std::string& database) {
    Result<std::unique_ptr<Connection>> opened = m_connector.server(side, endpoint, database, CONNECT_LIMIT);
    if (opened) {
        // Read-only is set here and not in each statement: no check can forget it.
        const Result<Rows> guarded = (*opened)->batch("SET default_transaction_read_only = on; SET statement_timeout = '5s'; SET "
                                                      "lock_timeout = '1s'; SET search_path = pg_catalog",
                                                      STATEMENT_LIMIT);
        if (!guarded) {
            return guarded.error();
        }
    }
    return opened;
}

Result<Rows> CheckSessions::replica(Side side, const Endpoint& endpoint, const std::string& sql) {
    auto it = m_replicas.find({side, endpoint.name});
    if (it == m_replicas.end()) {
        it = m_replicas.emplace(std::pair{side, endpoint.name}, open(side, endpoint, endpoint.database)).first;
    }
    return it->second ? (*it->second)->query(sql, {}, STATEMENT_LIMIT + Millis(500)) : Result<Rows>(it->second.error());
}

Result<Rows> CheckSessions::query(Side side, const std::string& database, const std::string& sql, const Parameters& parameters) {
    const Result<Connection*> connection = session(side, database);
    return connection ? (*connection)->query(sql, parameters, STATEMENT_LIMIT + Millis(500)) : Result<Rows>(connection.error());
}

Result<int> CheckSessions::majorVersion(Side side) {
    const Result<Connection*> connection = session(side, "");
    return connection ? Result<int>((*connection)->serverVersion() / 10000) : Result<int>(connection.error());
}

Result<bool> CheckSessions::exists(Side side, const std::string& database) {
    auto it = m_databases.find(side);
    if (it == m_databases.end()) {
        const Result<Rows> rows = query(side, "", "select datname from pg_database where datallowconn");
        std::set<std::string> names;
        for (std::size_t i = 0; rows && i < rows->size(); ++i) {
            names.insert(rows->text(i, 0));
        }
        it = m_databases.emplace(side, rows ? Result<std::set<std::string>>(std::move(names)) : Result<std::set<std::string>>(rows.error()))
                 .first;
    }
    return it->second ? Result<bool>(it->second->count(database) > 0) : Result<bool>(it->second.error());
}

const Result<PoolerStatus>& CheckSessions::pooler(std::size_t index) {
    auto it = m_poolers.find(index);
    if (it == m_poolers.end()) {
        it = m_poolers.emplace(index, PgBouncer(plan().pgbouncers.at(index), plan()).status(CONNECT_LIMIT)).first;
    }
    return it->second;
}

const Result<HaproxyStatus>& CheckSessions::balancer(std::size_t index) {
    auto it = m_balancers.find(index);
    if (it == m_balancers.end()) {
        it = m_balancers.emplace(index, Haproxy(plan().haproxies.at(index)).status(CONNECT_LIMIT)).first;
    }
    return it->second;
}

} // namespace tealdeck
