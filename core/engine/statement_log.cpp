// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/statement_log.h"

#include "core/util/redact.h"

#include <algorithm>

namespace tealdeck {
namespace {

/// Texts are the program's own and few; names of tables make them many.
constexpr std::size_t MOST_BUCKETS = 5000;
constexpr std::size_t MOST_KEPT = 1000;

} // namespace

void StatementLog::take(const StatementReport& report) {
    const std::lock_guard lock(m_mutex);
    if (!m_publish) {
        return;
    }
    if (!m_keeping) {
        publish(report, m_steadyUs());
    } else if (m_kept.size() < MOST_KEPT) {
        m_kept.emplace_back(m_steadyUs(), report);
    }
}

void StatementLog::keep(bool on) {
    const std::lock_guard lock(m_mutex);
    m_keeping = on;
    if (on || !m_publish) {
        return;
    }
    for (const auto& [at, report] : std::exchange(m_kept, {})) {
        publish(report, at);
    }
}

void StatementLog::publish(const StatementReport& report, std::int64_t now) {
    const std::string text = report.text == "(secret)" ? report.text : redactSql(report.text);
    std::uint64_t unrecorded = 0;
    if (m_buckets.size() > MOST_BUCKETS) {
        m_buckets.clear();
    }
    const auto [it, isNew] = m_buckets.try_emplace(report.server + '\n' + report.sqlstate + '\n' + text, Bucket{m_pace.burst, now, 0});
    Bucket& bucket = it->second;
    bucket.tokens = std::min(m_pace.burst, bucket.tokens + static_cast<double>(now - bucket.atUs) / 1e6 * m_pace.perSecond);
    bucket.atUs = now;
    if (bucket.tokens < 1) {
        ++bucket.unrecorded;
        return;
    }
    bucket.tokens -= 1;
    std::swap(unrecorded, bucket.unrecorded);
    const std::size_t first = report.server.find('/');
    const std::size_t last = report.server.rfind('/');
    m_publish({{"server", report.server},
               {"side", report.server.substr(0, first)},
               {"database", last == std::string::npos ? "" : report.server.substr(last + 1)},
               {"text", text},
               {"ms", report.ms},
               {"rows", report.rows},
               {"ok", report.sqlstate.empty()},
               {"sqlstate", report.sqlstate},
               {"unrecorded", unrecorded},
               {"ended_us", now}});
}

void StatementLog::close() {
    const std::lock_guard lock(m_mutex);
    m_publish = {};
}

} // namespace tealdeck
