// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"

#include <vector>

namespace tealdeck {

/// Asks every check of the catalogue that belongs to the moment, on every server, database and router that it is about. Never fails: what
/// could not be asked is Unknown with the reason. Ids are "OBJ01/blue/shop", "SRV02/green", "PGB03/pooler-1", "CMP01", "CMP04/shop".
std::vector<CheckState> runChecks(const Connector& connector, const CheckContext& context);

/// How long to rest after a round of questions that took `round`, at most `longest`: the answers of the next round are in before the shortest-lived
/// blocker of this one is stale, as far as the machine is quick enough; at least a second.
Millis restBetweenRounds(const std::vector<CheckState>& answers, Millis round, Millis longest);

/// A text with the placeholders of CheckDefinition::sql filled in; also {repl_name}, the replication role as an identifier.
std::string fillPlaceholders(std::string sql, const Plan& plan, const CheckContext& context);
/// The statement of a definition with its placeholders filled in.
std::string checkSql(const CheckDefinition& definition, const Plan& plan, const CheckContext& context);

} // namespace tealdeck
