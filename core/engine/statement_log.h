// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/postgres/connection.h"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tealdeck {

/// Makes events of the statements that the engine sends: {"server", "side", "database", "text", "ms", "rows", "ok", "sqlstate",
/// "unrecorded", "ended_us" (steady time)}. The text has no literals, parameters are never part of it, and of a statement that carries a
/// secret only "(secret)" stays. Thread-safe: sessions report from their own threads.
///
/// What repeats is not recorded each time: a text that one server was just asked many times rests until time has passed, and the next
/// record says how many were left out. What differs in its literals only is one text here.
class StatementLog {
  public:
    struct Pace {
        double burst = 6;     ///< of one text on one server, before it rests
        double perSecond = 1; ///< afterwards
    };
    using Publish = std::function<void(Json body)>;
    StatementLog(Publish publish, std::function<std::int64_t()> steadyUs, Pace pace)
        : m_publish(std::move(publish)), m_steadyUs(std::move(steadyUs)), m_pace(pace) {}
    void take(const StatementReport& report);
    /// From true to false reports are only kept, at most a thousand: a switch must not wait for its own log. false: publishes them.
    void keep(bool on);
    /// Publishes nothing from now on; what it was given may go.
    void close();

  private:
    void publish(const StatementReport& report, std::int64_t endedUs);
    struct Bucket {
        double tokens = 0;
        std::int64_t atUs = 0;
        std::uint64_t unrecorded = 0;
    };
    Publish m_publish;
    std::function<std::int64_t()> m_steadyUs;
    Pace m_pace;
    std::mutex m_mutex;
    bool m_keeping = false;
    std::vector<std::pair<std::int64_t, StatementReport>> m_kept;
    std::map<std::string, Bucket> m_buckets; ///< by server, outcome and text
};

} // namespace tealdeck
