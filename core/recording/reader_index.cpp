// SPDX-License-Identifier: GPL-3.0-or-later
// Moments and plots: from the derived tables as far as the seals vouch for them, else from the records.
#include "core/recording/reader.h"
#include "core/recording/schema.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

namespace tealdeck {
namespace {

constexpr std::uint64_t FOLD_AT_MOST = 2000; ///< records without a keyframe before it pays to make own ones

/// Collects samples and buckets, which come in the order of time for each metric, into columns.
class Columns {
  public:
    Columns(std::int64_t fromUs, std::int64_t toUs, int columns)
        : m_from(fromUs), m_count(static_cast<std::uint64_t>(columns)), m_width(span(fromUs, toUs) / m_count) {
        m_width += m_width == std::numeric_limits<std::uint64_t>::max() ? 0 : 1;
    }
    [[nodiscard]] std::uint64_t widthUs() const { return m_width; }
    void add(const std::string& name, std::int64_t timeUs, double low, double high) {
        const std::uint64_t column = std::min(span(m_from, std::max(timeUs, m_from)) / m_width, m_count - 1);
        auto& [last, drawn] = m_drawn[name];
        if (drawn.empty() || last != column) {
            drawn.push_back({timeUs, NAN, NAN});
            last = column;
        }
        drawn.back().low = std::fmin(drawn.back().low, low);
        drawn.back().high = std::fmax(drawn.back().high, high);
    }
    std::map<std::string, std::vector<SeriesColumn>> done() {
        std::map<std::string, std::vector<SeriesColumn>> all;
        for (auto& [name, entry] : m_drawn) {
            all.emplace(name, std::move(entry.second));
        }
        return all;
    }

  private:
    static std::uint64_t span(std::int64_t from, std::int64_t to) {
        return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    }
    std::int64_t m_from;
    std::uint64_t m_count;
    std::uint64_t m_width;
    std::map<std::string, std::pair<std::uint64_t, std::vector<SeriesColumn>>> m_drawn;
};

/// The buckets of a chunk that overlap [fromUs, toUs]; false when the bytes are unsound.
bool addChunk(Columns& into, const std::string& name, std::int64_t chunk, std::string_view body, std::int64_t fromUs, std::int64_t toUs) {
    constexpr std::int64_t MOST = std::numeric_limits<std::int64_t>::max() / pyramid::CHUNK_US - 1;
    const auto buckets = chunk >= -MOST && chunk <= MOST ? pyramid::decode(body) : std::nullopt;
    if (!buckets) {
        return false;
    }
    std::int64_t time = chunk * pyramid::CHUNK_US;
    for (const pyramid::Bucket& bucket : *buckets) {
        if (bucket.sampled && time <= toUs && time + pyramid::BUCKET_US > fromUs) {
            into.add(name, time, bucket.low, bucket.high);
        }
        time += pyramid::BUCKET_US;
    }
    return true;
}

} // namespace

/// Folds the whole file once, as far as it is sound.
void RecordingReader::useOwnIndex() {
    IndexBuilder builder;
    std::map<std::uint64_t, KeyframeRow> keyframes;
    const auto keep = [&](bool last) {
        IndexRows rows = builder.take(last);
        if (rows.keyframe) {
            keyframes[rows.keyframe->seq] = std::move(*rows.keyframe);
        }
        std::move(rows.pyramid.begin(), rows.pyramid.end(), std::back_inserter(m_pyramid));
    };
    static_cast<void>(m_stream->events(1, 0, [&](const Event& event) {
        builder.apply(event);
        if (builder.due()) {
            keep(false);
        }
        return true;
    }));
    keep(true);
    m_keyframes->useOwn(std::move(keyframes));
    m_ownIndex = true;
}

Result<Snapshot> RecordingReader::snapshotAfter(std::uint64_t seq) {
    Result<std::optional<RestoredKeyframe>> frame = m_keyframes->atOrBefore(seq);
    const std::uint64_t from = frame && *frame ? (*frame)->snapshot.seq : 0;
    if (!m_ownIndex && (!frame || seq - std::min(from, seq) > FOLD_AT_MOST)) {
        useOwnIndex();
        frame = m_keyframes->atOrBefore(seq);
    }
    if (!frame) {
        return frame.error();
    }
    Snapshot snapshot = *frame ? std::move((*frame)->snapshot) : Snapshot();
    if (snapshot.seq >= seq) {
        return snapshot;
    }
    const Status read = m_stream->events(snapshot.seq + 1, seq - snapshot.seq, [&](const Event& event) {
        apply(snapshot, event);
        return true;
    });
    return read ? Result<Snapshot>(std::move(snapshot)) : Result<Snapshot>(read.error());
}

std::optional<std::string> RecordingReader::checkIndex() {
    if (m_identity.version == 1) {
        return std::nullopt;
    }
    std::map<std::uint64_t, std::string> pyramids; // what each seal says of its rows
    std::optional<std::string> wrong =
        m_keyframes->checkAll([&](const Event& seal) { pyramids[seal.seq] = member<std::string>(seal.body, "pyramid", ""); });
    wrong = wrong ? wrong : checkPyramid(pyramids);
    m_indexSound = !wrong;
    return wrong;
}

std::optional<std::string> RecordingReader::checkPyramid(const std::map<std::uint64_t, std::string>& pyramidsOfSeals) {
    Result<Statement> rows = m_database->prepare("SELECT name, chunk, seal, body FROM pyramid ORDER BY name, chunk");
    if (!rows) {
        return rows.error().message;
    }
    std::map<std::uint64_t, PyramidDigest> digests;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step()) {
        const auto name = rows->text(0, schema::MAX_NAME);
        const auto chunk = rows->integer(1);
        const auto seal = rows->integer(2);
        const auto body = rows->blob(3);
        if (!name || !chunk || !seal || !body || pyramidsOfSeals.count(static_cast<std::uint64_t>(*seal)) == 0) {
            return "a row of the plots' table has a wrong shape or no seal";
        }
        digests[static_cast<std::uint64_t>(*seal)].add(*name, *chunk, *body);
    }
    if (code != SQLITE_DONE) {
        return m_database->error("read").message;
    }
    for (const auto& [seal, digest] : pyramidsOfSeals) {
        const auto found = digests.find(seal);
        if ((found == digests.end() ? std::string() : found->second.hex()) != digest) {
            return fmt::format("the plots' table is not the one that record {} sealed", seal);
        }
    }
    return std::nullopt;
}

