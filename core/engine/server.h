// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/engine/hub.h"
#include "core/model/command.h"

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace tealdeck {

/// Speaks the wire format (core/api/wire.h) with any number of clients, on the thread that calls run(). A slow client never slows the
/// engine: when too much waits for it, it is caught up with the newest state instead.
class EngineServer {
  public:
    /// Both are borrowed or called as long as the server lives. submit must not block.
    EngineServer(EventHub& hub, std::function<CommandReply(const Command&)> submit);
    ~EngineServer();
    EngineServer(const EngineServer&) = delete;
    EngineServer& operator=(const EngineServer&) = delete;

    /// A Unix socket of mode 0600; a stale one of a dead engine is replaced, a live one is an error.
    Status listen(const std::filesystem::path& socket);
    /// One more client on two file descriptors, such as the standard streams.
    void adopt(int in, int out);
    /// Until stop(), or until nobody has been connected for the time and idle() says that the engine is not needed.
    void run(const std::function<bool(Millis withoutClients)>& idle);
    /// From any thread or a signal handler.
    void stop();

  private:
    struct Client {
        int in = -1;
        int out = -1;
        std::string pending; ///< bytes of an unfinished line
        std::string output;
        bool greeted = false;
        bool driver = false;
        std::string actor;
        bool closing = false;
        std::uint64_t sentSeq = 0; ///< newest event that it was sent, or that its welcome contained
        bool behind = false;       ///< events were dropped: it gets a new welcome when it has read what waits
    };
    void acceptClient();
    void readFrom(Client& client);
    void takeLine(Client& client, const std::string& line);
    void writeTo(Client& client);
    void welcome(Client& client);
    void spread();
    void close(Client& client);

    EventHub& m_hub;
    std::function<CommandReply(const Command&)> m_submit;
    std::filesystem::path m_socket;
    int m_listener = -1;
    int m_wake[2] = {-1, -1};
    std::atomic<bool> m_stopping{false};
    std::deque<Client> m_clients;
    std::mutex m_mutex; ///< guards m_fresh
    std::vector<Event> m_fresh;
};

} // namespace tealdeck
