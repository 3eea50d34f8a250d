// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_source.h"

#include <algorithm>

namespace tealdeck {
namespace {

constexpr int FRAME_MS = 30; // 33 pictures a second

} // namespace

ReplaySource::ReplaySource(std::shared_ptr<const ReplayArchive> archive, const Clock& clock, QObject* parent)
    : QObject(parent), m_archive(std::move(archive)), m_clock(clock) {
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(FRAME_MS);
    connect(&m_timer, &QTimer::timeout, this, &ReplaySource::advance);
}

void ReplaySource::start(SessionListener listener) {
    m_listener = std::move(listener);
    m_listener.stateChanged(SourceState::Live, "replay");
    seek(0);
}

void ReplaySource::stop() {
    m_timer.stop();
    m_listener = {};
}

void ReplaySource::seek(std::int64_t timeUs) {
    m_position = std::clamp<std::int64_t>(timeUs, 0, m_archive->endUs());
    m_count = m_archive->countAt(m_position);
    m_lastTickUs = m_clock.steadyUs();
    Snapshot snapshot = m_archive->snapshotAfter(m_count);
    m_lastUs = snapshot.steadyUs;
    m_lastWallUs = snapshot.wallUs;
    if (m_listener.started) {
        m_listener.started({std::move(snapshot), {}, false});
    }
    emit moved();
}

void ReplaySource::playTo(std::int64_t timeUs) {
    m_position = std::clamp<std::int64_t>(timeUs, 0, m_archive->endUs());
    const std::size_t count = m_archive->countAt(m_position);
    if (count > m_count) {
        std::vector<Event> events = m_archive->events(m_count, count);
        if (!events.empty()) {
            m_lastUs = events.back().steadyUs;
            m_lastWallUs = events.back().wallUs;
        }
        if (m_listener.events) {
            m_listener.events(std::move(events));
        }
    }
    m_count = count;
    emit moved();
}

std::int64_t ReplaySource::afterIdle(std::int64_t timeUs) const {
    constexpr std::int64_t IDLE_US = 2'000'000;
    const std::int64_t next = nextTime(m_study->timeline.events, timeUs, true);
    return next - timeUs > IDLE_US ? next - IDLE_US / 2 : timeUs;
}

void ReplaySource::takeStudy(std::shared_ptr<const ReplayStudy> study) {
    m_study = std::move(study);
    emit studied();
}

void ReplaySource::advance() {
    const std::int64_t now = m_clock.steadyUs();
    const auto passed = static_cast<double>(now - m_lastTickUs) * m_speed;
    m_lastTickUs = now;
    const std::int64_t to = m_position + static_cast<std::int64_t>(passed);
    playTo(m_skipIdle ? afterIdle(to) : to);
    if (m_position >= m_archive->endUs()) {
        m_loop ? seek(0) : setPlaying(false);
    }
}

void ReplaySource::setPlaying(bool play) {
    if (play == m_timer.isActive()) {
        return;
    }
    if (play) {
        if (m_position >= m_archive->endUs()) {
            seek(0);
        }
        m_lastTickUs = m_clock.steadyUs();
        m_timer.start();
    } else {
        m_timer.stop();
    }
    emit playingChanged(play);
}

void ReplaySource::setSpeed(double speed) {
    m_speed = std::clamp(speed, 0.1, 60.0);
}

std::int64_t ReplaySource::wallUs() const {
    // Between two events the wall clock is not known: the last record's is carried on, never interpolated towards the next.
    return m_lastWallUs + (m_position - m_lastUs);
}

} // namespace tealdeck
