// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/index.h"

#include "core/recording/json_delta.h"
#include "core/recording/pack.h"
#include "core/recording/schema.h"

#include <algorithm>
#include <set>

namespace tealdeck {
namespace {

constexpr std::uint64_t KEYFRAME_EVERY_US = 60'000'000;
constexpr std::uint64_t KEYFRAME_EVERY = 400; ///< records: some milliseconds of folding
constexpr unsigned GROUP = 32;                ///< keyframes from one whole one to the next
constexpr std::size_t MAX_METRIC_SEQS = 1000;

void putNumber(std::string& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        out += static_cast<char>((number >> shift) & 0xFF);
    }
}

std::uint64_t between(std::int64_t from, std::int64_t to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

} // namespace

std::string digestOf(const KeyframeRow& row) {
    std::string text = "k";
    putNumber(text, row.seq);
    putNumber(text, row.base);
    return chain::hex(chain::sha256(text + row.body));
}

void PyramidDigest::add(std::string_view name, std::int64_t chunk, std::string_view body) {
    std::string text = "p";
    putNumber(text, name.size());
    text += name;
    putNumber(text, static_cast<std::uint64_t>(chunk));
    const chain::Digest digest = chain::sha256(text.append(body));
    m_rows.append(digest.begin(), digest.end());
}

std::string PyramidDigest::hex() const {
    return chain::hex(chain::sha256(m_rows));
}

Json keyframeJson(const Snapshot& snapshot) {
    Json state = toJson(snapshot);
    state.erase("metrics");
    return state;
}

std::optional<KeyframeState> parseKeyframe(std::string_view body) {
    const std::optional<Json> parsed = unpack(body);
    const Json seqs = parsed ? member(*parsed, "metrics", Json()) : Json();
    if (!parsed || !parsed->contains("state") || !seqs.is_array() || seqs.size() > MAX_METRIC_SEQS) {
        return std::nullopt;
    }
    KeyframeState frame{parsed->at("state"), {}};
    for (const Json& seq : seqs) {
        if (!seq.is_number_unsigned()) {
            return std::nullopt;
        }
        frame.metricSeqs.push_back(seq.get<std::uint64_t>());
    }
    return frame;
}

void IndexBuilder::apply(const Event& event) {
    if (m_snapshot.seq == 0 && m_records == 0) {
        m_keyframeUs = event.steadyUs;
    }
    tealdeck::apply(m_snapshot, event);
    ++m_records;
    if (m_chunk && pyramid::chunkAt(event.steadyUs) != *m_chunk) {
        finishChunk(); // whoever resumes at a keyframe counts on it: all chunks before the keyframe's own are finished
    }
    if (m_snapshot.metrics.empty()) {
        m_metricSeqs.clear(); // a new life of the engine forgets what an earlier one sampled
    }
    if (event.kind != EventKind::Metrics) {
        return;
    }
    const Json values = member(event.body, "values", Json::object());
    if (values.is_object()) {
        for (const auto& [name, value] : values.items()) {
            m_metricSeqs[name] = event.seq;
        }
    }
    sample(event);
}

bool IndexBuilder::due() const {
    return m_records >= KEYFRAME_EVERY || (m_records > 0 && between(m_keyframeUs, m_snapshot.steadyUs) >= KEYFRAME_EVERY_US);
}

void IndexBuilder::sample(const Event& event) {
    const std::int64_t chunk = pyramid::chunkAt(event.steadyUs);
    if (m_chunk && chunk != *m_chunk) {
        finishChunk();
    }
    m_chunk = chunk;
    const Json values = member(event.body, "values", Json::object());
    if (!values.is_object()) {
        return;
    }
    const std::size_t bucket = pyramid::bucketAt(event.steadyUs);
    for (const auto& [name, value] : values.items()) {
        if (name.empty() || name.size() > schema::MAX_NAME) {
            continue;
        }
        auto& buckets = m_open[name];
        buckets.resize(static_cast<std::size_t>(pyramid::BUCKETS));
        buckets[bucket].add(value.is_number() ? value.get<double>() : NAN);
    }
}

void IndexBuilder::sampleAgain(const Event& event) {
    if (event.kind == EventKind::Metrics) {
        sample(event);
    }
}

void IndexBuilder::finishChunk() {
    for (const auto& [name, buckets] : m_open) {
        m_finished.push_back({name, *m_chunk, pyramid::encode(buckets)});
    }
    m_open.clear();
    m_chunk.reset();
}

/// Every 32nd keyframe is whole. The others are deltas to the one whose number has the lowest bit less: 5 to 4, 6 to 4, 7 to 6.
/// So most are short, and none has more than five to be patched with.
std::string IndexBuilder::stateBody(KeyframeRow& row) {
    Json state = keyframeJson(m_snapshot);
    std::set<std::uint64_t> seqs;
    for (const auto& [name, seq] : m_metricSeqs) {
        seqs.insert(seq);
    }
    m_number = m_states.empty() ? 0 : (m_number + 1) % GROUP;
    const auto base = m_number == 0 ? m_states.end() : m_states.find(m_number & (m_number - 1));
    const bool whole = base == m_states.end();
    row.base = whole ? 0 : base->second.first;
    std::string body = pack({{"state", whole ? state : jsonDelta(base->second.second, state)}, {"metrics", seqs}});
    if (whole) {
        m_number = 0;
        m_states.clear();
    }
    m_states[m_number] = {m_snapshot.seq, std::move(state)};
    return body;
}

IndexRows IndexBuilder::take(bool last) {
    KeyframeRow row;
    row.seq = m_snapshot.seq;
    row.body = stateBody(row);
    m_records = 0;
    m_keyframeUs = m_snapshot.steadyUs;
    if (row.seq == 0 || !parseKeyframe(row.body) || row.body.size() > schema::MAX_BODY) {
        m_states.clear(); // the next one is whole again
        return {};
    }
    if (last && m_chunk) {
        finishChunk();
    }
    std::sort(m_finished.begin(), m_finished.end(),
              [](const PyramidRow& a, const PyramidRow& b) { return a.name != b.name ? a.name < b.name : a.chunk < b.chunk; });
    IndexRows rows{std::move(row), std::move(m_finished)};
    m_finished.clear();
    return rows;
}

void IndexBuilder::resume(Snapshot snapshot, const std::vector<Event>& metrics) {
    m_snapshot = std::move(snapshot);
    m_keyframeUs = m_snapshot.steadyUs;
    for (const Event& event : metrics) {
        const Json values = member(event.body, "values", Json::object());
        for (const auto& [name, value] : values.items()) {
            m_metricSeqs[name] = event.seq;
        }
    }
}

} // namespace tealdeck
