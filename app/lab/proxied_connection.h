// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/fault.h"

#include <chrono>
#include <deque>
#include <optional>
#include <poll.h>
#include <string>

namespace tealdeck {

/// One TCP connection through the fault proxy: a client's side, a server's side, and the bytes on their way between them.
class ProxiedConnection {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Takes over the accepted socket; connects to the target (a port of the loopback address) as soon as bytes may pass.
    ProxiedConnection(int client, int target);
    ~ProxiedConnection();
    ProxiedConnection(const ProxiedConnection&) = delete;
    ProxiedConnection& operator=(const ProxiedConnection&) = delete;

    /// Connects to the server unless the fault holds everything back; called when the fault changes.
    void begin(const Fault& fault);
    /// What poll is to watch for now: the client's side, then the server's. A side that nothing may happen on is not watched at all.
    void watch(const Fault& fault, Time now, pollfd& client, pollfd& server);
    /// Moves what can be moved; false when the connection has ended.
    bool serve(const Fault& fault, Time now, const pollfd& client, const pollfd& server);
    /// When bytes that wait for their time are due next.
    [[nodiscard]] std::optional<Time> nextDue(Time now) const;
    /// Both sides get a TCP reset instead of an orderly end.
    void reset();

  private:
    struct Flow {
        struct Piece {
            Time due;
            std::string bytes;
        };
        std::deque<Piece> pieces;
        std::size_t size = 0;
        bool ended = false;     ///< the sender sends no more
        bool endPassed = false; ///< and the receiver was told
        [[nodiscard]] bool due(Time now) const { return !pieces.empty() && pieces.front().due <= now; }
    };
    bool connectServer();
    static bool take(int from, Flow& flow, Time due);
    static bool give(int to, Flow& flow, Time now);
    static void passEnd(int to, Flow& flow);

    int m_client;
    int m_target;
    int m_server = -1;
    bool m_connected = false;
    Flow m_up;   ///< from the client to the server
    Flow m_down; ///< back
};

} // namespace tealdeck
