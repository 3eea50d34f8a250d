// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/copy_state.h"

#include "core/util/size_text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

template <class T, class Read>
std::vector<T> listOf(const Json& json, const char* key, Read read) {
    std::vector<T> list;
    const Json found = member(json, key, Json::array());
    if (found.is_array()) {
        for (const Json& item : found) {
            list.push_back(read(item));
        }
    }
    return list;
}

} // namespace

CopyState copyFromJson(const Json& j) {
    CopyState c;
    c.database = member<std::string>(j, "database", "");
    c.strategy = member<std::string>(j, "strategy", "");
    c.reason = member<std::string>(j, "reason", "");
    c.state = member<std::string>(j, "state", "");
    c.detail = member<std::string>(j, "detail", "");
    c.tablesDone = member<int>(j, "tables_done", 0);
    c.tablesTotal = member<int>(j, "tables_total", 0);
    c.tablesFailed = member<int>(j, "tables_failed", 0);
    c.bytesDone = member<double>(j, "bytes_done", 0);
    c.bytesTotal = member<double>(j, "bytes_total", 0);
    c.rowsDone = member<double>(j, "rows_done", 0);
    c.connections = member<int>(j, "connections", 0);
    c.bytesPerSecond = optionalNumber(j, "bytes_per_second");
    c.etaSeconds = optionalNumber(j, "eta_seconds");
    c.retainedBytes = optionalNumber(j, "retained_bytes");
    c.running = listOf<CopyTableState>(j, "running", [](const Json& t) {
        return CopyTableState{member<std::string>(t, "table", ""), member<double>(t, "bytes", 0), member<double>(t, "bytes_total", 0),
                              member<double>(t, "rows", 0)};
    });
    c.failures = listOf<CopyFailure>(j, "failures", [](const Json& f) {
        return CopyFailure{member<std::string>(f, "table", ""), member<std::string>(f, "error", ""), member<std::string>(f, "remedy", "")};
    });
    c.startedUs = member<std::int64_t>(j, "started_us", 0);
    c.sampledUs = member<std::int64_t>(j, "sampled_us", 0);
    return c;
}

Json toJson(const CopyState& c) {
    Json running = Json::array();
    for (const CopyTableState& t : c.running) {
        running.push_back({{"table", t.table}, {"bytes", t.bytes}, {"bytes_total", t.bytesTotal}, {"rows", t.rows}});
    }
    Json failures = Json::array();
    for (const CopyFailure& f : c.failures) {
        failures.push_back({{"table", f.table}, {"error", f.error}, {"remedy", f.remedy}});
    }
    return {{"database", c.database},
            {"strategy", c.strategy},
            {"reason", c.reason},
            {"state", c.state},
            {"detail", c.detail},
            {"tables_done", c.tablesDone},
            {"tables_total", c.tablesTotal},
            {"tables_failed", c.tablesFailed},
            {"bytes_done", c.bytesDone},
            {"bytes_total", c.bytesTotal},
            {"rows_done", c.rowsDone},
            {"connections", c.connections},
            {"bytes_per_second", orNull(c.bytesPerSecond)},
            {"eta_seconds", orNull(c.etaSeconds)},
            {"retained_bytes", orNull(c.retainedBytes)},
            {"running", running},
            {"failures", failures},
            {"started_us", c.startedUs},
            {"sampled_us", c.sampledUs}};
}

std::string copyText(const CopyState& c) {
    std::string text = fmt::format("{} of {} tables", c.tablesDone, c.tablesTotal);
    if (c.bytesDone > 0 || c.bytesTotal > 0) {
        text += ", " + sizeText(c.bytesDone) + (c.bytesTotal > 0 ? fmt::format(" of about {}", sizeText(c.bytesTotal)) : "");
    }
    if (c.bytesPerSecond) {
        text += fmt::format(", {}/s", sizeText(*c.bytesPerSecond));
    }
    if (c.etaSeconds) {
        text += fmt::format(", about {:.0f} s to go", *c.etaSeconds);
    }
    if (c.tablesFailed > 0) {
        text += fmt::format(", {} failed", c.tablesFailed);
    }
    return text;
}

} // namespace tealdeck
