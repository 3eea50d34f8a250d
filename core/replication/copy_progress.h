// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/copy_state.h"
#include "core/replication/copy_tables.h"

#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace tealdeck {

/// Counts what the threads copy, and tells it in the words of CopyState. Safe from any thread.
class CopyProgress {
  public:
    /// The tables with the number of their parts; what is recorded as done already is told by partDone().
    void begin(const std::vector<CopyTable>& tables, const std::vector<CopyGroup>& groups, int workers);

    void partBegins(int worker, const std::string& table, const CopyPart& part);
    void moved(int worker, std::size_t bytes, long rows);
    /// Ended without success: what it moved does not count.
    void partLost(int worker);
    void partDone(int worker, const CopyPart& part, long rows);
    void failed(const std::string& table, const std::string& error, const std::string& remedy);

    /// Fills in the counts, the rate of the last seconds and the time to go.
    void tell(CopyState& state);
    /// Tables that ended since the last call: [[table, rows, bytes, ms], …], at most 500; empty when there are none.
    Json takeFinished();

  private:
    using Time = std::chrono::steady_clock::time_point;
    struct Table {
        std::string name;
        int partsLeft = 0;
        double bytes = 0;
        double rows = 0;
        Time begun;
    };
    struct Running {
        std::string table; ///< empty: the thread is between two
        double bytes = 0;
        double total = 0;
        double rows = 0;
    };
    struct Sample {
        Time at;
        double streamed;
        double done;
    };
    [[nodiscard]] double doneNow() const;

    std::mutex m_mutex;
    std::vector<Table> m_tables;
    std::vector<Running> m_running;
    std::vector<CopyFailure> m_failures;
    std::deque<Json> m_finished;
    std::deque<Sample> m_samples;
    int m_tablesDone = 0;
    int m_tablesFailed = 0;
    double m_doneBytes = 0; ///< sizes on blue of the parts that ended
    double m_totalBytes = 0;
    double m_streamed = 0;
    double m_rows = 0;
};

} // namespace tealdeck
