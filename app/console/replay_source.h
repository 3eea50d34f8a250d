// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/replay_archive.h"
#include "app/console/replay_study.h"
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
    /// Tells what lies between here and there.
    void playTo(std::int64_t timeUs);
    void setPlaying(bool playing);
    /// 0.1 to 60; a pause stays a pause.
    void setSpeed(double speed);
    /// At the end it begins again, from the beginning or from that of the span.
    void setLoop(bool loop) { m_loop = loop; }
    /// Where nothing happens for more than two seconds but samples, playing jumps to a second before what comes next.
    void setSkipIdle(bool skip) { m_skipIdle = skip; }
    /// What reading the whole recording gave; never nullptr, empty until it is there.
    void takeStudy(std::shared_ptr<const ReplayStudy> study);
    [[nodiscard]] const std::shared_ptr<const ReplayStudy>& study() const { return m_study; }
    [[nodiscard]] const ReplayArchive& archive() const { return *m_archive; }
    [[nodiscard]] std::size_t count() const { return m_count; }
    [[nodiscard]] bool playing() const { return m_timer.isActive(); }
    [[nodiscard]] std::int64_t positionUs() const { return m_position; }
    [[nodiscard]] std::int64_t wallUs() const;
    /// What the timer does: moves on by the time that passed. Tests call it with their own clock.
    void advance();

  signals:
    void moved();
    void studied();
    void playingChanged(bool playing);

  private:
    [[nodiscard]] std::int64_t afterIdle(std::int64_t timeUs) const;
    std::shared_ptr<const ReplayArchive> m_archive;
    const Clock& m_clock;
    SessionListener m_listener;
    QTimer m_timer;
    std::int64_t m_position = 0;
    std::int64_t m_lastTickUs = 0;
    std::size_t m_count = 0; ///< events told so far
    double m_speed = 1;
    bool m_loop = false;
    bool m_skipIdle = false;
    std::int64_t m_lastUs = 0; ///< steady time of the last event told
    std::int64_t m_lastWallUs = 0;
    std::shared_ptr<const ReplayStudy> m_study = std::make_shared<ReplayStudy>();
};

} // namespace tealdeck
