// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/comparison.h"
#include "core/verify/compare_sql.h"

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace tealdeck::verify {

/// What a comparison has behind it, line by line in a file of the engine's folder, so that the next one can go on after a stop or a death.
/// Only equal tables and equal beginnings of tables are kept, each with the position of the log at which it was seen.
class ProgressLog {
  public:
    struct Beginning {
        Key upTo;
        std::int64_t rows = 0;
    };
    /// `scope` tells comparisons apart that must not go on from each other. A file of another scope, or older than the given age, is not
    /// used.
    ProgressLog(std::filesystem::path file, const std::string& scope, std::int64_t nowWallUs, double validHours, bool afresh);

    [[nodiscard]] std::optional<TableComparison> finished(const std::string& database, const std::string& table) const;
    [[nodiscard]] std::optional<Beginning> beginning(const std::string& database, const std::string& table) const;
    [[nodiscard]] bool resumed() const { return !m_finished.empty() || !m_beginnings.empty(); }
    void tableDone(const TableComparison& table);
    void chunkDone(const std::string& database, const std::string& table, const Beginning& beginning, const std::string& lsn,
                   std::int64_t wallUs);
    /// The comparison has come to its end: there is nothing to go on from.
    void end();

  private:
    void write(const Json& line);
    std::filesystem::path m_path;
    std::mutex m_mutex;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> m_file{nullptr, &std::fclose};
    std::map<std::pair<std::string, std::string>, TableComparison> m_finished;
    std::map<std::pair<std::string, std::string>, Beginning> m_beginnings;
};

} // namespace tealdeck::verify
