// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/replication/copy_progress.h"

#include <algorithm>

namespace tealdeck {
namespace {

/// The rate is that of so many seconds: short enough to follow a pause, long enough not to dance.
constexpr double RATE_SECONDS = 10;
constexpr std::size_t MOST_FAILURES = 20;
constexpr std::size_t BATCH = 500;

double secondsBetween(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

} // namespace

void CopyProgress::begin(const std::vector<CopyTable>& tables, const std::vector<CopyGroup>& groups, int workers) {
    const std::lock_guard lock(m_mutex);
    for (const CopyTable& table : tables) {
        m_tables.push_back({table.name, 0, table.bytes, 0, {}});
        m_totalBytes += table.bytes;
    }
    for (const CopyGroup& group : groups) {
        for (const CopyPart& part : group.parts) {
            ++m_tables[part.table].partsLeft;
        }
    }
    m_running.resize(static_cast<std::size_t>(workers));
}

void CopyProgress::partBegins(int worker, const std::string& table, const CopyPart& part) {
    const std::lock_guard lock(m_mutex);
    m_running[static_cast<std::size_t>(worker)] = {table, 0, part.bytes, 0};
    if (m_tables[part.table].begun == Time()) {
        m_tables[part.table].begun = std::chrono::steady_clock::now();
    }
}

void CopyProgress::moved(int worker, std::size_t bytes, long rows) {
    const std::lock_guard lock(m_mutex);
    Running& running = m_running[static_cast<std::size_t>(worker)];
    running.bytes += static_cast<double>(bytes);
    running.rows += static_cast<double>(rows);
    m_streamed += static_cast<double>(bytes);
}

void CopyProgress::partLost(int worker) {
    const std::lock_guard lock(m_mutex);
    m_running[static_cast<std::size_t>(worker)] = {};
}

void CopyProgress::partDone(int worker, const CopyPart& part, long rows) {
    const std::lock_guard lock(m_mutex);
    if (worker >= 0) {
        m_running[static_cast<std::size_t>(worker)] = {};
    }
    Table& table = m_tables[part.table];
    table.rows += static_cast<double>(rows);
    m_rows += static_cast<double>(rows);
    m_doneBytes += part.bytes;
    if (--table.partsLeft == 0) {
        ++m_tablesDone;
        const double ms = table.begun == Time() ? 0 : secondsBetween(table.begun, std::chrono::steady_clock::now()) * 1000;
        m_finished.push_back(Json::array({table.name, table.rows, table.bytes, static_cast<std::int64_t>(ms)}));
    }
}

void CopyProgress::failed(const std::string& table, const std::string& error, const std::string& remedy) {
    const std::lock_guard lock(m_mutex);
    ++m_tablesFailed;
    if (m_failures.size() < MOST_FAILURES) {
        m_failures.push_back({table, error, remedy});
    }
}

double CopyProgress::doneNow() const {
    double done = m_doneBytes;
    for (const Running& running : m_running) {
        done += std::min(running.bytes, running.total);
    }
    return std::min(done, m_totalBytes);
}

void CopyProgress::tell(CopyState& state) {
    const std::lock_guard lock(m_mutex);
    state.tablesTotal = static_cast<int>(m_tables.size());
    state.tablesDone = m_tablesDone;
    state.tablesFailed = m_tablesFailed;
    state.bytesTotal = m_totalBytes;
    state.bytesDone = doneNow();
    state.rowsDone = m_rows;
    state.failures = m_failures;
    state.running.clear();
    for (const Running& running : m_running) {
        state.rowsDone += running.rows;
        if (!running.table.empty()) {
            state.running.push_back({running.table, running.bytes, running.total, running.rows});
        }
    }
    const auto now = std::chrono::steady_clock::now();
    m_samples.push_back({now, m_streamed, state.bytesDone});
    while (m_samples.size() > 2 && secondsBetween(m_samples.front().at, now) > RATE_SECONDS) {
        m_samples.pop_front();
    }
    const double span = secondsBetween(m_samples.front().at, now);
    state.bytesPerSecond.reset();
    state.etaSeconds.reset();
    if (span > 0.5) {
        state.bytesPerSecond = (m_streamed - m_samples.front().streamed) / span;
        const double pace = (state.bytesDone - m_samples.front().done) / span;
        if (pace > 0) {
            state.etaSeconds = (m_totalBytes - state.bytesDone) / pace;
        }
    }
}

Json CopyProgress::takeFinished() {
    const std::lock_guard lock(m_mutex);
    Json batch = Json::array();
    while (!m_finished.empty() && batch.size() < BATCH) {
        batch.push_back(std::move(m_finished.front()));
        m_finished.pop_front();
    }
    return batch;
}

} // namespace tealdeck
