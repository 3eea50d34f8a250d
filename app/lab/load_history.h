// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/result.h"

#include <cstdint>
#include <mutex>
#include <string>

namespace tealdeck {

/// Nanoseconds of CLOCK_MONOTONIC: comparable between all processes of this machine until it restarts.
std::int64_t monotonicNs();

/// One event of a client, a line of the history.
struct LoadEvent {
    const char* op = "write";     ///< write or read
    const char* event = "invoke"; ///< invoke, ok, fail or unknown
    int client = 0;
    std::int64_t n = 0;
    std::string database;
    std::int64_t timeNs = 0;
    std::int64_t id = 0; ///< sequence value that came back; of a read the newest one; 0: none
    int port = 0;        ///< of the server that answered
    std::string side;
    std::string systemIdentifier;
    int rows = -1; ///< of a read
    std::string sqlstate;
    std::string error;
};

/// A history file of JSON lines that many threads append to through large buffers.
class LoadHistory {
  public:
    LoadHistory() = default;
    ~LoadHistory();
    LoadHistory(const LoadHistory&) = delete;
    LoadHistory& operator=(const LoadHistory&) = delete;

    /// Opens the file for appending; an empty name means that nothing is kept.
    Status open(const std::string& file);
    [[nodiscard]] bool isOpen() const { return m_fd >= 0; }
    void append(const std::string& lines);
    /// The first failure of writing, if any.
    Status close();

    static std::string line(const LoadEvent& event);

  private:
    int m_fd = -1;
    int m_failure = 0;
    std::string m_file;
    std::mutex m_mutex;
};

} // namespace tealdeck
