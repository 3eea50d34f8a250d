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

/// Bits of srv_admin_state in "show servers state": forced, inherited, configured, and by name resolution.
constexpr int MAINT_BITS = 0x01 | 0x02 | 0x20; // not 0x04: "disabled" in the file stays marked after the server was made ready
constexpr int DRAIN_BITS = 0x08 | 0x10;
constexpr std::size_t LARGEST_ANSWER = std::size_t{16} << 20;

class Socket {
  public:
    Socket() : m_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
    ~Socket() {
        if (m_fd >= 0) {
            ::close(m_fd);
        }
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    [[nodiscard]] int fd() const { return m_fd; }
    /// False when the deadline passed first.
    [[nodiscard]] bool wait(short events, const Deadline& deadline) const {
        pollfd entry{m_fd, events, 0};
        return ::poll(&entry, 1, static_cast<int>(deadline.left().count())) > 0;
    }

  private:
    int m_fd;
};

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::stringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) {
        parts.push_back(part);
    }
    return parts;
}

/// A table whose header line starts with "# ", as a list of name → value.
std::vector<std::map<std::string, std::string>> table(const std::string& text, char separator) {
    std::vector<std::map<std::string, std::string>> rows;
    std::vector<std::string> header;
    for (const std::string& line : split(text, '\n')) {
        if (line.rfind("# ", 0) == 0) {
            header = split(line.substr(2), separator);
            continue;
        }
        const std::vector<std::string> values = split(line, separator);
        if (header.empty() || values.size() < 2) {
            continue; // the format's version, or the empty line at the end
        }
        std::map<std::string, std::string> row;
        for (std::size_t i = 0; i < std::min(header.size(), values.size()); ++i) {
            row[header[i]] = values[i];
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::int64_t number(const std::map<std::string, std::string>& row, const char* key) {
    const auto it = row.find(key);
    return it == row.end() ? 0 : std::atoll(it->second.c_str());
}

const std::map<std::string, std::string>* findRow(const std::vector<std::map<std::string, std::string>>& rows, const char* key,
                                                  const std::string& value) {
    const auto it = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.count(key) > 0 && row.at(key) == value; });
    return it == rows.end() ? nullptr : &*it;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
    }
    return text;
}

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

Haproxy::Haproxy(HaproxyPlan instance) : m_instance(std::move(instance)) {}

Error Haproxy::fault(Error::Kind kind, const std::string& what) const {
    return {kind,
            fmt::format("{}: {}.", m_instance.name, what),
            kind == Error::Kind::Unavailable ? "Is HAProxy running, and does its runtime socket have level admin?" : "",
            {}};
}

