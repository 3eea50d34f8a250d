// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/verify/progress_log.h"

#include "core/util/files.h"

#include <fcntl.h>
#include <sstream>

namespace tealdeck::verify {
namespace {

constexpr std::size_t LARGEST = std::size_t{256} << 20;

} // namespace

ProgressLog::ProgressLog(std::filesystem::path file, const std::string& scope, std::int64_t nowWallUs, double validHours, bool afresh)
    : m_path(std::move(file)) {
    const Result<std::string> text = afresh ? Result<std::string>(Error{}) : readFile(m_path, LARGEST);
    std::istringstream lines(text.ok() ? *text : std::string());
    std::string line;
    std::getline(lines, line);
    const Json head = parseJson(line).value_or(Json::object());
    const double hours = static_cast<double>(nowWallUs - member<std::int64_t>(head, "wall_us", 0)) / 3600e6;
    const bool usable = member<std::string>(head, "scope", "") == scope && hours >= -0.1 && hours < validHours;
    // A last line that was cut off is no JSON and counts for nothing.
    while (usable && std::getline(lines, line)) {
        const Json json = parseJson(line).value_or(Json::object());
        const std::pair key(member<std::string>(json, "database", ""), member<std::string>(json, "table", ""));
        if (json.contains("result")) {
            m_finished[key] = tableComparisonFromJson(json);
        } else if (const Json upTo = member(json, "up_to", Json::array()); upTo.is_array() && !upTo.empty()) {
            Beginning& b = m_beginnings[key];
            b.upTo.clear();
            for (const Json& part : upTo) {
                b.upTo.push_back(part.is_string() ? part.get<std::string>() : std::string());
            }
            b.rows = member<std::int64_t>(json, "rows", 0);
        }
    }
    const int fd = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (usable ? 0 : O_TRUNC), 0600);
    m_file.reset(fd < 0 ? nullptr : ::fdopen(fd, "a"));
    if (!usable) {
        write({{"scope", scope}, {"wall_us", nowWallUs}});
    } else {
        write(Json::object()); // ends a line that was cut off
    }
}

std::optional<TableComparison> ProgressLog::finished(const std::string& database, const std::string& table) const {
    const auto it = m_finished.find({database, table});
    return it == m_finished.end() ? std::nullopt : std::optional(it->second);
}

std::optional<ProgressLog::Beginning> ProgressLog::beginning(const std::string& database, const std::string& table) const {
    const auto it = m_beginnings.find({database, table});
    return it == m_beginnings.end() ? std::nullopt : std::optional(it->second);
}

void ProgressLog::tableDone(const TableComparison& table) {
    if (table.result == "equal") {
        write(toJson(table));
    }
}

void ProgressLog::chunkDone(const std::string& database, const std::string& table, const Beginning& b, const std::string& lsn,
                            std::int64_t wallUs) {
    write({{"database", database}, {"table", table}, {"up_to", b.upTo}, {"rows", b.rows}, {"lsn", lsn}, {"wall_us", wallUs}});
}

void ProgressLog::end() {
    const std::lock_guard lock(m_mutex);
    m_file.reset();
    std::error_code none;
    std::filesystem::remove(m_path, none);
}

void ProgressLog::write(const Json& line) {
    const std::lock_guard lock(m_mutex);
    if (m_file) {
        std::fprintf(m_file.get(), "%s\n", dumpJson(line).c_str());
        std::fflush(m_file.get());
    }
}

} // namespace tealdeck::verify
