// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/settings_compare.h"

#include "core/postgres/sql.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <set>
#include <sstream>

namespace tealdeck {

Names listEntries(const std::string& list) {
    Names entries;
    std::istringstream in(list);
    for (std::string entry; std::getline(in, entry, ',');) {
        entry.erase(std::remove_if(entry.begin(), entry.end(), [](char c) { return c == ' ' || c == '"'; }), entry.end());
        if (!entry.empty()) {
            entries.push_back(entry);
        }
    }
    return entries;
}

std::string alterSystem(const std::string& name, const Setting& setting) {
    static const std::set<std::string> lists = {"search_path", "temp_tablespaces", "shared_preload_libraries", "session_preload_libraries",
                                                "local_preload_libraries"};
    std::string value = quoteLiteral(setting.value);
    if (lists.count(name) > 0) {
        value.clear();
        for (const std::string& entry : listEntries(setting.value)) {
            value += (value.empty() ? "" : ", ") + quoteLiteral(entry);
        }
        value = value.empty() ? "''" : value;
    }
    const char* then = setting.context == "postmaster" ? " -- then restart it" : " SELECT pg_reload_conf();";
    return fmt::format("ALTER SYSTEM SET {} = {};{}", quoteIdentifier(name), value, then);
}

CheckAnswer compareSettings(const Settings& first, const Settings& second, const Names& names, Rule rule, Side secondSide) {
    std::vector<std::string> found;
    std::vector<FixStatement> fixes;
    for (const std::string& name : names) {
        const auto a = first.find(name);
        const auto b = second.find(name);
        if (a == first.end() || b == second.end() || a->second.type != b->second.type) {
            continue;
        }
        const bool number = a->second.type == "integer" || a->second.type == "real";
        const double more = number ? std::strtod(a->second.value.c_str(), nullptr) - std::strtod(b->second.value.c_str(), nullptr) : 0;
        const bool bySomebody =
            a->second.source == "configuration file" || a->second.source == "command line" || a->second.source == "environment variable";
        // Two untouched settings differ when a version changed its default (18: effective_io_concurrency 16 instead of 1): nobody's wish.
        const bool untouched = a->second.source == "default" && b->second.source == "default";
        const bool differs =
            rule == Rule::NotLess ? more > 0 && !untouched : a->second.value != b->second.value && (rule == Rule::Equal || bySomebody);
        if (differs && a->second.context != "internal") {
            found.push_back(fmt::format("{}: {}{} here, {}{} on {}", name, a->second.value, a->second.unit, b->second.value, b->second.unit,
                                        sideName(secondSide)));
            fixes.push_back({alterSystem(name, a->second), secondSide});
        }
    }
    return CheckAnswer::findings(found, std::move(fixes));
}

CheckAnswer compareClocks(double differenceSeconds, double uncertainSeconds) {
    const std::string found = fmt::format("{:+.3f} s, known within {:.3f} s", differenceSeconds, uncertainSeconds);
    const double distance = std::fabs(differenceSeconds);
    if (distance - uncertainSeconds > 1) {
        return CheckAnswer::fail(found);
    }
    return distance + uncertainSeconds <= 1 ? CheckAnswer::pass(found)
                                            : CheckAnswer::unknown("The answers took too long to tell: " + found + ".");
}

} // namespace tealdeck
