// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/check_list.h"

#include "core/checks/catalogue.h"
#include "core/checks/cost.h"
#include "core/checks/report.h"
#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>

namespace tealdeck {
namespace {

CostReport costNow(const Snapshot& s, const Plan& plan) {
    return costOf(plan, s.wallUs, s.session.startedWallUs);
}

Json number(const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
}

} // namespace

int printCatalogue(bool json) {
    if (json) {
        fmt::print("{}\n", dumpJson({{"checks", catalogueJson()}}));
        return 0;
    }
    std::string family;
    for (const CheckDefinition& check : checkCatalogue()) {
        if (check.family != family) {
            family = check.family;
            fmt::print("{}\n", family);
        }
        fmt::print("  {} {}: {}\n      why: {}\n      fix: {}{}{}\n      source: {}\n", check.id, severityName(check.severity),
                   check.question, check.why, check.fix, check.fixSql.empty() ? "" : " ", check.fixSql, check.source);
    }
    fmt::print("{} checks\n", checkCatalogue().size());
    return 0;
}

void printChecklist(const Snapshot& snapshot, const Plan& plan) {
    for (const std::string& line : reportLines(snapshot.checks, snapshot.steadyUs)) {
        fmt::print("{}\n", line);
    }
    for (const CheckState& check : snapshot.checks) {
        if (check.id == "ADV01" && check.result == CheckResult::Pass) {
            fmt::print("  advice: {}\n", plainText(check.actual));
        }
    }
    for (const std::string& line : costLines(costNow(snapshot, plan))) {
        fmt::print("  {}\n", line);
    }
    std::fflush(stdout);
}

Json costJson(const Snapshot& snapshot, const Plan& plan) {
    const CostReport cost = costNow(snapshot, plan);
    if (cost.currency.empty()) {
        return nullptr;
    }
    return {{"currency", cost.currency},
            {"blue_per_day", number(cost.bluePerDay)},
            {"green_per_day", number(cost.greenPerDay)},
            {"so_far", number(cost.soFar)},
            {"projected", number(cost.projected)},
            {"saved_per_day", number(cost.savedPerDay)},
            {"breaks", cost.breaks},
            {"missing", cost.missing}};
}

} // namespace tealdeck
