// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/plan/plan_extras.h"

#include "core/util/files.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::size_t LARGEST_CHECKLIST = std::size_t{1} << 20;

/// "2026-11-20T08:00:00Z" in microseconds; std::nullopt for anything else.
std::optional<std::int64_t> wallTime(const std::string& text) {
    std::tm t{};
    char zone = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c%c", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &zone,
                    &rest) != 7 ||
        zone != 'Z' || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 || t.tm_hour > 23 || t.tm_min > 59 ||
        t.tm_sec > 59) {
        return std::nullopt;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return std::int64_t{1000000} * ::timegm(&t);
}

void requireClass(PlanTable& table, const CostPlan& cost, const Endpoint& server, const char* side) {
    const bool known =
        std::any_of(cost.classes.begin(), cost.classes.end(), [&](const InstanceClass& priced) { return priced.name == server.instance; });
    if (!server.instance.empty() && !known) {
        table.problem("classes", fmt::format("has no \"{}\", which {} {} is", shownText(server.instance), side, server.name),
                      "Add a [[cost.classes]] with that name.");
    }
}

/// A text of the checklist that must be one of a few words.
std::string oneOf(PlanTable& table, const char* key, const std::vector<std::string>& words, const std::optional<std::string>& fallback) {
    std::string text = table.text(key, TextRule::Word, fallback);
    if (std::find(words.begin(), words.end(), text) == words.end()) {
        std::string list;
        for (const std::string& word : words) {
            list += (list.empty() ? "" : ", ") + word;
        }
        table.problem(key, fmt::format("must be one of {}, not \"{}\"", list, shownText(text)), "Correct the value.");
    }
    return text;
}

std::vector<ManualItem> readItems(PlanTable& root) {
    std::vector<ManualItem> items;
    for (PlanTable& table : root.tables("item")) {
        ManualItem item;
        item.id = table.text("id", TextRule::Word);
        item.question = table.text("question", TextRule::Free);
        item.before = oneOf(table, "before", {"replicate", "cutover", "rollback"}, std::nullopt);
        item.severity = oneOf(table, "severity", {"blocking", "warning", "info"}, item.severity);
        item.why = table.text("why", TextRule::Free, "The operator's checklist asks for it.");
        item.fix = table.text("fix", TextRule::Free, "Do what is asked, then sign the item off.");
        item.validHours = table.number("valid_hours", 0, 24 * 365, 0);
        table.refuseOtherKeys();
        if (std::any_of(items.begin(), items.end(), [&](const ManualItem& other) { return other.id == item.id; })) {
            table.problem("id", fmt::format("\"{}\" names two items", item.id), "Give each item its own id.");
        }
        items.push_back(std::move(item));
    }
    root.refuseOtherKeys();
    if (items.empty()) {
        root.problem("item", "is missing", "Add at least one [[item]] with id, question and before.");
    }
    return items;
}

/// The file's items, or what is wrong with it.
Result<std::vector<ManualItem>> readFileOfItems(const std::string& path) {
    const Result<std::string> text = readFile(path, LARGEST_CHECKLIST);
    if (!text) {
        return text.error();
    }
    PlanProblems problems(path);
    toml::table parsed;
    try {
        parsed = toml::parse(std::string_view(*text));
    } catch (const toml::parse_error& e) {
        problems.add(e.source().begin.line, "the text", fmt::format("is not TOML: {}", shownText(e.description())),
                     "Correct the line; texts stand in double quotes.");
        return *problems.first();
    }
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    PlanTable root(&parsed, "", 1, folder, problems);
    std::vector<ManualItem> items = readItems(root);
    if (problems.first()) {
        return *problems.first();
    }
    return items;
}

} // namespace

void readCost(PlanTable& root, Plan& plan) {
    PlanTable table = root.table("cost", false);
    CostPlan& cost = plan.cost;
    if (table.present()) {
        cost.currency = table.text("currency", TextRule::Free);
        cost.storageGbMonth = table.number("storage_gb_month", 0, 1e6, 0);
        cost.expectedDays = table.number("expected_days", 0, 3650, cost.expectedDays);
        const std::string since = table.text("since", TextRule::Free, "");
        if (const auto time = wallTime(since); time) {
            cost.sinceWallUs = *time;
        } else if (!since.empty()) {
            table.problem("since", fmt::format("must be a time such as 2026-11-20T08:00:00Z, not \"{}\"", shownText(since)),
                          "Write it in UTC.");
        }
        for (PlanTable& entry : table.tables("classes")) {
            InstanceClass priced;
            priced.name = entry.text("name", TextRule::Free);
            priced.perHour = entry.number("per_hour", 0, 1e6, 0);
            priced.cpus = entry.number("cpus", 0, 1e5, 0);
            priced.memoryGb = entry.number("memory_gb", 0, 1e6, 0);
            entry.refuseOtherKeys();
            cost.classes.push_back(std::move(priced));
        }
        table.refuseOtherKeys();
        for (const Side side : {Side::Blue, Side::Green}) {
            requireClass(table, cost, plan.side(side).primary, sideName(side));
            for (const Endpoint& replica : plan.side(side).replicas) {
                requireClass(table, cost, replica, sideName(side));
            }
        }
    }
}

void readChecklist(PlanTable& root, Plan& plan) {
    PlanTable table = root.table("checklist", false);
    if (!table.present()) {
        return;
    }
    const std::string path = table.text("file", TextRule::Path);
    table.refuseOtherKeys();
    if (path.empty()) {
        return; // already a problem
    }
    Result<std::vector<ManualItem>> items = readFileOfItems(path);
    if (!items) {
        table.problem("file", fmt::format("can't be used: {}", items.error().message), items.error().remedy);
        return;
    }
    plan.manualItems = std::move(*items);
}

void readVerify(PlanTable& root, Plan& plan) {
    PlanTable table = root.table("verify", false);
    VerifyPlan& v = plan.verify;
    v.connections = static_cast<int>(table.whole("connections", 1, 64, v.connections));
    v.rowsPerSecond = table.number("rows_per_second", 0, 1e12, v.rowsPerSecond);
    v.chunkRows = static_cast<int>(table.whole("chunk_rows", 1000, 10'000'000, v.chunkRows));
    v.lock = Millis(table.whole("lock_ms", 0, 60'000, v.lock.count()));
    v.required = table.truth("required", v.required);
    v.validHours = table.number("valid_hours", 0.01, 24 * 365, v.validHours);
    table.refuseOtherKeys();
    PlanTable drift = root.table("drift", false);
    plan.drift.guard = drift.truth("guard", plan.drift.guard);
    drift.refuseOtherKeys();
}

} // namespace tealdeck
