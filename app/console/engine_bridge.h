// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/replay_source.h"
#include "core/api/session_source.h"
#include "core/util/clock.h"
#include "widgets/models/event_model.h"
#include "widgets/theme/format.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <memory>
#include <mutex>

namespace tealdeck {

/// Brings a source's callbacks, which come on a thread of their own, to the GUI thread: in batches, at most 20 a second, newest state wins.
/// Holds what the panels show.
class EngineBridge final : public QObject {
    Q_OBJECT
  public:
    EngineBridge(std::shared_ptr<SessionSource> source, const Clock& clock, QObject* parent = nullptr);
    ~EngineBridge() override;

    /// Replay: the newest events before the position are listed, and plots come from the study of the whole recording.
    void setReplay(std::shared_ptr<const ReplaySource> replay);
    void start();

    [[nodiscard]] const Snapshot& snapshot() const { return m_snapshot; }
    [[nodiscard]] const SeriesStore& series() const { return m_replay ? m_replay->study()->series : m_series; }
    [[nodiscard]] EventModel* events() { return &m_events; }
    [[nodiscard]] SourceState state() const { return m_state; }
    [[nodiscard]] QString stateDetail() const { return m_stateDetail; }
    [[nodiscard]] bool driver() const { return m_driver; }
    [[nodiscard]] CommandSink* commands() const { return m_source->commands(); }
    /// The moment that the panels show: live it runs on between events, so that ages grow while nothing arrives.
    [[nodiscard]] ViewTime now() const;

  signals:
    void snapshotChanged();
    void eventsArrived(const std::vector<Event>& events);
    void stateChanged();

  private:
    struct Inbox;
    void drain();
    void take(SessionStart start);
    void take(std::vector<Event> events);
    void listEvents(std::size_t most);

    std::shared_ptr<SessionSource> m_source;
    const Clock& m_clock;
    std::shared_ptr<Inbox> m_inbox;
    std::shared_ptr<const ReplaySource> m_replay;
    Snapshot m_snapshot;
    SeriesStore m_series;
    EventModel m_events;
    SourceState m_state = SourceState::Connecting;
    QString m_stateDetail;
    bool m_driver = false;
    bool m_started = false;
    std::int64_t m_arrivedUs = 0;
    QElapsedTimer m_sinceDrain;
    QTimer m_later;
};

} // namespace tealdeck
