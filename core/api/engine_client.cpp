// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/engine_client.h"

#include "core/api/byte_stream.h"
#include "core/api/wire.h"
#include "core/util/text.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr Millis LONGEST_PAUSE{5000};
constexpr const char* NOT_CONNECTED = "Not connected to the engine; nothing was sent.";
constexpr const char* CONNECTION_LOST = "Connection lost before the engine answered; look at the state before you ask again.";

} // namespace

EngineClient::EngineClient(Target target) : m_target(std::move(target)) {
    if (::pipe2(m_wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        m_wake[0] = m_wake[1] = -1;
    }
}

EngineClient::~EngineClient() {
    stop();
    for (const int fd : m_wake) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

void EngineClient::start(SessionListener listener) {
    stop();
    if (m_threadId.load() == std::this_thread::get_id()) {
        return; // a listener cannot replace itself
    }
    const std::lock_guard life(m_lifeMutex);
    m_listener = std::move(listener);
    m_stopping = false;
    {
        const std::lock_guard lock(m_mutex);
        m_answering = true;
    }
    m_thread = std::thread([this] { run(); });
}

void EngineClient::stop() {
    m_stopping = true;
    wake();
    if (m_threadId.load() == std::this_thread::get_id()) {
        return; // a listener asks: the thread ends after it, and whoever destroys us joins it
    }
    const std::lock_guard life(m_lifeMutex);
    if (m_thread.joinable()) {
        m_thread.join();
    }
    m_listener = {};
}

void EngineClient::send(const Command& command, std::function<void(CommandReply)> answered) {
    std::unique_lock lock(m_mutex);
    if (!m_answering) {
        lock.unlock();
        if (answered) {
            answered({false, NOT_CONNECTED});
        }
        return;
    }
    const std::string id = std::to_string(m_nextId++);
    std::string line = wire::encode(wire::CommandMessage{id, command});
    if (line.size() > wire::MAX_CLIENT_LINE) {
        m_refused.emplace_back(std::move(answered), "The command is too long to be sent.");
    } else {
        m_pending[id] = std::move(answered);
        m_outgoing += line;
    }
    lock.unlock();
    wake();
}

void EngineClient::wake() const {
    const char one = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(m_wake[1], &one, 1); // full pipe: it is awake already
}

void EngineClient::announce(SourceState state, const std::string& detail) const {
    if (!m_stopping && m_listener.stateChanged) {
        m_listener.stateChanged(state, detail);
    }
}

bool EngineClient::lose(std::string reason) {
    m_detail = std::move(reason);
    return false;
}

void EngineClient::run() {
    m_threadId = std::this_thread::get_id();
    sigset_t pipeSignal;
    sigemptyset(&pipeSignal);
    sigaddset(&pipeSignal, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipeSignal, nullptr);

    Millis pause = m_target.firstPause;
    while (!m_stopping) {
        announce(SourceState::Connecting, {});
        bool wasLive = false;
        if (openStream()) {
            serve();
            wasLive = m_live;
            closeStream();
        }
        failPending(wasLive ? CONNECTION_LOST : NOT_CONNECTED);
        if (!m_target.reconnect || !m_target.argv.empty()) {
            announce(SourceState::Ended, m_detail);
            break;
        }
        announce(SourceState::Lost, m_detail);
        pause = wasLive ? m_target.firstPause : pause;
        rest(pause);
        pause = std::min(pause * 2, LONGEST_PAUSE);
    }
    while (!m_stopping) {
        rest(std::nullopt); // ended, but what is asked is still answered here
    }
    {
        const std::lock_guard lock(m_mutex);
        m_answering = false;
    }
    failPending(NOT_CONNECTED);
    m_threadId = std::thread::id();
}

/// Waits until the time has passed or stop() was called; commands that come meanwhile are refused.
void EngineClient::rest(std::optional<Millis> time) {
    const Deadline deadline(time.value_or(Millis(0)));
    while (!m_stopping && !(time && deadline.passed())) {
        pollfd fd{m_wake[0], POLLIN, 0};
        ::poll(&fd, 1, time ? static_cast<int>(deadline.left().count()) + 1 : 60'000);
        takeCommands();
    }
}

bool EngineClient::openStream() {
    Result<std::unique_ptr<ByteStream>> opened =
        m_target.argv.empty() ? ByteStream::connect(m_target.socketPath) : ByteStream::start(m_target.argv);
    if (!opened) {
        return lose(opened.error().text());
    }
    m_stream = std::move(opened).value();
    m_incoming.clear();
    m_scanned = 0;
    m_live = false;
    m_writing = wire::encode(wire::Hello{m_target.driver, m_target.actor});
    return true;
}

void EngineClient::closeStream() {
    // A program that failed says why on its standard error; the end of its output alone tells nobody anything.
    const std::string errors = m_stream->errors();
    if (!errors.empty() && !m_live) {
        m_detail += (m_detail.empty() ? "" : " ") + plainText(errors, 400);
    }
    m_stream.reset();
    m_writing.clear();
    m_live = false;
}

void EngineClient::serve() {
    m_detail.clear();
    const Deadline welcome(m_target.welcomeWithin);
    while (!m_stopping && waitAndMove(welcome)) {
        takeCommands();
        if (!m_live && welcome.passed()) {
            lose(fmt::format("The engine did not answer within {} ms.", welcome.limit().count()));
            return;
        }
    }
}

/// One round of waiting, reading and writing; false when the stream is over.
bool EngineClient::waitAndMove(const Deadline& welcome) {
    enum { WAKE, IN, OUT, ERR };
    pollfd fds[4] = {{m_wake[0], POLLIN, 0},
                     {m_stream->readFd(), POLLIN, 0},
                     {m_writing.empty() ? -1 : m_stream->writeFd(), POLLOUT, 0},
                     {m_stream->errorFd(), POLLIN, 0}};
    const int wait = m_live ? -1 : static_cast<int>(welcome.left().count()) + 1;
    if (::poll(fds, 4, wait) <= 0) {
        return true;
    }
    if (fds[ERR].revents != 0) {
        m_stream->readErrors();
    }
    if (fds[OUT].revents != 0 && !writeSome()) {
        // It may have said why before it closed.
        while (readLines()) {
            pollfd more{m_stream->readFd(), POLLIN, 0};
            if (m_stopping || ::poll(&more, 1, 0) <= 0) {
                return lose("The engine reads no more.");
            }
        }
        return false;
    }
    return fds[IN].revents == 0 || readLines();
}

bool EngineClient::writeSome() {
    const ssize_t n = m_stream->write(m_writing);
    if (n > 0) {
        m_writing.erase(0, static_cast<std::size_t>(n));
    }
    return n >= 0;
}

bool EngineClient::readLines() {
    if (!m_stream->read(m_incoming)) {
        for (int i = 0; i < 4 && m_stream->errorFd() >= 0; ++i) {
            m_stream->readErrors();
        }
        return lose(m_incoming.empty() ? "The engine closed the connection." : "The connection ended inside a message.");
    }
    std::size_t begin = 0;
    for (std::size_t end = m_incoming.find('\n', m_scanned); end != std::string::npos; end = m_incoming.find('\n', begin)) {
        if (m_stopping || !takeLine(m_incoming.substr(begin, end - begin))) {
            return false;
        }
        begin = end + 1;
    }
    m_incoming.erase(0, begin);
    m_scanned = m_incoming.size();
    return m_incoming.size() <= wire::MAX_ENGINE_LINE || lose("The engine sent a line that is too long.");
}

bool EngineClient::takeLine(const std::string& line) {
    wire::FromEngine message = wire::decodeFromEngine(line);
    if (auto* malformed = std::get_if<wire::Malformed>(&message)) {
        return lose("The engine sent what is no message: " + malformed->reason + ".");
    }
    if (auto* goodbye = std::get_if<wire::Goodbye>(&message)) {
        return lose("The engine said goodbye: " + plainText(goodbye->reason, 300));
    }
    if (auto* welcome = std::get_if<wire::Welcome>(&message)) {
        m_lastSeq = welcome->start.snapshot.seq;
        m_live = true;
        if (m_listener.started) {
            m_listener.started(std::move(welcome->start));
        }
        announce(SourceState::Live, "engine " + plainText(welcome->engineVersion, 40));
        return true;
    }
    if (!m_live) {
        return lose("The engine spoke before its welcome.");
    }
    if (auto* reply = std::get_if<wire::Reply>(&message)) {
        takeReply(reply->id, reply->reply);
        return true;
    }
    return takeEvents(std::move(std::get<wire::Events>(message).events));
}

bool EngineClient::takeEvents(std::vector<Event> events) {
    // What the snapshot holds already is not told twice; a hole would make the fold wrong without anybody noticing.
    std::erase_if(events, [this](const Event& event) { return event.seq <= m_lastSeq; });
    for (const Event& event : events) {
        if (event.seq != m_lastSeq + 1) {
            return lose(fmt::format("Events are missing between {} and {}.", m_lastSeq, event.seq));
        }
        m_lastSeq = event.seq;
    }
    if (!events.empty() && m_listener.events) {
        m_listener.events(std::move(events));
    }
    return true;
}

void EngineClient::takeReply(const std::string& id, const CommandReply& reply) {
    Answer answered;
    {
        const std::lock_guard lock(m_mutex);
        const auto it = m_pending.find(id);
        if (it == m_pending.end()) {
            return;
        }
        answered = std::move(it->second);
        m_pending.erase(it);
    }
    if (answered) {
        answered(reply);
    }
}

/// After a wake-up: what was asked goes out, or is refused when nobody is there to hear it.
void EngineClient::takeCommands() {
    char ignored[64];
    while (::read(m_wake[0], ignored, sizeof ignored) > 0) {
    }
    std::vector<std::pair<Answer, std::string>> refused;
    {
        const std::lock_guard lock(m_mutex);
        refused.swap(m_refused);
        if (m_live) {
            m_writing += m_outgoing;
            m_outgoing.clear();
        }
    }
    for (const auto& [answered, reason] : refused) {
        if (answered) {
            answered({false, reason});
        }
    }
    if (!m_live) {
        failPending(NOT_CONNECTED);
    }
}

void EngineClient::failPending(const std::string& reason) {
    std::map<std::string, Answer> pending;
    std::vector<std::pair<Answer, std::string>> refused;
    {
        const std::lock_guard lock(m_mutex);
        pending.swap(m_pending);
        refused.swap(m_refused);
        m_outgoing.clear();
    }
    for (const auto& [id, answered] : pending) {
        if (answered) {
            answered({false, reason});
        }
    }
    for (const auto& [answered, why] : refused) {
        if (answered) {
            answered({false, why});
        }
    }
}

} // namespace tealdeck
