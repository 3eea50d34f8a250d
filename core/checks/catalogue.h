// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"
#include "core/util/json.h"

#include <vector>

namespace tealdeck {

/// Every check, in the order in which it is asked and shown. Made once.
const std::vector<CheckDefinition>& checkCatalogue();
/// The catalogue for `tealctl check --list`: id, family, severity, scope, moment, versions, question, why, expected, fix, source, sql.
Json catalogueJson();

/// The definition that a line of the checklist came from ("OBJ01/blue/shop" → OBJ01); nullptr when there is none.
const CheckDefinition* checkDefinition(const std::string& lineId);

/// Whether a release of PgBouncer may be used at all.
CheckAnswer poolerRelease(const std::string& version);

/// Whether a server with this output_plugin_libraries decodes with pgoutput; std::nullopt: the release does not know the setting.
CheckAnswer outputPlugins(const std::optional<std::string>& setting);

/// The families, one file each; catalogue.cpp joins them.
std::vector<CheckDefinition> serverChecks();
std::vector<CheckDefinition> sessionChecks();
std::vector<CheckDefinition> objectChecks();
std::vector<CheckDefinition> versionChecks();
std::vector<CheckDefinition> roleChecks();
std::vector<CheckDefinition> pairChecks();
std::vector<CheckDefinition> routerChecks();
std::vector<CheckDefinition> writeRouterChecks();
std::vector<CheckDefinition> cutoverChecks();
std::vector<CheckDefinition> capacityChecks();
std::vector<CheckDefinition> consumerChecks();
std::vector<CheckDefinition> structureChecks();
std::vector<CheckDefinition> extensionChecks();
std::vector<CheckDefinition> localeChecks();
std::vector<CheckDefinition> roleParityChecks();
std::vector<CheckDefinition> parityChecks();
std::vector<CheckDefinition> networkChecks();
std::vector<CheckDefinition> replicaChecks();
std::vector<CheckDefinition> statementChecks();

} // namespace tealdeck
