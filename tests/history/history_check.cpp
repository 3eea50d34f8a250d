// SPDX-License-Identifier: GPL-3.0-or-later
// Decides from the histories of `tealctl lab load` and the final databases whether a switch kept its promises.
#include "tests/support/history.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <libpq-fe.h>

namespace {

using namespace tealdeck;

Result<std::vector<FinalRow>> rowsOfConninfo(const std::string& conninfo) {
    char* message = nullptr;
    PQconninfoOption* options = PQconninfoParse(conninfo.c_str(), &message);
    if (options == nullptr) {
        const std::string reason = message == nullptr ? "" : message;
        PQfreemem(message);
        return Error{Error::Kind::Invalid, fmt::format("--final: neither a lab's folder nor a connection: {}", reason), {}, {}};
    }
    std::map<std::string, std::string> connection;
    for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            connection[option->keyword] = option->val;
        }
    }
    PQconninfoFree(options);
    return readFinalRows(connection, connection["dbname"]);
}

int fail(const Error& error) {
    fmt::print(stderr, "history_check: {}\n", error.text());
    return error.kind == Error::Kind::Invalid ? 2 : 1;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> histories;
    std::vector<std::string> finals;
    HistoryRules rules;
    CLI::App app("Checks histories against the final databases; exit code 1 when a promise was broken");
    app.add_option("--history", histories, "History files of `tealctl lab load`")->required();
    app.add_option("--final", finals, "Folder of the lab, or a connection string for each database")->required();
    app.add_option("--side", rules.finalSide, "The side that is production at the end")
        ->required()
        ->check(CLI::IsMember({"blue", "green"}));
    app.add_option("--switches", rules.switches, "How often production changed sides, if known");
    app.add_option("--shortest-period-ms", rules.shortestPeriodMs, "A side that answered for a shorter time was a second writer");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    std::vector<HistoryWrite> writes;
    for (const std::string& file : histories) {
        if (Status read = readHistory(file, writes); !read) {
            return fail(read.error());
        }
    }
    std::vector<FinalRow> rows;
    for (const std::string& final : finals) {
        Result<std::vector<FinalRow>> found =
            std::filesystem::is_directory(final) ? readFinalRowsOfLab(final, rules.finalSide) : rowsOfConninfo(final);
        if (!found) {
            return fail(found.error());
        }
        rows.insert(rows.end(), found->begin(), found->end());
    }
    const HistoryVerdict verdict = checkHistory(writes, rows, rules);
    fmt::print("{}\n", dumpJson(verdict.toJson()));
    return verdict.ok() ? 0 : 1;
}
