// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/checks/catalogue.h"

namespace tealdeck {
namespace {

const char* scopeName(CheckScope scope) {
    switch (scope) {
    case CheckScope::Source:
        return "source";
    case CheckScope::Destination:
        return "destination";
    case CheckScope::EachPrimary:
        return "both";
    case CheckScope::Pair:
        return "pair";
    case CheckScope::EachPooler:
        return "pooler";
    case CheckScope::EachRouter:
        return "each router";
    case CheckScope::EachBalancer:
        return "balancer";
    }
    return "";
}

const char* whenName(CheckWhen when) {
    return when == CheckWhen::Always ? "always" : when == CheckWhen::BeforeReplication ? "before replication" : "before cutover";
}

} // namespace

const std::vector<CheckDefinition>& checkCatalogue() {
    static const std::vector<CheckDefinition> catalogue = [] {
        std::vector<CheckDefinition> all;
        for (const auto family : {serverChecks, capacityChecks, pairChecks, networkChecks, routerChecks, writeRouterChecks,
                                  sessionChecks, consumerChecks, roleChecks, roleParityChecks, objectChecks, structureChecks, extensionChecks, localeChecks, versionChecks,
                                  parityChecks, replicaChecks, statementChecks, cutoverChecks}) {
            for (CheckDefinition& check : family()) {
                all.push_back(std::move(check));
            }
        }
        return all;
    }();
    return catalogue;
}

const CheckDefinition* checkDefinition(const std::string& lineId) {
    const std::string id = lineId.substr(0, lineId.find('/'));
    for (const CheckDefinition& check : checkCatalogue()) {
        if (check.id == id) {
            return &check;
        }
    }
    return nullptr;
}

Json catalogueJson() {
    Json list = Json::array();
    for (const CheckDefinition& c : checkCatalogue()) {
        list.push_back({{"id", c.id},
                        {"family", c.family},
                        {"severity", severityName(c.severity)},
                        {"scope", scopeName(c.scope)},
                        {"per_database", c.perDatabase},
                        {"when", whenName(c.when)},
                        {"min_version", c.minVersion},
                        {"max_version", c.maxVersion},
                        {"question", c.question},
                        {"why", c.why},
                        {"expected", c.expected},
                        {"fix", c.fix},
                        {"fix_sql", c.fixSql},
                        {"crossing", c.crossing},
                        {"overridable", c.overridable},
                        {"blocks_rollback", c.blocksRollback},
                        {"source", c.source},
                        {"valid_for_seconds", c.validForSeconds},
                        {"sql", c.sql}});
    }
    return list;
}

} // namespace tealdeck
