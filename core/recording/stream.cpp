// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/stream.h"

#include "core/recording/pack.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

namespace tealdeck {

Error RecordStream::broken(std::uint64_t seq, const std::string& why) const {
    return badRecording(m_database.name(), fmt::format("record {}: {}", seq, why));
}

/// The first column of the first row; std::nullopt when there is no row.
Result<std::optional<std::int64_t>> RecordStream::oneNumber(const char* sql, std::int64_t argument) {
    Result<Statement> statement = m_database.prepare(sql);
    if (!statement) {
        return statement.error();
    }
    const int code = statement->bind(1, argument).step();
    if (code == SQLITE_DONE) {
        return std::optional<std::int64_t>();
    }
    if (code != SQLITE_ROW) {
        return m_database.error("read");
    }
    const std::optional<std::int64_t> number = statement->integer(0);
    return number ? Result<std::optional<std::int64_t>>(number) : badRecording(m_database.name(), "a number has a wrong type");
}

Status RecordStream::records(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const StoredRecord&)>& each) {
    constexpr auto MOST = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const std::uint64_t first = std::clamp<std::uint64_t>(fromSeq, 1, MOST);
    Result<Statement> rows = m_database.prepare(fmt::format("SELECT {} FROM record WHERE seq >= ? ORDER BY seq", RECORD_COLUMNS).c_str());
    if (!rows) {
        return rows.error();
    }
    // The record before the first one is what that must follow from.
    rows->bind(1, static_cast<std::int64_t>(first == 1 ? 0 : first - 1));
    chain::Digest head = m_identity.genesis();
    std::int64_t time = std::numeric_limits<std::int64_t>::min();
    std::uint64_t expected = first == 1 ? 1 : first - 1;
    std::uint64_t given = 0;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step(), ++expected) {
        StoredRecord record;
        std::optional<std::string> wrong = takeRecord(*rows, m_identity.version, record);
        wrong = wrong ? wrong : record.seq != expected ? std::optional<std::string>("it is missing") : std::nullopt;
        if (!wrong && expected >= first) {
            wrong = record.steadyUs < time ? "its time lies before that of the record before it" : brokenLink(m_identity, record, head);
        }
        if (wrong) {
            return expected < first ? Status(broken(first, "the record before it is unsound")) : Status(broken(expected, *wrong));
        }
        head = record.hash;
        time = record.steadyUs;
        if (expected >= first && (!each(record) || (limit != 0 && ++given >= limit))) {
            return {};
        }
    }
    return code == SQLITE_DONE ? Status() : Status(m_database.error("read"));
}

Status RecordStream::events(std::uint64_t fromSeq, std::uint64_t limit, const std::function<bool(const Event&)>& each) {
    Status failed;
    const Status read = records(fromSeq, limit, [&](const StoredRecord& record) {
        const Result<Event> event = toEvent(record);
        failed = event ? Status() : Status(event.error());
        return failed.ok() && each(*event);
    });
    return failed ? read : failed;
}

Result<Event> RecordStream::at(std::uint64_t seq) {
    std::optional<Event> found;
    const Status read = events(seq, 1, [&](const Event& event) {
        found = event;
        return false;
    });
    if (!read) {
        return read.error();
    }
    return found && found->seq == seq ? Result<Event>(std::move(*found)) : Result<Event>(broken(seq, "it is missing"));
}

/// The JSON of compactly stored samples; nothing when it needs a record that was redacted.
Result<std::optional<Json>> RecordStream::metricsBody(const StoredRecord& record) {
    const std::string stored(*record.body);
    const auto base = MetricsDecoder::baseOf(record.seq, stored);
    if (base && !m_decoder.knows(*base)) {
        bool redacted = false;
        bool learned = false;
        const Status read = records(*base, 1, [&](const StoredRecord& full) {
            redacted = !full.body;
            learned = full.seq == *base && full.body && m_decoder.learn(full.seq, *full.body);
            return false;
        });
        if (!read || redacted) {
            return read ? Result<std::optional<Json>>(std::optional<Json>()) : Result<std::optional<Json>>(read.error());
        }
        if (!learned) {
            return broken(record.seq, fmt::format("record {}, to which it refers, holds no full samples", *base));
        }
    }
    std::optional<Json> body = m_decoder.decode(record.seq, stored);
    return body ? Result<std::optional<Json>>(std::move(body)) : Result<std::optional<Json>>(broken(record.seq, "its samples are unsound"));
}

