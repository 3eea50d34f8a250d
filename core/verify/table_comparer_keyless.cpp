// SPDX-License-Identifier: GPL-3.0-or-later
// Tables without a key: their rows fall into buckets by their hash, and each bucket is settled by itself.
#include "core/verify/table_comparer.h"

#include <algorithm>
#include <cstdlib>

namespace tealdeck::verify {
namespace {

constexpr Millis SCAN_LIMIT{std::chrono::hours(12)}; ///< the whole table in one statement
constexpr double BUCKET_BYTES = 65536;               ///< of rows, about, until there are as many buckets as there may be
constexpr int MOST_BUCKETS = 4096;
constexpr int PASSES = 60;      ///< for buckets that do not stand still
constexpr int STILL_PASSES = 2; ///< so often a bucket must have stood still and differed
constexpr int SHOWN_LETTERS = 300;

std::int64_t wholeNumber(const std::string& text) {
    return std::strtoll(text.c_str(), nullptr, 10);
}

} // namespace

Result<TableComparer::Buckets> TableComparer::buckets(Connection& session, const std::vector<int>& only) {
    const Result<Rows> rows = session.batch(bucketsSql(m_pair, m_buckets, only), SCAN_LIMIT);
    if (!rows) {
        return rows.error();
    }
    Buckets found;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        found[static_cast<int>(wholeNumber(rows->text(i, 0)))] = {wholeNumber(rows->text(i, 1)), rows->text(i, 2)};
    }
    return found;
}

Status TableComparer::keyless() {
    while (m_buckets < MOST_BUCKETS && m_buckets * BUCKET_BYTES < m_pair.source.bytes) {
        m_buckets *= 2;
    }
    const std::string sql = bucketsSql(m_pair, m_buckets);
    Connection::Pending here = m_source.start(sql, SCAN_LIMIT);
    Result<Buckets> theirs = buckets(m_follower, {});
    const Result<Rows> answer = here.wait();
    if (!answer || !theirs) {
        return answer ? theirs.error() : answer.error();
    }
    Buckets mine;
    for (std::size_t i = 0; i < answer->size(); ++i) {
        mine[static_cast<int>(wholeNumber(answer->text(i, 0)))] = {wholeNumber(answer->text(i, 1)), answer->text(i, 2)};
    }
    std::vector<int> open;
    for (int bucket = 0; bucket < m_buckets; ++bucket) {
        m_outcome.rows += mine[bucket].count;
        if (!(mine[bucket] == (*theirs)[bucket])) {
            open.push_back(bucket);
        }
    }
    if (m_options.pace) {
        m_options.pace(m_outcome.rows);
    }
    if (!m_options.exact) {
        return settleBuckets(std::move(open));
    }
    for (const int bucket : open) {
        if (const Status drilled = drillBucket(bucket); !drilled || m_outcome.differences >= MOST_DIFFERENCES) {
            return drilled;
        }
    }
    return {};
}

Status TableComparer::settleBuckets(std::vector<int> open) {
    std::map<int, int> still;
    for (int pass = 0; pass < PASSES && !open.empty(); ++pass) {
        if (const Status on = goesOn(); !on) {
            return on;
        }
        Result<Buckets> before = buckets(m_source, open);
        const Status passed = before.ok() ? m_options.pass() : Status(before.error());
        if (!passed) {
            return passed;
        }
        Result<Buckets> there = buckets(m_follower, open);
        Result<Buckets> after = there.ok() ? buckets(m_source, open) : there;
        if (!after) {
            return after.error();
        }
        std::vector<int> left;
        for (const int bucket : open) {
            const Digest& follower = (*there)[bucket];
            if (follower == (*before)[bucket] || follower == (*after)[bucket]) {
                continue;
            }
            if ((*before)[bucket] == (*after)[bucket] && ++still[bucket] >= STILL_PASSES) {
                const Status drilled = drillBucket(bucket);
                if (!drilled || m_outcome.differences >= MOST_DIFFERENCES) {
                    return drilled;
                }
                continue;
            }
            left.push_back(bucket);
        }
        open = std::move(left);
    }
    m_outcome.unsettled += static_cast<std::int64_t>(open.size());
    return {};
}

Status TableComparer::drillBucket(int bucket) {
    const std::string sql = bucketRowsSql(m_pair, {{}, {}, bucket, m_buckets}, static_cast<int>(MOST_DIFFERENCES));
    Connection::Pending here = m_source.start(sql, SCAN_LIMIT);
    const Result<Rows> theirs = m_follower.batch(sql, SCAN_LIMIT);
    const Result<Rows> mine = here.wait();
    if (!mine || !theirs) {
        return (mine ? theirs : mine).error();
    }
    std::map<std::string, std::int64_t> counts; // rows more on the source
    for (std::size_t i = 0; i < mine->size(); ++i) {
        counts[mine->text(i, 0)] += wholeNumber(mine->text(i, 1));
    }
    for (std::size_t i = 0; i < theirs->size(); ++i) {
        counts[theirs->text(i, 0)] -= wholeNumber(theirs->text(i, 1));
    }
    const std::int64_t before = m_outcome.differences;
    for (const auto& [hash, more] : counts) {
        if (more == 0) {
            continue;
        }
        m_outcome.differences += std::abs(more);
        if (m_outcome.shown.size() < MOST_SHOWN) {
            RowDifference difference;
            difference.kind = more > 0 ? "missing" : "extra";
            difference.inspect = inspectHashSql(m_pair, hash);
            const Status described = describe(difference, valuesOfHashSql(m_pair, hash, SHOWN_LETTERS));
            m_outcome.shown.push_back(std::move(difference));
            if (!described) {
                return described;
            }
        }
    }
    // Proven already, even when the rows are gone by now or are too many to be listed.
    m_outcome.differences = std::max(m_outcome.differences, before + 1);
    return {};
}

} // namespace tealdeck::verify
