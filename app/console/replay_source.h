// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/replay_archive.h"
#include "core/api/session_source.h"
#include "core/util/clock.h"

#include <QObject>
#include <QTimer>

namespace tealdeck {

/// A recording as a session: what happens is what happened. It takes no commands; nothing here could reach a server.
class ReplaySource final : public QObject, public SessionSource {
    Q_OBJECT
  public:
    ReplaySource(std::shared_ptr<const ReplayArchive> archive, const Clock& clock, QObject* parent = nullptr);
    void start(SessionListener listener) override;
    void stop() override;

    void seek(std::int64_t timeUs);
    void setPlaying(bool playing);
    /// 0.1 to 60; a pause stays a pause.
    void setSpeed(double speed);
    [[nodiscard]] bool playing() const { return m_timer.isActive(); }
    [[nodiscard]] std::int64_t positionUs() const { return m_position; }
    [[nodiscard]] std::int64_t wallUs() const;
    /// What the timer does: moves on by the time that passed. Tests call it with their own clock.
    void advance();

  signals:
    void moved();
    void playingChanged(bool playing);

  private:
    void playTo(std::int64_t timeUs);
    std::shared_ptr<const ReplayArchive> m_archive;
    const Clock& m_clock;
    SessionListener m_listener;
    QTimer m_timer;
    std::int64_t m_position = 0;
    std::int64_t m_lastTickUs = 0;
    std::size_t m_count = 0; ///< events told so far
    double m_speed = 1;
};

} // namespace tealdeck
