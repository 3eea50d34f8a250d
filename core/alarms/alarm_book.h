// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/alarms/alarm_rules.h"
#include "core/util/result.h"

namespace tealdeck {

/// Applies the rules to snapshots and knows which alarms stand. Its only clock is what it is told; not for several threads at once.
class AlarmBook {
  public:
    explicit AlarmBook(AlarmLimits limits) : m_limits(limits) {}
    /// Alarms of an earlier life: they stand until a look says that they are over.
    void adopt(const std::vector<AlarmState>& alarms);
    /// Looks once. Returns the alarms that changed: raised, over, or off their shelf.
    std::vector<AlarmState> look(const Snapshot& snapshot, std::int64_t nowUs, std::int64_t wallUs);
    /// The alarm as it is now; an error when no active alarm has this name.
    Result<AlarmState> acknowledge(const std::string& id, const std::string& actor);
    /// Puts it aside until the steady time. An error when no active alarm has this name.
    Result<AlarmState> shelve(const std::string& id, const std::string& actor, const std::string& reason, std::int64_t untilUs);

  private:
    struct Entry {
        AlarmState state;
        bool latched = false;
        std::int64_t signSinceUs = -1; ///< since when the sign has been the other than the state; -1: it is not
    };
    void remember(const Snapshot& snapshot, std::int64_t nowUs, std::int64_t wallUs);
    bool weigh(Entry& entry, const AlarmRule& rule, const AlarmFinding& finding, std::int64_t nowUs);
    Result<Entry*> find(const std::string& id);

    AlarmLimits m_limits;
    AlarmMemory m_memory;
    std::map<std::string, Entry> m_entries; ///< by name
};

} // namespace tealdeck
