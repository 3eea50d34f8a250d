// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/manual.h"

#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr double HOUR_US = 3600e6;
constexpr const char* PREFIX = "MAN/";

bool belongsTo(const ManualItem& item, const CheckContext& context) {
    if (context.moment == CheckMoment::BeforeReplication) {
        return item.before == "replicate";
    }
    return item.before == (context.direction == Direction::Forward ? "cutover" : "rollback");
}

Severity severityOf(const ManualItem& item) {
    return item.severity == "info" ? Severity::Info : item.severity == "warning" ? Severity::Warning : Severity::Blocking;
}

CheckAnswer answerOf(const ManualItem& item, const SignedItems& items, std::int64_t nowWallUs) {
    const auto it = items.find(item.id);
    if (it == items.end() || it->second.question != item.question) {
        return CheckAnswer::unknown(it == items.end() ? "Nobody has signed it off." : "The question has changed since it was signed off.");
    }
    const SignedItem& word = it->second;
    const std::string by =
        fmt::format("signed off by {}{}{}", plainText(word.by, 80), word.reason.empty() ? "" : ": ", plainText(word.reason, 200));
    const double hours = static_cast<double>(nowWallUs - word.wallUs) / HOUR_US;
    // A clock that was set back makes no sign-off younger than it is allowed to be.
    if (item.validHours > 0 && (hours > item.validHours || hours < -0.1)) {
        return CheckAnswer::unknown(fmt::format("{}, more than {} hours ago", by, item.validHours));
    }
    return CheckAnswer::pass(by);
}

} // namespace

std::vector<CheckState> manualChecks(const Plan& plan, const CheckContext& context, const SignedItems& items, std::int64_t nowWallUs,
                                     std::int64_t nowUs) {
    std::vector<CheckState> lines;
    for (const ManualItem& item : plan.manualItems) {
        if (!belongsTo(item, context)) {
            continue;
        }
        const CheckAnswer answer = answerOf(item, items, nowWallUs);
        CheckState line;
        line.id = PREFIX + item.id;
        line.family = "manual";
        line.severity = severityOf(item);
        line.question = item.question;
        line.why = item.why;
        line.expected = "a sign-off by name";
        line.actual = answer.actual;
        line.fix = item.fix;
        line.source = "the checklist that the plan names";
        line.result = answer.result;
        line.evaluatedUs = nowUs;
        line.validForUs = std::int64_t{300} * 1000000;
        lines.push_back(std::move(line));
    }
    return lines;
}

const ManualItem* manualItem(const Plan& plan, const std::string& name) {
    const std::string id = name.rfind(PREFIX, 0) == 0 ? name.substr(4) : name;
    const auto it = std::find_if(plan.manualItems.begin(), plan.manualItems.end(), [&](const ManualItem& item) { return item.id == id; });
    return it == plan.manualItems.end() ? nullptr : &*it;
}

Json toJson(const SignedItems& items) {
    Json list = Json::array();
    for (const auto& [id, item] : items) {
        list.push_back({{"item", id}, {"by", item.by}, {"reason", item.reason}, {"question", item.question}, {"wall_us", item.wallUs}});
    }
    return list;
}

SignedItems signedItemsFromJson(const Json& json) {
    SignedItems items;
    for (const Json& entry : json.is_array() ? json : Json::array()) {
        const std::string id = entry.is_object() ? member<std::string>(entry, "item", "") : "";
        if (!id.empty()) {
            items[id] = {member<std::string>(entry, "by", ""), member<std::string>(entry, "reason", ""),
                         member<std::string>(entry, "question", ""), member<std::int64_t>(entry, "wall_us", 0)};
        }
    }
    return items;
}

} // namespace tealdeck
