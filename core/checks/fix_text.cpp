// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/fix_text.h"

#include "core/util/text.h"

#include <fmt/format.h>
#include <set>
#include <sstream>

namespace tealdeck {
namespace {

constexpr std::size_t SHOWN_STATEMENTS = 20;
constexpr std::size_t LONGEST_STATEMENT = 4000;

std::string place(Side side, const std::string& database) {
    return fmt::format("-- on {}, database {}:", sideName(side), plainText(database, 200));
}

/// The statement as one line, or a comment instead of it.
std::string shownStatement(const std::string& sql) {
    const std::string shown = plainText(sql, LONGEST_STATEMENT);
    return shown == sql ? sql : "-- a name in it holds characters that can't be shown; write it by hand: " + shown;
}

} // namespace

std::string composeFix(const std::string& sentence, const std::vector<FixStatement>& statements, Side side, const std::string& database) {
    if (statements.empty()) {
        return sentence;
    }
    std::string text = "-- " + sentence;
    std::string here;
    std::set<std::string> told;
    std::size_t left = 0;
    for (const FixStatement& s : statements) {
        const std::string where = place(s.side.value_or(side), s.database.empty() ? database : s.database);
        if (!told.insert(where + s.sql).second) {
            continue; // several findings, one remedy
        }
        if (told.size() > SHOWN_STATEMENTS) {
            ++left;
            continue;
        }
        text += where == here ? "" : "\n" + where;
        here = where;
        text += "\n" + shownStatement(s.sql);
    }
    return left == 0 ? text : text + fmt::format("\n-- and {} more; check again after these", left);
}

std::vector<FixBlock> fixBlocks(const std::string& fix) {
    std::vector<FixBlock> blocks;
    std::istringstream lines(fix);
    for (std::string line; std::getline(lines, line);) {
        const std::string blue = "-- on blue, database ";
        const std::string green = "-- on green, database ";
        if (line.rfind(blue, 0) == 0 || line.rfind(green, 0) == 0) {
            const bool isBlue = line.rfind(blue, 0) == 0;
            const std::string rest = line.substr(isBlue ? blue.size() : green.size());
            blocks.push_back({isBlue ? Side::Blue : Side::Green, rest.substr(0, rest.size() - 1), ""});
        } else if (!blocks.empty() && line.rfind("--", 0) != 0) {
            blocks.back().sql += line + "\n";
        }
    }
    return blocks;
}

} // namespace tealdeck
