// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "core/recording/writer.h"
#include "core/util/clock.h"
#include "core/util/result.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tealdeck {

/// Where every event passes: numbered, written to the recording, folded into the snapshot, handed to the listeners, in one order.
class EventHub {
  public:
    EventHub(std::unique_ptr<RecordingWriter> recording, const Clock& clock);

    /// For durable kinds: an error means that the record is not on disk, and the caller must not act (law 3).
    Status publish(EventKind kind, Json body, const std::string& actor = "engine");
    void note(const std::string& text);
    /// Goes on where an earlier life ended: the fold of everything it recorded, and what of it is shown in lists and graphs.
    /// Before the first publish().
    void restore(Snapshot snapshot, const std::vector<Event>& recent);
    /// How far back lists and graphs go, in microseconds.
    static constexpr std::int64_t RECENT_US = 3'600'000'000;

    [[nodiscard]] Snapshot snapshot() const;
    /// Microseconds since the recording began.
    [[nodiscard]] std::int64_t nowUs() const;
    [[nodiscard]] std::string headHash() const;
    Status closeRecording();

    /// Called under the hub's lock for each event: must only hand over.
    void setListener(std::function<void(const Event&)> listener);
    /// The state and what led to it, taken together: what a client needs to begin.
    void attach(const std::function<void(const Snapshot&, std::vector<Event> history)>& take) const;

  private:
    [[nodiscard]] bool isSealDue(const Event& event) const;
    void tell(const Event& event);
    void tellRefused(const Event& refused, const Error& why);
    void remember(const Event& event);

    const Clock& m_clock;
    mutable std::mutex m_mutex;
    std::unique_ptr<RecordingWriter> m_recording;
    std::int64_t m_zeroUs = 0; ///< steady time of the clock at the recording's zero
    Snapshot m_snapshot;
    std::int64_t m_sealUs = 0;   ///< steady time of the last seal
    std::deque<Event> m_metrics; ///< the last hour
    std::deque<Event> m_samples; ///< the last few hundred of what repeats itself
    std::deque<Event> m_events;  ///< the last thousand of the others
    std::function<void(const Event&)> m_listener;
};

} // namespace tealdeck