Result<std::string> Haproxy::command(const std::string& text, Millis limit) const {
    const Deadline deadline(limit);
    const Error late = fault(Error::Kind::Timeout, fmt::format("no answer on {} within {} ms", m_instance.socket, limit.count()));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (m_instance.socket.size() >= sizeof(address.sun_path)) {
        return fault(Error::Kind::Invalid, fmt::format("the path {} is longer than a Unix socket's may be", m_instance.socket));
    }
    std::memcpy(address.sun_path, m_instance.socket.c_str(), m_instance.socket.size() + 1);
    const Socket socket;
    if (socket.fd() < 0 || ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fault(Error::Kind::Unavailable, fmt::format("cannot connect to {}: {}", m_instance.socket, systemReason(errno)));
    }
    const std::string line = text + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t n = ::send(socket.fd(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (n > 0) {
            sent += static_cast<std::size_t>(n);
        } else if (errno != EAGAIN && errno != EINTR) {
            return fault(Error::Kind::Unavailable, fmt::format("cannot write to {}: {}", m_instance.socket, systemReason(errno)));
        } else if (!socket.wait(POLLOUT, deadline)) {
            return late;
        }
    }
    std::string answer;
    char buffer[8192];
    for (;;) {
        const ssize_t n = ::recv(socket.fd(), buffer, sizeof(buffer), 0);
        if (n == 0) {
            return answer;
        }
        if (n > 0) {
            answer.append(buffer, static_cast<std::size_t>(n));
            if (answer.size() > LARGEST_ANSWER) {
                return fault(Error::Kind::Conflict, "the answer is too long");
            }
        } else if (errno != EAGAIN && errno != EINTR) {
            return fault(Error::Kind::Unavailable, fmt::format("cannot read from {}: {}", m_instance.socket, systemReason(errno)));
        } else if (!socket.wait(POLLIN, deadline)) {
            return late;
        }
    }
}

Status Haproxy::act(const std::string& text, Millis limit) const {
    const Result<std::string> answer = command(text, limit);
    if (!answer) {
        return answer.error();
    }
    // Silence is success; anything else is a complaint.
    const std::string said = trimmed(*answer);
    return said.empty() ? Status() : Status(fault(Error::Kind::Server, fmt::format("\"{}\" was answered by: {}", text, said)));
}

Result<HaproxyStatus> Haproxy::status(Millis limit) {
    const Deadline deadline(limit);
    const Result<std::string> states = command("show servers state " + m_instance.backend, deadline.left());
    if (!states) {
        return states.error();
    }
    const Result<std::string> counts = command(fmt::format("show stat {} 4 -1", m_instance.backend), deadline.left());
    if (!counts) {
        return counts.error();
    }
    const auto stateRows = table(*states, ' ');
    const auto countRows = table(*counts, ',');
    if (stateRows.empty()) {
        return fault(Error::Kind::Conflict,
                     fmt::format("there is no backend {} with servers (\"{}\")", m_instance.backend, trimmed(*states).substr(0, 100)));
    }
    HaproxyStatus result;
    for (const Side side : {Side::Blue, Side::Green}) {
        for (const std::string& name : side == Side::Blue ? m_instance.blueServers : m_instance.greenServers) {
            const auto* state = findRow(stateRows, "srv_name", name);
            const auto* count = findRow(countRows, "svname", name);
            if (state == nullptr || count == nullptr) {
                return fault(Error::Kind::Conflict, fmt::format("backend {} has no server {}", m_instance.backend, name));
            }
            const auto admin = number(*state, "srv_admin_state");
            const std::string word = (admin & MAINT_BITS) != 0 ? "maint" : (admin & DRAIN_BITS) != 0 ? "drain" : "ready";
            const bool running = word == "ready" && number(*state, "srv_op_state") != 0;
            result.servers.push_back({name, side, word, count->at("status"), running, static_cast<int>(number(*state, "srv_uweight")),
                                      number(*count, "scur"), number(*count, "stot")});
        }
    }
    return result;
}

Status Haproxy::setServer(const std::string& server, const std::string& state, std::optional<int> weight, Millis limit) const {
    const Deadline deadline(limit);
    const std::string where = m_instance.backend + "/" + server;
    if (weight) {
        // Absolute: "50%" would be relative to the weight of the configuration file and stay 0 when that is 0.
        if (const Status set = act(fmt::format("set server {} weight {}", where, *weight), deadline.left()); !set) {
            return set;
        }
    }
    return act(fmt::format("set server {} state {}", where, state), deadline.left());
}

Status Haproxy::shutDownSessions(const std::vector<std::string>& servers, Millis limit) const {
    const Deadline deadline(limit);
    for (const std::string& server : servers) {
        if (const Status done = act(fmt::format("shutdown sessions server {}/{}", m_instance.backend, server), deadline.left()); !done) {
            return done;
        }
    }
    return {};
}

Status Haproxy::requireRunning(Side side, Millis limit) {
    const Result<HaproxyStatus> now = status(limit);
    if (!now) {
        return now.error();
    }
    const bool any =
        std::any_of(now->servers.begin(), now->servers.end(), [&](const BalancerServer& s) { return s.side == side && s.running; });
    return any ? Status()
               : Status(fault(Error::Kind::Refused,
                              fmt::format("no {} server takes sessions, so the other side keeps the reads", sideName(side))));
}

Status Haproxy::setGreenShare(double percent, Millis limit) {
    if (!(percent >= 0 && percent <= 100)) {
        return fault(Error::Kind::Invalid, fmt::format("a share must be 0 to 100 percent, not {}", percent));
    }
    const Deadline deadline(limit);
    const bool whole = percent == 0 || percent == 100;
    const ShareWeights weights =
        whole ? ShareWeights{100, 100}
              : weightsFor(percent, static_cast<int>(m_instance.blueServers.size()), static_cast<int>(m_instance.greenServers.size()));
    const auto apply = [&](Side side, const char* state, std::optional<int> weight) {
        Status result;
        for (const std::string& server : side == Side::Blue ? m_instance.blueServers : m_instance.greenServers) {
            result = result ? setServer(server, state, weight, deadline.left()) : result;
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
    return shutDownSessions(side == Side::Blue ? m_instance.blueServers : m_instance.greenServers, DRAIN_GRACE);
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
        return fault(Error::Kind::Invalid, "what was saved is not a list of servers");
    }
    // First those that take sessions, so that there is always one.
    for (const bool ready : {true, false}) {
        for (const Json& entry : saved) {
            const std::string state = member<std::string>(entry, "state", "");
            if ((state == "ready") != ready) {
                continue;
            }
            if (const Status set =
                    setServer(member<std::string>(entry, "server", ""), state, member<int>(entry, "weight", 0), deadline.left());
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
