// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/comparison.h"

#include "core/model/event.h"

#include <algorithm>

namespace tealdeck {
namespace {

constexpr std::size_t DRIFT_KEPT = 200;

/// Drops the oldest of those that the test takes until no more than the limit are left.
template <class T, class Test>
void keepNewest(std::vector<T>& list, std::size_t limit, Test takes) {
    auto count = static_cast<std::size_t>(std::count_if(list.begin(), list.end(), takes));
    for (; count > limit; --count) {
        list.erase(std::find_if(list.begin(), list.end(), takes));
    }
}

} // namespace

void applyComparison(ComparisonState& state, const Event& event) {
    const Json& body = event.body;
    if (body.contains("comparison")) {
        ComparisonState next = comparisonFromJson(member(body, "comparison", Json::object()));
        if (next.id == state.id) {
            next.list = std::move(state.list);
        }
        state = std::move(next);
        return;
    }
    TableComparison table = tableComparisonFromJson(member(body, "table", Json::object()));
    if (table.table.empty() || member<std::string>(body, "id", "") != state.id) {
        return;
    }
    const auto same = [&](const TableComparison& t) { return t.database == table.database && t.table == table.table; };
    state.list.erase(std::remove_if(state.list.begin(), state.list.end(), same), state.list.end());
    state.list.push_back(std::move(table));
    const auto isEqual = [](const TableComparison& t) { return t.result == "equal"; };
    keepNewest(state.list, ComparisonState::KEPT, isEqual);
    keepNewest(state.list, ComparisonState::KEPT, [&](const TableComparison& t) { return !isEqual(t); });
}

void applyDrift(std::vector<DriftState>& list, const Event& event) {
    DriftState drift = driftFromJson(event.body);
    if (drift.database.empty()) {
        return;
    }
    const auto it = std::find_if(list.begin(), list.end(), [&](const DriftState& d) {
        return d.id == drift.id && d.database == drift.database && d.side == drift.side;
    });
    if (it != list.end()) {
        *it = std::move(drift);
    } else {
        list.push_back(std::move(drift));
        keepNewest(list, DRIFT_KEPT, [](const DriftState&) { return true; });
    }
}

Json toJson(const TableComparison& t) {
    return {{"database", t.database},       {"table", t.table},   {"result", t.result}, {"mode", t.mode},
            {"method", t.method},           {"rows", t.rows},     {"lsn", t.lsn},       {"at_us", t.atUs},
            {"differences", t.differences}, {"detail", t.detail}, {"wall_us", t.wallUs}};
}

Json toJson(const ComparisonState& s, bool withList) {
    Json json = {{"id", s.id},
                 {"state", s.state},
                 {"mode", s.mode},
                 {"source", s.source},
                 {"complete", s.complete},
                 {"tables", s.tables},
                 {"equal", s.equal},
                 {"different", s.different},
                 {"undecided", s.undecided},
                 {"rows", s.rows},
                 {"differences", s.differences},
                 {"sequences", s.sequences},
                 {"sequences_behind", s.sequencesBehind},
                 {"sequences_missing", s.sequencesMissing},
                 {"lsn", s.lsn},
                 {"detail", s.detail},
                 {"started_us", s.startedUs},
                 {"ended_us", s.endedUs},
                 {"started_wall_us", s.startedWallUs},
                 {"ended_wall_us", s.endedWallUs}};
    if (withList) {
        json["list"] = Json::array();
        for (const TableComparison& table : s.list) {
            json["list"].push_back(toJson(table));
        }
    }
    return json;
}

Json toJson(const DriftState& d) {
    return {{"id", d.id},         {"database", d.database},   {"side", d.side}, {"tag", d.tag},
            {"object", d.object}, {"statement", d.statement}, {"who", d.who},   {"wall_us", d.wallUs},
            {"state", d.state},   {"detail", d.detail}};
}

TableComparison tableComparisonFromJson(const Json& j) {
    TableComparison t;
    t.database = member<std::string>(j, "database", "");
    t.table = member<std::string>(j, "table", "");
    t.result = member<std::string>(j, "result", "undecided");
    t.mode = member<std::string>(j, "mode", "");
    t.method = member<std::string>(j, "method", "");
    t.rows = member<std::int64_t>(j, "rows", 0);
    t.differences = member<std::int64_t>(j, "differences", 0);
    t.detail = member<std::string>(j, "detail", "");
    t.lsn = member<std::string>(j, "lsn", "");
    t.atUs = member<std::int64_t>(j, "at_us", 0);
    t.wallUs = member<std::int64_t>(j, "wall_us", 0);
    return t;
}

ComparisonState comparisonFromJson(const Json& j) {
    ComparisonState s;
    s.id = member<std::string>(j, "id", "");
    s.state = member<std::string>(j, "state", "none");
    s.mode = member<std::string>(j, "mode", "");
    s.source = member<std::string>(j, "source", "");
    s.complete = member<bool>(j, "complete", false);
    s.tables = member<int>(j, "tables", 0);
    s.equal = member<int>(j, "equal", 0);
    s.different = member<int>(j, "different", 0);
    s.undecided = member<int>(j, "undecided", 0);
    s.rows = member<std::int64_t>(j, "rows", 0);
    s.differences = member<std::int64_t>(j, "differences", 0);
    s.sequences = member<int>(j, "sequences", 0);
    s.sequencesBehind = member<int>(j, "sequences_behind", 0);
    s.sequencesMissing = member<int>(j, "sequences_missing", 0);
    s.lsn = member<std::string>(j, "lsn", "");
    s.detail = member<std::string>(j, "detail", "");
    s.startedUs = member<std::int64_t>(j, "started_us", 0);
    s.endedUs = member<std::int64_t>(j, "ended_us", 0);
    s.startedWallUs = member<std::int64_t>(j, "started_wall_us", 0);
    s.endedWallUs = member<std::int64_t>(j, "ended_wall_us", 0);
    const Json list = member(j, "list", Json::array());
    for (const Json& table : list.is_array() ? list : Json::array()) {
        s.list.push_back(tableComparisonFromJson(table));
    }
    return s;
}

DriftState driftFromJson(const Json& j) {
    DriftState d;
    d.id = member<std::int64_t>(j, "id", 0);
    d.database = member<std::string>(j, "database", "");
    d.side = member<std::string>(j, "side", "");
    d.tag = member<std::string>(j, "tag", "");
    d.object = member<std::string>(j, "object", "");
    d.statement = member<std::string>(j, "statement", "");
    d.who = member<std::string>(j, "who", "");
    d.wallUs = member<std::int64_t>(j, "wall_us", 0);
    d.state = member<std::string>(j, "state", "open");
    d.detail = member<std::string>(j, "detail", "");
    return d;
}

} // namespace tealdeck
