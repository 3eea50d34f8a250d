// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/session_source.h"
#include "core/util/clock.h"
#include "core/util/result.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tealdeck {

class ByteStream;

/// A session with a running engine: connects to its Unix socket, or talks to a command's standard input and output
/// (such as `ssh HOST tealdeck-engine --stdio PLAN`). Reconnects with back-off to a socket until stop().
/// Each time it connects, and when the engine catches a slow client up, the listener hears a Start again.
class EngineClient final : public SessionSource, public CommandSink {
  public:
    struct Target {
        std::string socketPath;        ///< used when argv is empty
        std::vector<std::string> argv; ///< a program that speaks the wire format on its standard streams
        bool driver = true;
        std::string actor;
        bool reconnect = true;
        Millis welcomeWithin{20'000}; ///< an engine that has not answered the hello by then is given up
        Millis firstPause{100};       ///< before the first reconnect; doubles up to 5 s
    };
    explicit EngineClient(Target target);
    ~EngineClient() override;
    void start(SessionListener listener) override;
    /// Joins the thread; may be called twice. Called from a listener it only asks the thread to end.
    void stop() override;
    CommandSink* commands() override { return this; }
    /// Without a connection the answer is a refusal: a command is never kept for later. A connection that ends before the
    /// engine's reply answers "Connection lost …"; whether the command was taken is then seen in the next snapshot.
    void send(const Command& command, std::function<void(CommandReply)> answered) override;

  private:
    using Answer = std::function<void(CommandReply)>;

    void run();
    bool openStream();
    void closeStream();
    void serve();
    bool waitAndMove(const Deadline& welcome);
    bool readLines();
    bool writeSome();
    bool takeLine(const std::string& line);
    bool takeEvents(std::vector<Event> events);
    void takeReply(const std::string& id, const CommandReply& reply);
    void takeCommands();
    void failPending(const std::string& reason);
    void rest(std::optional<Millis> time);
    void announce(SourceState state, const std::string& detail) const;
    bool lose(std::string reason);
    void wake() const;

    Target m_target;
    SessionListener m_listener;
    std::thread m_thread;
    std::mutex m_lifeMutex; ///< start and stop, one at a time
    std::atomic<std::thread::id> m_threadId{};
    std::atomic<bool> m_stopping{false};
    int m_wake[2] = {-1, -1};

    // The thread's own.
    std::unique_ptr<ByteStream> m_stream;
    std::string m_incoming;
    std::size_t m_scanned = 0; ///< bytes of m_incoming that hold no newline
    std::string m_writing;
    std::string m_detail; ///< why the stream ended
    bool m_live = false;  ///< welcomed on this stream
    std::uint64_t m_lastSeq = 0;

    std::mutex m_mutex;      ///< guards the ones below
    bool m_answering = true; ///< false: the thread answers no more
    std::string m_outgoing;
    std::map<std::string, Answer> m_pending;
    std::vector<std::pair<Answer, std::string>> m_refused; ///< to be answered on the thread with the reason
    std::uint64_t m_nextId = 1;
};

} // namespace tealdeck
