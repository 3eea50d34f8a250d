// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/api/session_source.h"

#include <map>
#include <string>
#include <vector>

namespace tealdeck::test {

/// A made-up upgrade with realistic numbers, the same for the same seed: 15 to 18, ramp, cutover, rollback, cutover again, finalize.
/// One sample a second; the cutovers run in milliseconds.
std::vector<Event> scriptedUpgrade(int replicasPerSide = 2, unsigned seed = 1);

/// Time of the first event that brings this phase; -1: never.
std::int64_t phaseTime(const std::vector<Event>& events, Phase phase);

/// A session that a test moves by hand. Everything runs on the caller's thread.
class ScriptedSource final : public SessionSource, public CommandSink {
  public:
    explicit ScriptedSource(std::vector<Event> events, bool takesCommands = true) : m_events(std::move(events)), m_takesCommands(takesCommands) {}
    void start(SessionListener listener) override;
    void stop() override { m_listener = {}; }
    CommandSink* commands() override { return m_takesCommands ? this : nullptr; }
    void send(const Command& command, std::function<void(CommandReply)> answered) override;
    /// Tells everything up to the time.
    void playTo(std::int64_t timeUs);
    void lose(const std::string& why);
    /// Number of the event that was told last; 0: none.
    [[nodiscard]] std::uint64_t toldSeq() const { return m_told == 0 ? 0 : m_events[m_told - 1].seq; }

    std::vector<Command> sent;
    CommandReply reply{true, ""};

  private:
    std::vector<Event> m_events;
    bool m_takesCommands;
    std::size_t m_told = 0;
    SessionListener m_listener;
};

} // namespace tealdeck::test
