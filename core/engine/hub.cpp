// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/hub.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {
constexpr std::size_t KEEP_METRICS = 3600;
constexpr std::size_t KEEP_EVENTS = 1000;
constexpr std::size_t KEEP_SAMPLES = 300;

/// What repeats itself would push everything else out.
bool isSample(EventKind kind) {
    return kind == EventKind::Topology || kind == EventKind::Replication || kind == EventKind::Traffic || kind == EventKind::Statement ||
           kind == EventKind::Copy;
}
constexpr std::int64_t SEAL_IN_SWITCH_US = 300'000'000;
} // namespace

EventHub::EventHub(std::unique_ptr<RecordingWriter> recording, const Clock& clock) : m_clock(clock), m_recording(std::move(recording)) {
    m_snapshot.seq = m_recording->lastSeq();
    // A recording that goes on after a crash goes on in its own time.
    m_zeroUs = m_clock.steadyUs() - m_recording->lastSteadyUs();
}

std::int64_t EventHub::nowUs() const {
    return m_clock.steadyUs() - m_zeroUs;
}

Status EventHub::publish(EventKind kind, Json body, const std::string& actor) {
    const std::lock_guard lock(m_mutex);
    Event event{m_snapshot.seq + 1, std::max(nowUs(), m_snapshot.steadyUs), m_clock.wallUs(), kind, actor, std::move(body)};
    // A move of the phase and a sign-off are sealed in the same transaction; the periodic seal, whose keyframe takes a moment to
    // make, comes with a sample, and in a switch only when it is long overdue.
    const bool decisive = kind == EventKind::Phase || kind == EventKind::SignOff;
    Event seal;
    Status written = decisive || isSealDue(event) ? m_recording->appendSealed(event, seal) : m_recording->append(event);
    // One that was never taken in has no number: the next event gets it, or nothing could be recorded any more.
    if (!written && m_recording->isOpen() && m_recording->lastSeq() < event.seq) {
        tellRefused(event, written.error());
        return written;
    }
    // What could not be recorded is still shown: the operator must see why the engine stops.
    tell(event);
    if (seal.seq != 0) {
        tell(seal);
    }
    return written;
}

/// In the place of an event that cannot be recorded as it is: why the engine stops must be seen, and be read in the recording.
void EventHub::tellRefused(const Event& refused, const Error& why) {
    Event note = refused;
    note.kind = EventKind::Note;
    note.body = {{"text", fmt::format("An event of the kind \"{}\" is missing here. {}", eventKindName(refused.kind), why.message)}};
    if (m_recording->append(note).ok()) {
        tell(note);
    }
}

bool EventHub::isSealDue(const Event& event) const {
    const bool switching = m_snapshot.phase == Phase::Cutover && event.steadyUs - m_sealUs < SEAL_IN_SWITCH_US;
    return event.kind == EventKind::Metrics && !switching && m_recording->sealDue();
}

/// Folds an event into the snapshot and hands it on.
void EventHub::tell(const Event& event) {
    apply(m_snapshot, event);
    remember(event);
    if (m_listener) {
        m_listener(event);
    }
}

void EventHub::note(const std::string& text) {
    static_cast<void>(publish(EventKind::Note, {{"text", text}}));
}

void EventHub::restore(Snapshot snapshot, const std::vector<Event>& recent) {
    const std::lock_guard lock(m_mutex);
    m_snapshot = std::move(snapshot);
    for (const Event& event : recent) {
        remember(event);
    }
}

void EventHub::remember(const Event& event) {
    if (event.kind == EventKind::Seal) {
        m_sealUs = event.steadyUs;
        return; // one a minute would push out what people want to see
    }
    const bool metrics = event.kind == EventKind::Metrics;
    const bool sample = isSample(event.kind);
    std::deque<Event>& list = metrics ? m_metrics : sample ? m_samples : m_events;
    list.push_back(event);
    if (list.size() > (metrics ? KEEP_METRICS : sample ? KEEP_SAMPLES : KEEP_EVENTS)) {
        list.pop_front();
    }
}

Snapshot EventHub::snapshot() const {
    const std::lock_guard lock(m_mutex);
    return m_snapshot;
}

std::string EventHub::headHash() const {
    const std::lock_guard lock(m_mutex);
    return m_recording->headHash();
}

Status EventHub::closeRecording() {
    const std::lock_guard lock(m_mutex);
    return m_recording->close();
}

void EventHub::setListener(std::function<void(const Event&)> listener) {
    const std::lock_guard lock(m_mutex);
    m_listener = std::move(listener);
}

void EventHub::attach(const std::function<void(const Snapshot&, std::vector<Event>)>& take) const {
    const std::lock_guard lock(m_mutex);
    std::vector<Event> history;
    history.reserve(m_metrics.size() + m_samples.size() + m_events.size());
    for (const std::deque<Event>* list : {&m_metrics, &m_samples, &m_events}) {
        const auto middle = static_cast<std::ptrdiff_t>(history.size());
        history.insert(history.end(), list->begin(), list->end());
        std::inplace_merge(history.begin(), history.begin() + middle, history.end(),
                           [](const Event& a, const Event& b) { return a.seq < b.seq; });
    }
    take(m_snapshot, std::move(history));
}

} // namespace tealdeck
