// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/session_source.h"
#include "core/util/result.h"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace tealdeck {

/// A session with a running engine: connects to its Unix socket, or talks to a command's standard input and output
/// (such as `ssh HOST tealdeck-engine --stdio PLAN`). Reconnects with back-off to a socket until stop().
class EngineClient final : public SessionSource, public CommandSink {
  public:
    struct Target {
        std::string socketPath;           ///< used when argv is empty
        std::vector<std::string> argv;    ///< a program that speaks the wire format on its standard streams
        bool driver = true;
        std::string actor;
        bool reconnect = true;
    };
    explicit EngineClient(Target target);
    ~EngineClient() override;
    void start(SessionListener listener) override;
    void stop() override;
    CommandSink* commands() override { return this; }
    void send(const Command& command, std::function<void(CommandReply)> answered) override;

  private:
    void run();
    bool openStream();
    void closeStream();
    void serve();
    bool takeLine(const std::string& line);
    void failPending(const std::string& reason);

    Target m_target;
    SessionListener m_listener;
    std::thread m_thread;
    std::atomic<bool> m_stopping{false};
    int m_wake[2] = {-1, -1};
    int m_in = -1;
    int m_out = -1;
    int m_childPid = -1;
    std::mutex m_mutex; ///< guards the three below
    std::string m_outgoing;
    std::map<std::string, std::function<void(CommandReply)>> m_pending;
    unsigned m_nextId = 1;
};

} // namespace tealdeck
