// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/report.h"

#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sstream>

namespace tealdeck {
namespace {

constexpr std::size_t NAMED = 8; ///< items of one reason that are named

void addFix(const std::string& fix, std::vector<std::string>& lines) {
    std::istringstream in(fix);
    for (std::string line; std::getline(in, line);) {
        lines.push_back("      " + plainText(line, 4000));
    }
}

void addCheck(const CheckState& check, std::int64_t nowUs, std::vector<std::string>& lines) {
    const char* mark = check.result == CheckResult::Fail ? "✗" : "?";
    const char* old = isStale(check, nowUs) ? " (stale)" : "";
    lines.push_back(fmt::format("  {} {} {}: {} {}{}", mark, severityName(check.severity), plainText(check.id), plainText(check.question),
                                plainText(check.actual, 2000), old));
    if (!check.overrideBy.empty()) {
        lines.push_back(fmt::format("      taken on by {}: {}", plainText(check.overrideBy, 80), plainText(check.overrideReason)));
    } else if (check.result == CheckResult::Fail) {
        addFix(check.fix, lines);
    }
}

} // namespace

std::vector<std::string> reportLines(const std::vector<CheckState>& checks, std::int64_t nowUs) {
    std::map<std::string, std::vector<std::string>> unknown; // reason → ids
    for (const CheckState& check : checks) {
        if (check.result == CheckResult::Unknown && check.severity != Severity::Info) {
            unknown[check.actual].push_back(check.id);
        }
    }
    std::vector<std::string> lines;
    for (const auto& [reason, ids] : unknown) {
        if (ids.size() > 1) {
            std::string names;
            for (std::size_t i = 0; i < std::min(ids.size(), NAMED); ++i) {
                names += (i == 0 ? "" : ", ") + plainText(ids[i], 100);
            }
            lines.push_back(fmt::format("  ? {} checks unknown: {} ({}{})", ids.size(), plainText(reason, 2000), names,
                                        ids.size() > NAMED ? ", …" : ""));
        }
    }
    for (const Severity severity : {Severity::Blocking, Severity::Warning, Severity::Info}) {
        for (const CheckState& check : checks) {
            const auto group = unknown.find(check.actual);
            const bool told = check.result == CheckResult::Unknown && group != unknown.end() && group->second.size() > 1;
            if (check.severity == severity && !told && (check.result != CheckResult::Pass || isStale(check, nowUs))) {
                addCheck(check, nowUs, lines);
            }
        }
    }
    return lines;
}

} // namespace tealdeck
