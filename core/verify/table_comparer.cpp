// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/table_comparer.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck::verify {
namespace {

constexpr Millis CHUNK_LIMIT{std::chrono::minutes(10)};
constexpr Millis SCAN_LIMIT{std::chrono::hours(12)}; ///< a whole table in one statement, or the way to the next key
constexpr double SMALL_BYTES = 8.0 * 1024 * 1024;    ///< compared in one statement
constexpr std::int64_t LISTED_ROWS = 2000;           ///< of both sides together: few enough to be fetched
constexpr std::int64_t PIECES = 16;                  ///< into which a part that differs is cut
constexpr std::size_t BATCH = 200;                   ///< keys in one look-up
constexpr int PASSES = 60;                           ///< for rows that do not stand still
constexpr int STILL_PASSES = 2;                      ///< so often a row must have stood still and differed
constexpr int SHOWN_LETTERS = 300;

std::int64_t wholeNumber(const std::string& text) {
    return std::strtoll(text.c_str(), nullptr, 10);
}

Key keyOf(const Rows& rows, std::size_t row, std::size_t columns) {
    Key key;
    for (std::size_t c = 0; c < columns; ++c) {
        key.push_back(rows.text(row, c));
    }
    return key;
}

} // namespace

Json toJson(const RowDifference& d) {
    Json values = Json::array();
    for (const auto& [source, follower] : d.values) {
        values.push_back({{"source", orNull(source)}, {"follower", orNull(follower)}});
    }
    return {{"kind", d.kind}, {"key", d.key}, {"columns", d.columns}, {"values", values}, {"inspect", d.inspect}};
}

Status TableComparer::goesOn() const {
    return m_options.cancelled && m_options.cancelled() ? Status(Error{Error::Kind::Refused, "Stopped.", {}, {}}) : Status();
}

Result<TableOutcome> TableComparer::run() {
    const Status status = m_pair.key.empty() ? keyless() : keyed();
    return status.ok() ? Result<TableOutcome>(std::move(m_outcome)) : Result<TableOutcome>(status.error());
}

Result<std::pair<TableComparer::Digest, TableComparer::Digest>> TableComparer::both(const Part& part) {
    const std::string sql = digestSql(m_pair, part);
    Connection::Pending here = m_source.start(sql, CHUNK_LIMIT);
    Connection::Pending there = m_follower.start(sql, CHUNK_LIMIT);
    const Result<Rows> mine = here.wait();
    const Result<Rows> theirs = there.wait();
    if (!mine || !theirs) {
        return (mine ? theirs : mine).error();
    }
    return std::pair(Digest{wholeNumber(mine->text(0, 0)), mine->text(0, 1)}, Digest{wholeNumber(theirs->text(0, 0)), theirs->text(0, 1)});
}

Status TableComparer::keyed() {
    Part part;
    part.above = m_options.resumeAbove;
    m_outcome.rows = m_options.resumeRows;
    for (;;) {
        if (const Status on = goesOn(); !on) {
            return on;
        }
        if (m_pair.source.bytes > SMALL_BYTES) {
            const Result<Rows> bound = m_source.query(boundSql(m_pair, part, m_options.chunkRows), {}, SCAN_LIMIT);
            if (!bound) {
                return bound.error();
            }
            part.upTo = bound->empty() ? Key() : keyOf(*bound, 0, m_pair.key.size());
        }
        if (const Status compared = chunk(part); !compared) {
            return compared;
        }
        if (part.upTo.empty() || m_outcome.differences >= MOST_DIFFERENCES) {
            return {};
        }
        if (m_options.told && m_outcome.differences == 0 && m_outcome.unsettled == 0) {
            m_options.told(part.upTo, m_outcome.rows);
        }
        part.above = std::exchange(part.upTo, Key());
    }
}

Status TableComparer::chunk(const Part& part) {
    auto digests = both(part);
    if (!digests) {
        return digests.error();
    }
    m_outcome.rows += digests->first.count;
    if (m_options.pace) {
        m_options.pace(digests->first.count);
    }
    if (digests->first == digests->second) {
        return {};
    }
    if (!m_options.exact) {
        if (const Status passed = m_options.pass(); !passed) {
            return passed;
        }
        digests = both(part);
        if (!digests || digests->first == digests->second) {
            return digests.ok() ? Status() : Status(digests.error());
        }
    }
    m_candidates.clear();
    const Status drilled = drill(part, digests->first, digests->second);
    return drilled.ok() ? resolve() : drilled;
}

Status TableComparer::drill(const Part& part, const Digest& source, const Digest& follower) {
    if (source.count + follower.count <= LISTED_ROWS) {
        return listRows(part);
    }
    // Cut where the larger side has its rows: the other may have none here.
    Connection& larger = source.count >= follower.count ? m_source : m_follower;
    const std::int64_t step = std::max(source.count, follower.count) / PIECES + 1;
    Part piece{part.above, {}, -1, 0};
    for (;;) {
        if (const Status on = goesOn(); !on) {
            return on;
        }
        const Part rest{piece.above, part.upTo, -1, 0};
        const Result<Rows> bound = larger.query(boundSql(m_pair, rest, step), {}, SCAN_LIMIT);
        if (!bound) {
            return bound.error();
        }
        piece.upTo = bound->empty() ? part.upTo : keyOf(*bound, 0, m_pair.key.size());
        const auto digests = both(piece);
        if (!digests) {
            return digests.error();
        }
        if (!(digests->first == digests->second)) {
            if (const Status deeper = drill(piece, digests->first, digests->second); !deeper) {
                return deeper;
            }
        }
        if (piece.upTo == part.upTo || bound->empty() || static_cast<std::int64_t>(m_candidates.size()) > MOST_DIFFERENCES) {
            return {};
        }
        piece.above = piece.upTo;
    }
}

