// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_archive.h"

#include "core/recording/reader.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {

ReplayArchive::ReplayArchive(std::vector<Event> events)
    : m_events(std::move(events)), m_spacing(std::max<std::size_t>(500, m_events.size() / 200)), m_timeline(timelineOf(m_events)) {
    Snapshot snapshot;
    for (std::size_t i = 0; i < m_events.size(); ++i) {
        if (i % m_spacing == 0) {
            m_keyframes.push_back(snapshot);
        }
        apply(snapshot, m_events[i]);
        m_series.apply(m_events[i]);
    }
}

std::size_t ReplayArchive::countAt(std::int64_t timeUs) const {
    const auto end = std::upper_bound(m_events.begin(), m_events.end(), timeUs, [](std::int64_t t, const Event& e) { return t < e.steadyUs; });
    return static_cast<std::size_t>(end - m_events.begin());
}

Snapshot ReplayArchive::snapshotAfter(std::size_t count) const {
    if (count == 0 || m_keyframes.empty()) {
        return {};
    }
    const std::size_t key = std::min(count / m_spacing, m_keyframes.size() - 1);
    Snapshot snapshot = m_keyframes[key];
    for (std::size_t i = key * m_spacing; i < std::min(count, m_events.size()); ++i) {
        apply(snapshot, m_events[i]);
    }
    return snapshot;
}

Result<std::shared_ptr<const ReplayArchive>> loadArchive(const std::filesystem::path& file) {
    auto reader = RecordingReader::open(file);
    if (!reader) {
        return reader.error();
    }
    const Result<VerifyReport> verify = (*reader)->verify();
    std::vector<Event> events;
    // What is sound before a break is still worth seeing; the verdict says where it ends.
    const Status read = (*reader)->read(1, 0, [&](const Event& event) {
        events.push_back(event);
        return true;
    });
    if (events.empty()) {
        return read ? Error{Error::Kind::Invalid, file.string() + " holds no events.", "It was probably never written to.", {}} : read.error();
    }
    auto archive = std::make_shared<ReplayArchive>(std::move(events));
    archive->verified = verify && verify.value().ok;
    archive->verdict = !verify                ? "not verified: " + verify.error().text()
                       : verify.value().ok    ? fmt::format("chain verified, {} records", verify.value().records)
                       : verify.value().brokenAtSeq == 0
                           ? "FILE DAMAGED: " + verify.value().reason
                                              : fmt::format("CHAIN BROKEN at record {}: {}", verify.value().brokenAtSeq, verify.value().reason);
    return std::shared_ptr<const ReplayArchive>(std::move(archive));
}

} // namespace tealdeck
