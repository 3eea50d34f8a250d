// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/stream.h"

#include <map>
#include <optional>
#include <string>

namespace tealdeck {

/// Finds keyframes: those of the file as far as the seals vouch for them, or a set of our own. What it refers to must outlive it.
class Keyframes {
  public:
    Keyframes(Database& database, const Identity& identity, RecordStream& stream)
        : m_database(database), m_identity(identity), m_stream(stream) {}

    /// The newest one at or before the record; nothing when there is none. An error when it is unsound.
    Result<std::optional<RestoredKeyframe>> atOrBefore(std::uint64_t seq);
    /// The row of exactly this record, or the newest one at or before it.
    Result<std::optional<KeyframeRow>> row(bool exact, std::uint64_t seq);
    /// An error unless the seal behind the keyframe names its digest.
    Status vouched(const KeyframeRow& row);
    /// All in order; a text that says what is wrong. Tells for each the seal behind it.
    std::optional<std::string> checkAll(const std::function<void(const Event& seal)>& each);
    void useOwn(std::map<std::uint64_t, KeyframeRow> rows) { m_own = std::move(rows); }

  private:
    Result<Json> stateOf(const KeyframeRow& row, KeyframeState frame, int depth);

    Database& m_database;
    const Identity& m_identity;
    RecordStream& m_stream;
    std::optional<std::map<std::uint64_t, KeyframeRow>> m_own;
};

} // namespace tealdeck
