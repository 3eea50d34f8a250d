// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/stored.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tealdeck {

/// Looks for the rows of a recording in the bytes of a file that SQLite may refuse: page by page, wherever they lie, without its
/// trees. Formats of pages, cells and rows: https://www.sqlite.org/fileformat2.html. Nothing found here is worth anything until the
/// chain says so. The bytes must outlive the scan.
class PageScan {
  public:
    /// `log` are the bytes of the write-ahead log, or none.
    PageScan(std::string_view file, std::string_view log);

    /// user_version of the header, when there is a header.
    [[nodiscard]] std::optional<std::uint32_t> version() const;
    /// What may be meta and actors in a file of the version; of several rows with one key the one that was found last, or first.
    [[nodiscard]] Identity identity(std::uint32_t version, bool last) const;
    [[nodiscard]] std::size_t countAfter(std::uint64_t seq) const;
    /// Each row that may be the record, until the function returns true; true when it did.
    bool tryRecords(std::uint64_t seq, std::uint32_t version, const std::function<bool(const StoredRecord&)>& take) const;

  private:
    struct Cell {
        std::string_view page;
        std::size_t at; ///< of the length of the payload
    };
    struct Column {
        std::uint64_t type = 0; ///< SQLite's serial type
        std::string_view bytes;
    };
    void readLog(std::string_view log);
    void scanPage(std::string_view page);
    void keep(std::string_view page, std::size_t at, bool isIndex);
    [[nodiscard]] std::optional<std::string> payload(const Cell& cell, bool isIndex, bool logFirst) const;
    [[nodiscard]] std::string_view page(std::uint32_t number, bool logFirst) const;
    static std::optional<std::vector<Column>> columns(std::string_view payload);
    static std::optional<StoredText> textOf(const std::vector<Column>& row, std::size_t first, std::uint32_t version, std::size_t max);

    std::string_view m_file;
    std::map<std::uint32_t, std::string_view> m_logPages; ///< the newest of each in the log
    std::vector<Cell> m_metaCells;
    std::vector<std::pair<std::int64_t, Cell>> m_actorCells;
    std::map<std::uint64_t, std::vector<Cell>> m_records;
};

} // namespace tealdeck