Status TableComparer::listRows(const Part& part) {
    const std::string sql = rowsSql(m_pair, part);
    Connection::Pending here = m_source.start(sql, CHUNK_LIMIT);
    Connection::Pending there = m_follower.start(sql, CHUNK_LIMIT);
    const Result<Rows> mine = here.wait();
    const Result<Rows> theirs = there.wait();
    if (!mine || !theirs) {
        return (mine ? theirs : mine).error();
    }
    const std::size_t columns = m_pair.key.size();
    std::map<Key, std::string> open;
    for (std::size_t i = 0; i < mine->size(); ++i) {
        open[keyOf(*mine, i, columns)] = mine->text(i, columns);
    }
    for (std::size_t i = 0; i < theirs->size(); ++i) {
        Key key = keyOf(*theirs, i, columns);
        const auto same = open.find(key);
        if (same != open.end() && same->second == theirs->text(i, columns)) {
            open.erase(same);
        } else {
            open[std::move(key)] = {};
        }
    }
    for (auto& [key, hash] : open) {
        m_candidates.push_back(key);
    }
    return {};
}

Result<TableComparer::Versions> TableComparer::lookUp(Connection& session, const std::vector<Key>& keys) {
    const Result<Rows> rows = session.batch(lookUpSql(m_pair, keys), CHUNK_LIMIT);
    if (!rows) {
        return rows.error();
    }
    Versions versions(keys.size());
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const auto number = static_cast<std::size_t>(wholeNumber(rows->text(i, 0)));
        if (number < versions.size()) {
            versions[number] = Version{rows->text(i, 1), rows->text(i, 2)};
        }
    }
    return versions;
}

Status TableComparer::resolve() {
    for (std::size_t begin = 0; begin < m_candidates.size() && m_outcome.differences < MOST_DIFFERENCES; begin += BATCH) {
        const auto from = m_candidates.begin() + static_cast<std::ptrdiff_t>(begin);
        const std::vector<Key> keys(from, from + static_cast<std::ptrdiff_t>(std::min(BATCH, m_candidates.size() - begin)));
        if (!m_options.exact) {
            if (const Status done = resolveMoving(keys); !done) {
                return done;
            }
            continue;
        }
        const Result<Versions> here = lookUp(m_source, keys);
        const Result<Versions> there = lookUp(m_follower, keys);
        if (!here || !there) {
            return (here ? there : here).error();
        }
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto& a = (*here)[i];
            const auto& b = (*there)[i];
            if (a.has_value() != b.has_value() || (a && a->hash != b->hash)) {
                if (const Status added = addDifference(keys[i], a.has_value(), b.has_value()); !added) {
                    return added;
                }
            }
        }
    }
    return {};
}

Status TableComparer::resolveMoving(std::vector<Key> keys) {
    std::map<Key, int> still;
    for (int pass = 0; pass < PASSES && !keys.empty(); ++pass) {
        if (const Status on = goesOn(); !on) {
            return on;
        }
        const Result<Versions> before = lookUp(m_source, keys);
        const Status passed = before.ok() ? m_options.pass() : Status(before.error());
        if (!passed) {
            return passed;
        }
        const Result<Versions> there = lookUp(m_follower, keys);
        const Result<Versions> after = there.ok() ? lookUp(m_source, keys) : there;
        if (!after) {
            return after.error();
        }
        std::vector<Key> open;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto shows = [&](const std::optional<Version>& v) {
                return v.has_value() == (*there)[i].has_value() && (!v || v->hash == (*there)[i]->hash);
            };
            const bool stood = (*before)[i] == (*after)[i];
            if (shows((*before)[i]) || shows((*after)[i])) {
                continue;
            }
            if (stood && ++still[keys[i]] >= STILL_PASSES) {
                if (const Status added = addDifference(keys[i], (*before)[i].has_value(), (*there)[i].has_value()); !added) {
                    return added;
                }
                continue;
            }
            open.push_back(keys[i]);
        }
        keys = std::move(open);
    }
    m_outcome.unsettled += static_cast<std::int64_t>(keys.size());
    return {};
}

Status TableComparer::addDifference(const Key& key, bool here, bool there) {
    ++m_outcome.differences;
    if (m_outcome.shown.size() >= MOST_SHOWN) {
        return {};
    }
    RowDifference difference;
    difference.kind = here && there ? "changed" : here ? "missing" : "extra";
    difference.key = key;
    difference.inspect = inspectSql(m_pair, key);
    const Status described = describe(difference, valuesSql(m_pair, key, SHOWN_LETTERS));
    m_outcome.shown.push_back(std::move(difference));
    return described;
}

/// Which columns differ, and their texts when these were asked for.
Status TableComparer::describe(RowDifference& difference, const std::string& sql) {
    const Result<Rows> mine = m_source.batch(sql, SCAN_LIMIT);
    const Result<Rows> theirs = m_follower.batch(sql, SCAN_LIMIT);
    if (!mine || !theirs) {
        return (mine ? theirs : mine).error();
    }
    const auto at = [](const Rows& rows, std::size_t column) { return rows.empty() ? std::optional<std::string>() : rows.rows[0][column]; };
    for (std::size_t c = 0; c < m_pair.columns.size(); ++c) {
        if (difference.kind == "changed" && at(*mine, 2 * c) == at(*theirs, 2 * c)) {
            continue;
        }
        difference.columns.push_back(m_pair.columns[c]);
        if (m_options.values) {
            difference.values.emplace_back(at(*mine, 2 * c + 1), at(*theirs, 2 * c + 1));
        }
    }
    return {};
}

} // namespace tealdeck::verify