/// Until when the pyramid has everything; makes one when the file has none that can be used.
Result<std::int64_t> RecordingReader::pyramidEndsUs() {
    if (!m_ownIndex && !m_indexSound) {
        static_cast<void>(checkIndex());
    }
    const Result<std::optional<KeyframeRow>> last = m_keyframes->row(false, std::numeric_limits<std::uint64_t>::max());
    if (!m_ownIndex && (!m_indexSound.value_or(false) || !last || !*last)) {
        useOwnIndex();
    }
    if (m_ownIndex) {
        return std::numeric_limits<std::int64_t>::max();
    }
    const Result<Event> seal = m_stream->at((*last)->seq + 1);
    if (!seal) {
        return seal.error();
    }
    // Until then all chunks before the keyframe's own are finished, and at the closing seal that one too.
    const Result<Event> keyed = m_stream->at((*last)->seq);
    const bool closed = member<bool>(seal->body, "closed", false);
    return !keyed   ? Result<std::int64_t>(keyed.error())
           : closed ? std::numeric_limits<std::int64_t>::max()
                    : pyramid::chunkAt(keyed->steadyUs) * pyramid::CHUNK_US;
}

Status RecordingReader::addPyramid(std::int64_t fromUs, std::int64_t toUs,
                                   const std::function<bool(const std::string&, std::int64_t, std::string_view)>& add) {
    const std::int64_t first = pyramid::chunkAt(fromUs);
    const std::int64_t last = pyramid::chunkAt(toUs);
    if (m_ownIndex) {
        for (const PyramidRow& row : m_pyramid) {
            if (row.chunk >= first && row.chunk <= last && !add(row.name, row.chunk, row.body)) {
                return badRecording(m_copy.name, "a row of the plots' table is unsound");
            }
        }
        return {};
    }
    Result<Statement> rows = m_database->prepare("SELECT name, chunk, body FROM pyramid WHERE chunk BETWEEN ? AND ? ORDER BY name, chunk");
    if (!rows) {
        return rows.error();
    }
    int code = rows->bind(1, first).bind(2, last).step();
    for (; code == SQLITE_ROW; code = rows->step()) {
        const auto name = rows->text(0, schema::MAX_NAME);
        const auto chunk = rows->integer(1);
        const auto body = rows->blob(2);
        if (!name || !chunk || !body || !add(*name, *chunk, *body)) {
            return badRecording(m_copy.name, "a row of the plots' table is unsound");
        }
    }
    return code == SQLITE_DONE ? Status() : Status(m_database->error("read"));
}

Result<std::map<std::string, std::vector<SeriesColumn>>> RecordingReader::columns(std::int64_t fromUs, std::int64_t toUs, int columns) {
    std::map<std::string, std::vector<SeriesColumn>> none;
    if (columns <= 0 || toUs < fromUs) {
        return none;
    }
    Columns drawn(fromUs, toUs, columns);
    std::int64_t from = fromUs;
    if (drawn.widthUs() >= static_cast<std::uint64_t>(pyramid::BUCKET_US)) {
        const Result<std::int64_t> end = pyramidEndsUs();
        if (!end) {
            return end.error();
        }
        from = std::max(fromUs, *end);
        const auto add = [&](const std::string& name, std::int64_t chunk, std::string_view body) {
            return addChunk(drawn, name, chunk, body, fromUs, std::min(toUs, from - 1));
        };
        if (Status added = from == fromUs ? Status() : addPyramid(fromUs, std::min(toUs, from), add); !added) {
            return added.error();
        }
    }
    const Status read = from > toUs ? Status() : addRecords(from, toUs, [&](const std::string& name, std::int64_t timeUs, double value) {
        drawn.add(name, timeUs, value, value);
    });
    return read ? drawn.done() : Result<std::map<std::string, std::vector<SeriesColumn>>>(read.error());
}

Status RecordingReader::addRecords(std::int64_t fromUs, std::int64_t toUs,
                                   const std::function<void(const std::string&, std::int64_t, double)>& add) {
    const bool whole = fromUs == std::numeric_limits<std::int64_t>::min();
    const Result<std::uint64_t> before = whole ? Result<std::uint64_t>(0) : seqAt(fromUs - 1);
    if (!before) {
        return before.error();
    }
    return m_stream->events(*before + 1, 0, [&](const Event& event) {
        if (event.steadyUs > toUs) {
            return false;
        }
        const Json values = event.kind == EventKind::Metrics ? member(event.body, "values", Json::object()) : Json::object();
        if (values.is_object()) {
            for (const auto& [name, value] : values.items()) {
                add(name, event.steadyUs, value.is_number() ? value.get<double>() : NAN);
            }
        }
        return true;
    });
}

} // namespace tealdeck
