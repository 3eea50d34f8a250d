// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/command.h"
#include "core/model/snapshot.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// Where commands can be sent. A replay has none: controls are absent by construction.
class CommandSink {
  public:
    virtual ~CommandSink() = default;
    /// Never blocks. The answer comes on the source's own thread.
    virtual void send(const Command& command, std::function<void(CommandReply)> answered) = 0;
};

/// What a listener hears, always on the source's own thread and in this order: one Start, then batches of events.
struct SessionStart {
    Snapshot snapshot;          ///< the state at attach time (empty for a recording)
    std::vector<Event> history; ///< metrics and recent events up to the snapshot, for graphs and lists; already contained in the snapshot
    bool driver = false;        ///< false: an observer, commands are refused
};

enum class SourceState { Connecting, Live, Lost, Ended };

struct SessionListener {
    std::function<void(SessionStart)> started;
    std::function<void(std::vector<Event>)> events;
    std::function<void(SourceState, std::string detail)> stateChanged;
};

/// The seam between what happens and what shows it: a running engine, or a recording.
class SessionSource {
  public:
    virtual ~SessionSource() = default;
    virtual void start(SessionListener listener) = 0;
    /// No listener is called after this returns.
    virtual void stop() = 0;
    /// nullptr when this source takes no commands.
    virtual CommandSink* commands() { return nullptr; }
};

} // namespace tealdeck
