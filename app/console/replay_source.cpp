// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_source.h"

#include <algorithm>

namespace tealdeck {

ReplaySource::ReplaySource(std::shared_ptr<const ReplayArchive> archive, const Clock& clock, QObject* parent)
    : QObject(parent), m_archive(std::move(archive)), m_clock(clock) {
    m_timer.setInterval(40);
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
    if (m_listener.started) {
        m_listener.started({m_archive->snapshotAfter(m_count), {}, false});
    }
    emit moved();
}

void ReplaySource::playTo(std::int64_t timeUs) {
    m_position = std::clamp<std::int64_t>(timeUs, 0, m_archive->endUs());
    const std::size_t count = m_archive->countAt(m_position);
    if (count > m_count && m_listener.events) {
        const auto& all = m_archive->events();
        m_listener.events({all.begin() + static_cast<std::ptrdiff_t>(m_count), all.begin() + static_cast<std::ptrdiff_t>(count)});
    }
    m_count = count;
    emit moved();
}

void ReplaySource::advance() {
    const std::int64_t now = m_clock.steadyUs();
    const auto passed = static_cast<double>(now - m_lastTickUs) * m_speed;
    m_lastTickUs = now;
    playTo(m_position + static_cast<std::int64_t>(passed));
    if (m_position >= m_archive->endUs()) {
        setPlaying(false);
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

void ReplaySource::setSpeed(double speed) { m_speed = std::clamp(speed, 0.1, 60.0); }

std::int64_t ReplaySource::wallUs() const {
    if (m_archive->events().empty()) {
        return 0;
    }
    // Between two events the wall clock is not known: the last record's is carried on, never interpolated towards the next.
    const Event& last = m_archive->events()[m_count == 0 ? 0 : m_count - 1];
    return last.wallUs + (m_position - last.steadyUs);
}

} // namespace tealdeck
