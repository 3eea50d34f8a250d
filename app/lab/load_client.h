// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/load_connection.h"
#include "app/lab/load_run.h"
#include "app/lab/write_path.h"

#include <random>

namespace tealdeck {

/// One thread's worth of a load run.
class LoadClient {
  public:
    struct Shared {
        const LabState& lab;
        const LoadOptions& options;
        const std::atomic<bool>& stop;
        std::atomic<std::uint64_t>& acknowledged;
        LoadHistory& history;
    };
    /// The number tells the client from all others of this and of other runs; the index spreads clients over poolers.
    LoadClient(const Shared& shared, int number, int index, LoadTally& tally);
    void run();

  private:
    void write();
    void read();
    /// The statements of one write; sets committing when the outcome of a loss is unknown from there on.
    LoadReply writeOnce(LoadConnection& connection, const std::string& database, bool& committing, LoadEvent& event);
    LoadReply insertRow(LoadConnection& connection, LoadEvent& event);
    std::vector<std::string> otherStatements(const std::string& database, int kind);
    LoadReply connect(LoadConnection& connection, const std::map<std::string, std::string>& parameters, bool& everOpen);
    void note(const LoadEvent& event);
    void failed(LoadEvent& event, const LoadReply& reply, bool unknown);
    void backOff();
    int random(int below) { return static_cast<int>(m_random() % static_cast<unsigned>(below)); }

    struct Target {
        std::string database;
        LoadConnection connection;
        bool everOpen = false;
        std::int64_t openedNs = 0; ///< of a reader
        std::map<std::string, std::string> parameters;
    };
    Shared m_shared;
    int m_number;
    LoadTally& m_tally;
    WritePath m_path;
    std::minstd_rand m_random;
    std::vector<std::unique_ptr<Target>> m_writers;
    std::vector<std::unique_ptr<Target>> m_readers;
    std::int64_t m_writes = 0;
    std::int64_t m_reads = 0;
    std::string m_lines;
};

} // namespace tealdeck
