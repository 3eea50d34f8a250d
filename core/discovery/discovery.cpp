// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/discovery/discovery.h"

#include "core/postgres/sql.h"

#include <cstdlib>
#include <future>

namespace tealdeck {
namespace {

/// Our own sessions are not clients. A database without reads, such as a server that just started, has no last commit to compare with.
constexpr const char* NODE_SQL = R"(
select split_part(current_setting('server_version'), ' ', 1), pg_is_in_recovery(), (select system_identifier from pg_control_system()),
       (select count(*) from pg_stat_activity where backend_type = 'client backend' and application_name not like 'tealdeck/%'),
       case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
       case when pg_is_in_recovery() then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end)";

std::optional<double> asNumber(const Rows& rows, std::size_t column) {
    const std::string text = rows.text(0, column);
    return text.empty() ? std::nullopt : std::optional<double>(std::strtod(text.c_str(), nullptr));
}

} // namespace

Discovery::Discovery(const Connector& connector, std::function<std::int64_t()> steadyUs)
    : m_connector(connector), m_steadyUs(std::move(steadyUs)) {
    if (!m_steadyUs) {
        m_steadyUs = [] { return Clock::system().steadyUs(); };
    }
}

std::shared_ptr<Connection> Discovery::session(Side side, const Endpoint& endpoint, Millis limit, std::string& reason) {
    const std::pair<Side, std::string> key{side, endpoint.name};
    {
        const std::lock_guard lock(m_mutex);
        if (const auto it = m_sessions.find(key); it != m_sessions.end() && !it->second->broken()) {
            return it->second;
        }
    }
    Result<std::unique_ptr<Connection>> opened = m_connector.server(side, endpoint, endpoint.database, limit);
    if (!opened) {
        reason = opened.error().message;
        return nullptr;
    }
    std::shared_ptr<Connection> connection = std::move(*opened);
    const std::lock_guard lock(m_mutex);
    m_sessions[key] = connection;
    return connection;
}

Result<Rows> Discovery::ask(Side side, const Endpoint& endpoint, const std::string& sql, Millis limit) {
    std::string reason;
    const std::shared_ptr<Connection> connection = session(side, endpoint, limit, reason);
    return connection ? connection->query(sql, {}, limit) : Result<Rows>(Error{Error::Kind::Unavailable, reason, {}, {}});
}

Discovery::Sample Discovery::sample(Side side, const Endpoint& endpoint, bool primary, Millis limit) {
    const Deadline deadline(limit);
    Sample s;
    s.node.name = endpoint.name;
    s.node.role = primary ? "primary" : "replica";
    s.node.host = endpoint.host;
    s.node.port = endpoint.port;
    s.node.zone = endpoint.zone;
    s.node.state = "down";
    // A session that the server closed since the last call is only noticed when it is used: then one new one is tried.
    for (int attempt = 0; attempt < 2; ++attempt) {
        const std::shared_ptr<Connection> connection = session(side, endpoint, deadline.left(), s.node.detail);
        if (!connection) {
            break;
        }
        const Result<Rows> rows = connection->query(NODE_SQL, {}, deadline.left());
        if (!rows) {
            s.node.detail = rows.error().message;
            if (!connection->broken() || deadline.passed()) {
                break;
            }
            continue;
        }
        s.node.state = "up";
        s.node.detail.clear();
        s.node.version = rows->text(0, 0);
        s.node.role = rows->text(0, 1) == "t" ? "replica" : "primary";
        s.node.systemIdentifier = rows->text(0, 2);
        s.node.connections = asNumber(*rows, 3);
        if (const auto lsn = parseLsn(rows->text(0, 4))) {
            s.position = lsn->value;
        }
        s.node.lagSeconds = asNumber(*rows, 5);
        if ((s.node.role == "primary") != primary) {
            s.node.detail =
                primary ? "Named as primary in the plan, but it is a standby." : "Named as replica in the plan, but it is no standby.";
        }
        break;
    }
    s.node.sampledUs = m_steadyUs();
    return s;
}

Node Discovery::inspect(Side side, const Endpoint& endpoint, bool primary, Millis limit) {
    Node node = sample(side, endpoint, primary, limit).node;
    node.lagSeconds.reset();
    return node;
}

std::vector<Node> Discovery::nodes(Side side, Millis limit) {
    const Environment& environment = m_connector.plan().side(side);
    std::vector<std::future<Sample>> asked;
    for (const Endpoint& replica : environment.replicas) {
        asked.push_back(std::async(std::launch::async, [this, side, &replica, limit] { return sample(side, replica, false, limit); }));
    }
    const Sample primary = sample(side, environment.primary, true, limit);
    std::vector<Node> nodes{primary.node};
    nodes.front().lagSeconds.reset();
    for (auto& answer : asked) {
        Sample replica = answer.get();
        const bool comparable = primary.position && replica.position && replica.node.systemIdentifier == primary.node.systemIdentifier;
        if (comparable) {
            replica.node.lagBytes =
                *primary.position > *replica.position ? static_cast<double>(*primary.position - *replica.position) : 0.0;
        }
        // The time since the last commit grows on an idle server, which is no lag.
        if (comparable && *replica.node.lagBytes == 0) {
            replica.node.lagSeconds = 0;
        } else if (!comparable) {
            replica.node.lagSeconds.reset();
        }
        nodes.push_back(std::move(replica.node));
    }
    return nodes;
}

} // namespace tealdeck
