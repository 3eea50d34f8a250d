// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"
#include "app/lab/load_history.h"

#include <atomic>
#include <map>
#include <memory>
#include <thread>

namespace tealdeck {

struct LoadOptions {
    double seconds = 0;     ///< 0: until stopped
    int clients = 8;        ///< threads; each has its own connections
    double rate = 0;        ///< operations a second of all clients together; 0: each as fast as answers come
    int readShare = 50;     ///< percent of the operations that read
    std::string straightTo; ///< blue or green: writes go to that primary itself, past the poolers, as a forgotten application's would
    std::string history;    ///< file; empty: none
    std::string untilFile;  ///< stops when this file appears
};

struct LoadLatency {
    double p50 = 0, p95 = 0, p99 = 0, max = 0; ///< milliseconds
};

/// A time without any acknowledged write.
struct LoadGap {
    std::int64_t startNs = 0; ///< monotonic; the last acknowledgement before it
    double ms = 0;
};

struct LoadReport {
    double seconds = 0;
    std::int64_t startNs = 0;
    std::int64_t startWallUs = 0;
    std::uint64_t writes = 0; ///< acknowledged
    std::uint64_t reads = 0;
    std::uint64_t failed = 0;  ///< operations that had no effect for sure
    std::uint64_t unknown = 0; ///< operations that may have had one
    std::uint64_t reconnects = 0;
    LoadLatency writeLatency;
    LoadLatency readLatency;
    LoadGap longestGap;
    std::vector<LoadGap> gaps;                   ///< those above 20 ms, in order of time
    std::map<std::string, std::uint64_t> errors; ///< by SQLSTATE
    std::map<std::string, std::string> examples; ///< a message for each SQLSTATE
    std::map<std::string, std::uint64_t> writesBySide;
    std::map<std::string, std::uint64_t> readsBySide;

    [[nodiscard]] std::uint64_t errorCount() const;
    [[nodiscard]] Json toJson() const;
};

/// What one client thread gathered; merged when all have ended.
struct LoadTally {
    std::vector<std::int64_t> acknowledgedNs;
    std::vector<float> writeMs;
    std::vector<float> readMs;
    LoadReport counts;
};

/// Percentiles, gaps and sums from the clients' tallies.
LoadReport mergeTallies(const std::vector<LoadTally>& tallies, std::int64_t startNs, std::int64_t endNs);

/// Clients of a lab: shop_app writes through the poolers, shop_reader reads through the balancer, in all databases.
class LoadRun {
  public:
    LoadRun(LabState lab, LoadOptions options);
    ~LoadRun();
    LoadRun(const LoadRun&) = delete;
    LoadRun& operator=(const LoadRun&) = delete;

    Status start();
    /// Asks the clients to end; an operation on its way has 5 s, then it is "unknown".
    void stop() { m_stop = true; }
    /// True when the time is over, the file appeared or stop was asked for.
    [[nodiscard]] bool shouldEnd() const;
    /// Writes acknowledged until now.
    [[nodiscard]] std::uint64_t acknowledged() const { return m_acknowledged; }
    /// Waits for all clients and sums up; call once, after stop() or when shouldEnd().
    Result<LoadReport> finish();

  private:
    LabState m_lab;
    LoadOptions m_options;
    LoadHistory m_history;
    std::atomic<bool> m_stop{false};
    std::atomic<std::uint64_t> m_acknowledged{0};
    std::vector<LoadTally> m_tallies;
    std::vector<std::thread> m_threads;
    std::int64_t m_startNs = 0;
    std::int64_t m_startWallUs = 0;
};

} // namespace tealdeck
