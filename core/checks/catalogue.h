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

/// The families, one file each; catalogue.cpp joins them.
std::vector<CheckDefinition> serverChecks();
std::vector<CheckDefinition> sessionChecks();
std::vector<CheckDefinition> objectChecks();
std::vector<CheckDefinition> versionChecks();
std::vector<CheckDefinition> roleChecks();
std::vector<CheckDefinition> pairChecks();
std::vector<CheckDefinition> routerChecks();
std::vector<CheckDefinition> cutoverChecks();

} // namespace tealdeck
