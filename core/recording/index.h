// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/model/snapshot.h"
#include "core/recording/chain.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tealdeck {

/// The derived tables of a recording: they can be made anew from the records at any time, and exist so that nobody has to wait.
///
/// keyframe(seq, base, body): the snapshot after record `seq`, as {"state": …, "metrics": [seq…]} (pack.h). With base 0 the state is
///   whole, else a delta (json_delta.h) to the state of keyframe `base`, which may be one itself. The newest values of the metrics are left
///   out: folding the records that are named, in order, gives them.
/// pyramid(name, chunk, seal, body): lowest and highest value of a metric in each bucket of 8 s; a chunk is 64 buckets.
///
/// The rows are written in one transaction with the seal that is record keyframe.seq + 1, and the seal's body names their digests
/// ("keyframe", "pyramid"): what was changed in them is seen as a change of the records is, and rows that no seal vouches for are
/// never used. A redacted or salvaged copy has none; its reader makes them in memory.
struct KeyframeRow {
    std::uint64_t seq = 0;
    std::uint64_t base = 0; ///< 0: whole
    std::string body;
};
struct PyramidRow {
    std::string name;
    std::int64_t chunk = 0;
    std::string body;
};
struct IndexRows {
    std::optional<KeyframeRow> keyframe;
    std::vector<PyramidRow> pyramid; ///< in the order of name and chunk
};

namespace pyramid {

inline constexpr std::int64_t BUCKET_US = 8'000'000;
inline constexpr std::int64_t BUCKETS = 64; ///< of a chunk
inline constexpr std::int64_t CHUNK_US = BUCKET_US * BUCKETS;

struct Bucket {
    bool sampled = false; ///< false: no sample at all
    double low = NAN;     ///< NaN: only unknown samples
    double high = NAN;
    void add(double value);
    bool operator==(const Bucket&) const;
};
/// From the beginning of time on; times before 0 belong to chunk -1 and so on.
std::int64_t chunkAt(std::int64_t timeUs);
std::size_t bucketAt(std::int64_t timeUs);
std::string encode(const std::vector<Bucket>& buckets);
/// std::nullopt when the bytes are unsound.
std::optional<std::vector<Bucket>> decode(std::string_view bytes);

} // namespace pyramid

std::string digestOf(const KeyframeRow& row);
/// A digest over the pyramid's rows of one seal, in the order of name and chunk.
class PyramidDigest {
  public:
    void add(std::string_view name, std::int64_t chunk, std::string_view body);
    [[nodiscard]] std::string hex() const;

  private:
    std::string m_rows; ///< a digest each
};

/// Makes the rows while events pass. Not thread-safe.
class IndexBuilder {
  public:
    /// Each record in order, its body as a reader would give it.
    void apply(const Event& event);
    /// Enough happened since the last keyframe that a seek would take long.
    [[nodiscard]] bool due() const;
    /// The keyframe after what was applied, and what was finished of the pyramid since; `last` takes what is unfinished too. No
    /// rows at all when the state is nothing that a reader would take.
    IndexRows take(bool last);

    /// To go on with a file: the state of a keyframe and the records that its metrics come from; then sampleAgain() with those
    /// since the beginning of its chunk, for the pyramid; then apply() from the record behind the keyframe on.
    void resume(Snapshot snapshot, const std::vector<Event>& metrics);
    void sampleAgain(const Event& event);
    [[nodiscard]] const Snapshot& snapshot() const { return m_snapshot; }

  private:
    void sample(const Event& event);
    void finishChunk();
    std::string stateBody(KeyframeRow& row);

    Snapshot m_snapshot;
    std::map<std::string, std::uint64_t> m_metricSeqs; ///< the record with each metric's newest value
    std::uint64_t m_records = 0;                       ///< since the last keyframe
    std::int64_t m_keyframeUs = 0;
    unsigned m_number = 0;                                       ///< of the last keyframe in its group
    std::map<unsigned, std::pair<std::uint64_t, Json>> m_states; ///< seq and state of the group's keyframes
    std::optional<std::int64_t> m_chunk;
    std::map<std::string, std::vector<pyramid::Bucket>> m_open; ///< of m_chunk
    std::vector<PyramidRow> m_finished;
};

/// The parts of a keyframe's body.
struct KeyframeState {
    Json state; ///< or the delta, when the row has a base
    std::vector<std::uint64_t> metricSeqs;
};
std::optional<KeyframeState> parseKeyframe(std::string_view body);
/// The snapshot without its metrics as JSON, and back.
Json keyframeJson(const Snapshot& snapshot);

} // namespace tealdeck
