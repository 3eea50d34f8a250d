// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/session.h"

#include <algorithm>

namespace tealdeck::test {

/// Events in memory as an archive.
class MemoryArchive final : public ReplayArchive {
  public:
    explicit MemoryArchive(std::vector<Event> events) : m_events(std::move(events)) {}
    [[nodiscard]] std::int64_t endUs() const override { return m_events.empty() ? 0 : m_events.back().steadyUs; }
    [[nodiscard]] std::size_t countAt(std::int64_t timeUs) const override {
        const auto end =
            std::upper_bound(m_events.begin(), m_events.end(), timeUs, [](std::int64_t t, const Event& e) { return t < e.steadyUs; });
        return static_cast<std::size_t>(end - m_events.begin());
    }
    [[nodiscard]] Snapshot snapshotAfter(std::size_t count) const override {
        Snapshot snapshot;
        for (std::size_t i = 0; i < std::min(count, m_events.size()); ++i) {
            apply(snapshot, m_events[i]);
        }
        return snapshot;
    }
    [[nodiscard]] std::vector<Event> events(std::size_t from, std::size_t to) const override {
        to = std::min(to, m_events.size());
        return from < to ? std::vector<Event>(m_events.begin() + static_cast<std::ptrdiff_t>(from),
                                              m_events.begin() + static_cast<std::ptrdiff_t>(to))
                         : std::vector<Event>();
    }

  private:
    std::vector<Event> m_events;
};

/// A replay of events, studied already.
inline Session replayOf(const std::vector<Event>& events, const QString& title = QStringLiteral("x.teal")) {
    Session session = replaySession(std::make_shared<const MemoryArchive>(events), title, Clock::system());
    session.replay->takeStudy(studyEvents(events));
    return session;
}

} // namespace tealdeck::test
