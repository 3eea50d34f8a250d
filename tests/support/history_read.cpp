// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/lab_state.h"
#include "app/lab/sql_client.h"
#include "tests/support/history.h"

#include <fmt/format.h>
#include <fstream>
#include <limits>
#include <tuple>

namespace tealdeck {
namespace {

using Key = std::tuple<std::string, int, std::int64_t>;

HistoryWrite invoked(const Json& line, const Key& key) {
    HistoryWrite write;
    std::tie(write.database, write.client, write.n) = key;
    write.invokeNs = member<std::int64_t>(line, "t_ns", 0);
    write.endNs = std::numeric_limits<std::int64_t>::max();
    return write;
}

void ended(const Json& line, const std::string& event, HistoryWrite& write) {
    write.endNs = member<std::int64_t>(line, "t_ns", 0);
    write.outcome = event == "ok"     ? HistoryWrite::Outcome::Ok
                    : event == "fail" ? HistoryWrite::Outcome::Fail
                                      : HistoryWrite::Outcome::Unknown;
    write.id = member<std::int64_t>(line, "id", 0);
    write.side = member<std::string>(line, "side", {});
}

} // namespace

Status readHistory(const std::filesystem::path& file, std::vector<HistoryWrite>& writes) {
    std::ifstream in(file);
    if (!in) {
        return Error{Error::Kind::Invalid, fmt::format("--history: cannot open {}.", file.string()), {}, {}};
    }
    std::map<Key, std::size_t> open;
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
        const bool last = in.eof();
        const std::optional<Json> line = parseJson(text);
        if (!line && last) {
            break;
        }
        if (!line) {
            return Error{Error::Kind::Invalid, fmt::format("{}:{}: not a JSON object.", file.string(), number), {}, {}};
        }
        if (member<std::string>(*line, "op", {}) != "write") {
            continue;
        }
        const Key key{member<std::string>(*line, "database", {}), member<int>(*line, "client", 0), member<std::int64_t>(*line, "n", 0)};
        const std::string event = member<std::string>(*line, "event", {});
        if (event == "invoke") {
            open[key] = writes.size();
            writes.push_back(invoked(*line, key));
            continue;
        }
        const auto found = open.find(key);
        if (found == open.end()) {
            return Error{
                Error::Kind::Invalid, fmt::format("{}:{}: an answer to a write that was never asked for.", file.string(), number), {}, {}};
        }
        ended(*line, event, writes[found->second]);
        open.erase(found);
    }
    return {};
}

Result<std::vector<FinalRow>> readFinalRows(const std::map<std::string, std::string>& connection, const std::string& database) {
    Result<SqlClient> sql = SqlClient::connect(connection);
    if (!sql) {
        return sql.error();
    }
    Result<SqlClient::Rows> rows = sql->query("select client, n, id from public.load_write");
    if (!rows) {
        return rows.error();
    }
    std::vector<FinalRow> found;
    found.reserve(rows->size());
    for (const std::vector<std::string>& row : *rows) {
        found.push_back({database, std::stoi(row[0]), std::stoll(row[1]), std::stoll(row[2])});
    }
    return found;
}

Result<std::vector<FinalRow>> readFinalRowsOfLab(const std::filesystem::path& dir, const std::string& side) {
    Result<LabState> lab = readLab(dir);
    if (!lab) {
        return lab.error();
    }
    const int port = lab->primary(side == "blue" ? Side::Blue : Side::Green).port;
    std::vector<FinalRow> all;
    for (const std::string& database : lab->databases) {
        Result<std::vector<FinalRow>> rows = readFinalRows(labConnection(*lab, port, "tealdeck", database), database);
        if (!rows) {
            return rows.error();
        }
        all.insert(all.end(), rows->begin(), rows->end());
    }
    return all;
}

} // namespace tealdeck
