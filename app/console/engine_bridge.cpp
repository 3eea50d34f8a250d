// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/engine_bridge.h"

#include "widgets/theme/theme.h"

#include <QThreadPool>

#include <algorithm>
#include <optional>

namespace tealdeck {
namespace {

constexpr int LEAST_GAP_MS = 50; // 20 updates a second
// Replay: so many events before the moment that was jumped to are listed, the nearest at once and all of them when nobody jumps on.
constexpr std::size_t LISTED_EVENTS = 2000;
constexpr std::size_t LISTED_AT_ONCE = 200;
constexpr int REST_MS = 150;

} // namespace

/// Shared with the source's thread; outlives the bridge while a callback is still running.
struct EngineBridge::Inbox {
    std::mutex mutex;
    EngineBridge* owner = nullptr; ///< nullptr after the bridge is gone
    bool posted = false;
    std::optional<SessionStart> start;
    std::vector<Event> events;
    std::optional<std::pair<SourceState, std::string>> state;

    void post() {
        if (!posted && owner != nullptr) {
            posted = true;
            QMetaObject::invokeMethod(owner, [bridge = owner] { bridge->drain(); }, Qt::QueuedConnection);
        }
    }
};

EngineBridge::EngineBridge(std::shared_ptr<SessionSource> source, const Clock& clock, QObject* parent)
    : QObject(parent), m_source(std::move(source)), m_clock(clock), m_inbox(std::make_shared<Inbox>()) {
    m_inbox->owner = this;
    m_later.setSingleShot(true);
    connect(&m_later, &QTimer::timeout, this, &EngineBridge::drain);
}

EngineBridge::~EngineBridge() {
    {
        const std::lock_guard lock(m_inbox->mutex);
        m_inbox->owner = nullptr;
    }
    if (m_replay) {
        m_source->stop();
        return;
    }
    // The program of a far engine gets time to end by itself; the window does not wait for that, the end of Tealdeck does.
    QThreadPool::globalInstance()->start([source = std::move(m_source)] { source->stop(); });
}

void EngineBridge::setReplay(std::shared_ptr<const ReplaySource> replay) {
    m_replay = std::move(replay);
    // Once for a jump or a frame, when snapshot, events and position agree.
    connect(m_replay.get(), &ReplaySource::moved, this, &EngineBridge::snapshotChanged);
    m_later.disconnect(this);
    connect(&m_later, &QTimer::timeout, this, [this] { listEvents(LISTED_EVENTS); });
}

void EngineBridge::start() {
    SessionListener listener;
    if (m_replay) { // it lives on this thread and paces itself: what it tells is followed at once
        listener.started = [this](SessionStart start) { take(std::move(start)); };
        listener.events = [this](std::vector<Event> events) { take(std::move(events)); };
        listener.stateChanged = [this](SourceState state, const std::string& detail) {
            m_state = state;
            m_stateDetail = safeText(detail);
            emit stateChanged();
        };
        m_source->start(std::move(listener));
        return;
    }
    listener.started = [inbox = m_inbox](SessionStart start) {
        const std::lock_guard lock(inbox->mutex);
        inbox->start = std::move(start);
        inbox->events.clear(); // the new start contains them
        inbox->post();
    };
    listener.events = [inbox = m_inbox](std::vector<Event> events) {
        const std::lock_guard lock(inbox->mutex);
        std::move(events.begin(), events.end(), std::back_inserter(inbox->events));
        inbox->post();
    };
    listener.stateChanged = [inbox = m_inbox](SourceState state, std::string detail) {
        const std::lock_guard lock(inbox->mutex);
        inbox->state = {state, std::move(detail)};
        inbox->post();
    };
    m_source->start(std::move(listener));
}

void EngineBridge::drain() {
    if (m_sinceDrain.isValid() && m_sinceDrain.elapsed() < LEAST_GAP_MS) {
        if (!m_later.isActive()) {
            m_later.start(LEAST_GAP_MS - static_cast<int>(m_sinceDrain.elapsed()));
        }
        return;
    }
    m_sinceDrain.start();
    std::optional<SessionStart> start;
    std::vector<Event> events;
    std::optional<std::pair<SourceState, std::string>> state;
    {
        const std::lock_guard lock(m_inbox->mutex);
        m_inbox->posted = false;
        start.swap(m_inbox->start);
        events.swap(m_inbox->events);
        state.swap(m_inbox->state);
    }
    if (state) {
        m_state = state->first;
        m_stateDetail = safeText(state->second);
        emit stateChanged();
    }
    if (start) {
        take(std::move(*start));
    }
    if (!events.empty()) {
        take(std::move(events));
    }
    if (m_started) {
        emit snapshotChanged();
    }
}

void EngineBridge::take(SessionStart start) {
    m_started = true;
    m_driver = start.driver;
    m_snapshot = std::move(start.snapshot);
    m_arrivedUs = m_clock.steadyUs();
    if (m_replay) {
        listEvents(LISTED_AT_ONCE);
        m_later.start(REST_MS);
        return;
    }
    m_series = {};
    for (const Event& event : start.history) {
        m_series.apply(event);
    }
    m_events.clear();
    m_events.append(start.history);
    emit eventsArrived(start.history);
    emit stateChanged();
}

void EngineBridge::listEvents(std::size_t most) {
    const auto count = static_cast<std::size_t>(m_snapshot.seq);
    m_events.clear();
    m_events.append(m_replay->archive().events(count - std::min(count, most), count));
}

void EngineBridge::take(std::vector<Event> events) {
    for (const Event& event : events) {
        apply(m_snapshot, event);
        if (!m_replay) {
            m_series.apply(event);
        }
    }
    m_arrivedUs = m_clock.steadyUs();
    m_events.append(events);
    emit eventsArrived(events);
}

ViewTime EngineBridge::now() const {
    if (m_replay) {
        return {m_replay->positionUs(), m_replay->wallUs()};
    }
    if (m_snapshot.seq == 0) {
        return {0, 0};
    }
    const std::int64_t since = m_state == SourceState::Ended ? 0 : m_clock.steadyUs() - m_arrivedUs;
    return {m_snapshot.steadyUs + since, m_snapshot.wallUs + since};
}

} // namespace tealdeck