Result<Event> RecordStream::toEvent(const StoredRecord& record) {
    const auto actor = m_identity.actors.find(record.actor);
    if (actor == m_identity.actors.end() || record.kind < 0 || record.kind > std::numeric_limits<int>::max()) {
        return broken(record.seq, "its actor or its kind is unknown");
    }
    Event event{record.seq,          record.steadyUs, record.wallUs, static_cast<EventKind>(record.kind), actor->second.shown(),
                {{"redacted", true}}};
    if (!record.body) {
        return event;
    }
    if (m_identity.version > 1 && MetricsDecoder::isCompact(*record.body)) {
        Result<std::optional<Json>> body = metricsBody(record);
        if (!body) {
            return body.error();
        }
        event.body = body->has_value() ? std::move(**body) : std::move(event.body);
        return event;
    }
    const bool packed = m_identity.version > 1 && !record.body->empty() && (*record.body)[0] == PACKED;
    std::optional<Json> body = packed ? unpack(record.body->substr(1)) : parseJson(std::string(*record.body));
    if (!body || !body->is_object()) {
        return broken(record.seq, "its body is no JSON object");
    }
    event.body = std::move(*body);
    return event;
}

Result<std::uint64_t> RecordStream::lastSeq() {
    const Result<std::optional<std::int64_t>> last = oneNumber("SELECT seq FROM record WHERE seq >= ? ORDER BY seq DESC LIMIT 1", 1);
    return last ? Result<std::uint64_t>(static_cast<std::uint64_t>(last->value_or(0))) : last.error();
}

Result<std::uint64_t> RecordStream::seqAt(std::int64_t steadyUs) {
    const Result<std::uint64_t> last = lastSeq();
    if (!last) {
        return last.error();
    }
    Result<Statement> row = m_database.prepare("SELECT t_us FROM record WHERE seq = ?");
    if (!row) {
        return row.error();
    }
    std::uint64_t low = 0; // at or before the time, or none
    std::uint64_t high = *last;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2 + (high - low) % 2;
        const int code = row->bind(1, static_cast<std::int64_t>(middle)).step();
        const std::optional<std::int64_t> time = code == SQLITE_ROW ? row->integer(0) : std::nullopt;
        row->reset();
        if (!time) {
            return code == SQLITE_ROW || code == SQLITE_DONE ? broken(middle, "it is missing or has no time") : m_database.error("read");
        }
        if (*time <= steadyUs) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

Result<RestoredKeyframe> restoreKeyframe(RecordStream& stream, std::uint64_t seq, const Json& state,
                                         const std::vector<std::uint64_t>& metricSeqs) {
    RestoredKeyframe restored;
    restored.snapshot = snapshotFromJson(state);
    if (restored.snapshot.seq != seq) {
        return stream.broken(seq, "the keyframe after it is of another record");
    }
    Snapshot metrics;
    for (const std::uint64_t source : metricSeqs) {
        Result<Event> event = source <= seq ? stream.at(source) : Result<Event>(stream.broken(seq, "its keyframe looks ahead"));
        if (!event) {
            return event.error();
        }
        if (event->kind != EventKind::Metrics) {
            return stream.broken(seq, "its keyframe takes metrics from a record without any");
        }
        apply(metrics, *event);
        restored.metrics.push_back(std::move(*event));
    }
    restored.snapshot.metrics = std::move(metrics.metrics);
    return restored;
}

} // namespace tealdeck
