// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/keyframes.h"

#include "core/recording/json_delta.h"
#include "core/recording/schema.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

namespace tealdeck {
namespace {

constexpr int MAX_DELTAS = 8;

std::optional<KeyframeRow> takeKeyframe(const Statement& row) {
    const auto seq = row.integer(0);
    const auto base = row.integer(1);
    const auto body = row.blob(2);
    if (!seq || *seq < 1 || !base || *base < 0 || *base >= *seq || !body || body->size() > schema::MAX_BODY) {
        return std::nullopt;
    }
    return KeyframeRow{static_cast<std::uint64_t>(*seq), static_cast<std::uint64_t>(*base), std::string(*body)};
}

} // namespace

Result<std::optional<KeyframeRow>> Keyframes::row(bool exact, std::uint64_t seq) {
    if (m_own) {
        auto found = exact ? m_own->find(seq) : m_own->upper_bound(seq);
        found = exact ? found : found == m_own->begin() ? m_own->end() : std::prev(found);
        return found == m_own->end() ? std::optional<KeyframeRow>() : std::optional(found->second);
    }
    if (m_identity.version == 1) {
        return std::optional<KeyframeRow>();
    }
    Result<Statement> row = m_database.prepare(exact ? "SELECT seq, base, body FROM keyframe WHERE seq = ?"
                                                     : "SELECT seq, base, body FROM keyframe WHERE seq <= ? ORDER BY seq DESC LIMIT 1");
    if (!row) {
        return row.error();
    }
    constexpr auto MOST = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const int code = row->bind(1, static_cast<std::int64_t>(std::min(seq, MOST))).step();
    if (code == SQLITE_DONE) {
        return std::optional<KeyframeRow>();
    }
    if (code != SQLITE_ROW) {
        return m_database.error("read");
    }
    std::optional<KeyframeRow> taken = takeKeyframe(*row);
    return taken ? Result<std::optional<KeyframeRow>>(std::move(taken)) : badRecording(m_database.name(), "a keyframe has a wrong shape");
}

Status Keyframes::vouched(const KeyframeRow& row) {
    if (m_own) {
        return {};
    }
    const Result<Event> seal = m_stream.at(row.seq + 1);
    if (!seal) {
        return seal.error();
    }
    const bool same = seal->kind == EventKind::Seal && member<std::string>(seal->body, "keyframe", "") == digestOf(row);
    return same ? Status()
                : Status(badRecording(m_database.name(), fmt::format("the keyframe of record {} is not the one that was sealed", row.seq)));
}

/// The whole state of a keyframe that may be a delta to another one.
Result<Json> Keyframes::stateOf(const KeyframeRow& row, KeyframeState frame, int depth) {
    if (row.base == 0) {
        return std::move(frame.state);
    }
    const Error unsound = badRecording(m_database.name(), fmt::format("the keyframe of record {} is unsound", row.seq));
    const Result<std::optional<KeyframeRow>> base = this->row(true, row.base);
    std::optional<KeyframeState> baseFrame = base && *base && vouched(**base) ? parseKeyframe((*base)->body) : std::nullopt;
    if (!baseFrame || depth >= MAX_DELTAS) {
        return unsound;
    }
    const Result<Json> whole = stateOf(**base, std::move(*baseFrame), depth + 1);
    std::optional<Json> patched = whole ? jsonPatched(*whole, frame.state) : std::nullopt;
    return patched ? Result<Json>(std::move(*patched)) : unsound;
}

Result<std::optional<RestoredKeyframe>> Keyframes::atOrBefore(std::uint64_t seq) {
    const Result<std::optional<KeyframeRow>> found = row(false, seq);
    if (!found || !*found) {
        return found ? Result<std::optional<RestoredKeyframe>>(std::optional<RestoredKeyframe>()) : found.error();
    }
    const KeyframeRow& row = **found;
    if (Status sound = vouched(row); !sound) {
        return sound.error();
    }
    std::optional<KeyframeState> frame = parseKeyframe(row.body);
    if (!frame) {
        return badRecording(m_database.name(), fmt::format("the keyframe of record {} is unsound", row.seq));
    }
    const std::vector<std::uint64_t> metricSeqs = frame->metricSeqs;
    const Result<Json> state = stateOf(row, std::move(*frame), 0);
    if (!state) {
        return state.error();
    }
    Result<RestoredKeyframe> restored = restoreKeyframe(m_stream, row.seq, *state, metricSeqs);
    return restored ? Result<std::optional<RestoredKeyframe>>(std::move(restored).value()) : restored.error();
}

std::optional<std::string> Keyframes::checkAll(const std::function<void(const Event&)>& each) {
    Result<Statement> rows = m_database.prepare("SELECT seq, base, body FROM keyframe ORDER BY seq");
    if (!rows) {
        return rows.error().message;
    }
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step()) {
        const std::optional<KeyframeRow> row = takeKeyframe(*rows);
        if (!row) {
            return "a keyframe has a wrong shape";
        }
        const Result<Event> seal = m_stream.at(row->seq + 1);
        if (!seal || seal->kind != EventKind::Seal || member<std::string>(seal->body, "keyframe", "") != digestOf(*row)) {
            return fmt::format("the keyframe of record {} is not the one that was sealed", row->seq);
        }
        each(*seal);
    }
    return code == SQLITE_DONE ? std::nullopt : std::optional(m_database.error("read").message);
}

} // namespace tealdeck
