// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/haproxy_writes.h"

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

#include "core/util/files.h"

namespace tealdeck {

const std::vector<std::string>& HaproxyWrites::servers(Side side) const {
    return side == Side::Blue ? m_runtime.instance().blueServers : m_runtime.instance().greenServers;
}

std::string HaproxyWrites::what() const {
    return fmt::format("the backend {} at {}", m_runtime.instance().backend, m_runtime.address());
}

Result<std::optional<Side>> HaproxyWrites::target(Millis limit) {
    const Result<HaproxyStatus> now = m_runtime.status(limit);
    if (!now) {
        return now.error();
    }
    std::optional<Side> found;
    for (const BalancerServer& server : now->servers) {
        // Also one that drains takes no new session but answers old ones: only maintenance is closed.
        if (server.state != "maint") {
            if (found) {
                return m_runtime.fault(Error::Kind::Conflict, "the servers of both sides are open, so that writes could be split");
            }
            found = server.side;
        }
    }
    return found;
}

std::vector<std::string> HaproxyWrites::obstacles(Millis limit) {
    // "Permission denied" comes as an answer: asked with a command that needs the level admin and changes nothing.
    const Result<HaproxyStatus> now = m_runtime.status(limit);
    if (!now) {
        return {now.error().text()};
    }
    const BalancerServer& first = now->servers.front();
    if (const Status same = m_runtime.setServer(first.name, first.state, std::nullopt, limit); !same) {
        return {same.error().text()};
    }
    const std::string& file = m_runtime.instance().stateFile;
    if (!file.empty() && ::access(std::filesystem::path(file).parent_path().c_str(), W_OK) != 0) {
        return {fmt::format("{} can't be written: {}", file, systemReason(errno))};
    }
    return {};
}

std::vector<std::string> HaproxyWrites::weaknesses(Millis limit) {
    static_cast<void>(limit);
    if (m_runtime.instance().stateFile.empty()) {
        return {fmt::format(
            "{} has no state_file in the plan: after a reload or a restart HAProxy sends writes where its configuration says", name())};
    }
    return {};
}

Status HaproxyWrites::maintain(Side side, Millis limit) {
    return m_runtime.setServer(servers(side).front(), "maint", std::nullopt, limit);
}

Status HaproxyWrites::close(Millis limit) {
    const Deadline deadline(limit);
    const Status blue = maintain(Side::Blue, deadline.left());
    const Status green = maintain(Side::Green, deadline.left());
    return blue.ok() ? green : blue;
}

Status HaproxyWrites::shift(Side to, Millis limit) {
    const Deadline deadline(limit);
    if (const Result<std::optional<Side>> now = target(deadline.left()); now.ok() && *now && **now == to) {
        return {};
    }
    const Side from = otherSide(to);
    if (const Status closed = maintain(from, deadline.left()); !closed) {
        return closed;
    }
    if (const Status ended = m_runtime.shutDownSessions(servers(from), deadline.left()); !ended) {
        return ended;
    }
    if (const Status ready = m_runtime.setServer(servers(to).front(), "ready", std::nullopt, deadline.left()); !ready) {
        return ready;
    }
    const Result<std::optional<Side>> now = target(deadline.left());
    if (!now) {
        return now.error();
    }
    if (!*now || **now != to) {
        return m_runtime.fault(Error::Kind::Conflict, fmt::format("{}'s server did not become ready", sideName(to)));
    }
    return m_runtime.keepState(deadline.left());
}

Result<Json> HaproxyWrites::save(Millis limit) {
    const Result<HaproxyStatus> now = m_runtime.status(limit);
    if (!now) {
        return now.error();
    }
    Json saved = Json::array();
    for (const BalancerServer& server : now->servers) {
        saved.push_back({{"server", server.name}, {"state", server.state}});
    }
    return saved;
}

Status HaproxyWrites::restore(const Json& saved, Millis limit) {
    const Deadline deadline(limit);
    if (!saved.is_array()) {
        return m_runtime.fault(Error::Kind::Invalid, "what was saved is not a list of servers");
    }
    // First those that close, so that there is never more than one.
    for (const bool ready : {false, true}) {
        for (const Json& entry : saved) {
            const std::string state = member<std::string>(entry, "state", "");
            if ((state == "ready") == ready) {
                if (const Status set = m_runtime.setServer(member<std::string>(entry, "server", ""), state, std::nullopt, deadline.left());
                    !set) {
                    return set;
                }
            }
        }
    }
    return m_runtime.keepState(deadline.left());
}

Result<std::optional<RouterEndpoint>> HaproxyWrites::endpoint(Millis limit) {
    static_cast<void>(limit);
    const HaproxyPlan& h = m_runtime.instance();
    return h.host.empty() || h.port == 0 ? std::optional<RouterEndpoint>() : RouterEndpoint{h.host, "", h.port};
}

} // namespace tealdeck
