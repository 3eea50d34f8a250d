// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/traffic/haproxy.h"

#include "core/util/files.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// Green's part of the weight of all servers that take sessions.
double weightShare(const HaproxyStatus& status) {
    double green = 0;
    double all = 0;
    for (const BalancerServer& server : status.servers) {
        const double weight = server.running ? server.weight : 0;
        all += weight;
        green += server.side == Side::Green ? weight : 0;
    }
    return all > 0 ? 100.0 * green / all : 0;
}

} // namespace

ShareWeights weightsFor(double percent, int blueServers, int greenServers) {
    ShareWeights best;
    double bestError = 1000;
    for (int blue = 1; blue <= 256; ++blue) {
        // For this weight of blue the best one of green is one of two neighbours.
        const double exact = percent * blue * blueServers / ((100 - percent) * greenServers);
        for (const int green : {static_cast<int>(std::floor(exact)), static_cast<int>(std::ceil(exact))}) {
            if (green < 1 || green > 256) {
                continue;
            }
            const double part =
                100.0 * green * greenServers / (static_cast<double>(green) * greenServers + static_cast<double>(blue) * blueServers);
            if (std::abs(part - percent) < bestError - 1e-9) {
                bestError = std::abs(part - percent);
                best = {blue, green};
            }
        }
    }
    if (bestError > 100) { // beyond what 1:256 can express
        best = percent < 50 ? ShareWeights{256, 1} : ShareWeights{1, 256};
    }
    return best;
}

Haproxy::Haproxy(HaproxyPlan instance) : m_runtime(std::move(instance)) {}

Status Haproxy::requireRunning(Side side, Millis limit) {
    const Result<HaproxyStatus> now = status(limit);
    if (!now) {
        return now.error();
    }
    const bool any =
        std::any_of(now->servers.begin(), now->servers.end(), [&](const BalancerServer& s) { return s.side == side && s.running; });
    return any ? Status()
               : Status(m_runtime.fault(Error::Kind::Refused,
                                        fmt::format("no {} server takes sessions, so the other side keeps the reads", sideName(side))));
}

Status Haproxy::setGreenShare(double percent, Millis limit) {
    if (!(percent >= 0 && percent <= 100)) {
        return m_runtime.fault(Error::Kind::Invalid, fmt::format("a share must be 0 to 100 percent, not {}", percent));
    }
    const Deadline deadline(limit);
    const bool whole = percent == 0 || percent == 100;
    const ShareWeights weights =
        whole ? ShareWeights{100, 100}
              : weightsFor(percent, static_cast<int>(instance().blueServers.size()), static_cast<int>(instance().greenServers.size()));
    const auto apply = [&](Side side, const char* state, std::optional<int> weight) {
        Status result;
        for (const std::string& server : side == Side::Blue ? instance().blueServers : instance().greenServers) {
            result = result ? m_runtime.setServer(server, state, weight, deadline.left()) : result;
        }
        return result;
    };
    m_baseline.reset();
    m_lastMeasured.reset();
    const Side gains = percent > 0 ? Side::Green : Side::Blue;
    if (Status ready = apply(gains, "ready", gains == Side::Green ? weights.green : weights.blue); !ready) {
        return ready;
    }
    if (Status running = requireRunning(gains, deadline.left()); !running) {
        return running;
    }
    if (!whole) {
        return apply(Side::Blue, "ready", weights.blue);
    }
    const Side loses = otherSide(gains);
    // Blue drains, so that its health checks go on and the way back is quick; green goes where it was found.
    if (Status off = apply(loses, loses == Side::Blue ? "drain" : "maint", std::nullopt); !off) {
        return off;
    }
    return drainSessions(loses);
}

/// Sessions in mid-query deserve to end by themselves; who stays is shut down.
Status Haproxy::drainSessions(Side side) {
    const Deadline deadline(DRAIN_GRACE);
    while (!deadline.passed()) {
        const Result<HaproxyStatus> now = status(DRAIN_GRACE);
        std::int64_t open = 0;
        for (std::size_t i = 0; now.ok() && i < now->servers.size(); ++i) {
            open += now->servers[i].side == side ? now->servers[i].sessions : 0;
        }
        if (now.ok() && open == 0) {
            return {};
        }
        ::poll(nullptr, 0, 20);
    }
    return m_runtime.shutDownSessions(side == Side::Blue ? instance().blueServers : instance().greenServers, DRAIN_GRACE);
}

Result<ObservedShare> Haproxy::observedGreenShare(Millis limit) {
    const Result<HaproxyStatus> now = status(limit);
    if (!now) {
        return now.error();
    }
    Baseline current{0, 0, weightShare(*now)};
    for (const BalancerServer& server : now->servers) {
        (server.side == Side::Blue ? current.blue : current.green) += server.totalSessions;
    }
    // After another share was set, or HAProxy was restarted, older counts say nothing.
    if (!m_baseline || m_baseline->weightShare != current.weightShare || current.blue < m_baseline->blue ||
        current.green < m_baseline->green) {
        m_baseline = current;
        m_lastMeasured.reset();
        return ObservedShare{current.weightShare, false};
    }
    const std::int64_t blue = current.blue - m_baseline->blue;
    const std::int64_t green = current.green - m_baseline->green;
    if (blue + green >= MIN_COUNTED) {
        m_lastMeasured = 100.0 * static_cast<double>(green) / static_cast<double>(blue + green);
        m_baseline = current;
    }
    return m_lastMeasured ? ObservedShare{*m_lastMeasured, true} : ObservedShare{current.weightShare, false};
}

Result<Json> Haproxy::save(Millis limit) {
    const Result<HaproxyStatus> now = status(limit);
    if (!now) {
        return now.error();
    }
    Json saved = Json::array();
    for (const BalancerServer& server : now->servers) {
        saved.push_back({{"server", server.name}, {"state", server.state}, {"weight", server.weight}});
    }
    return saved;
}

Status Haproxy::restore(const Json& saved, Millis limit) {
    const Deadline deadline(limit);
    if (!saved.is_array()) {
        return m_runtime.fault(Error::Kind::Invalid, "what was saved is not a list of servers");
    }
    // First those that take sessions, so that there is always one.
    for (const bool ready : {true, false}) {
        for (const Json& entry : saved) {
            const std::string state = member<std::string>(entry, "state", "");
            if ((state == "ready") != ready) {
                continue;
            }
            if (const Status set =
                    m_runtime.setServer(member<std::string>(entry, "server", ""), state, member<int>(entry, "weight", 0), deadline.left());
                !set) {
                return set;
            }
        }
    }
    m_baseline.reset();
    m_lastMeasured.reset();
    return {};
}

} // namespace tealdeck
