// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/comparison.h"
#include "core/postgres/connection.h"
#include "core/recipe/step.h"

#include <string>
#include <vector>

/// Changes of the schema while green follows. Replication carries none of them, so they are recorded on blue and carried over by hand.
namespace tealdeck::drift {

/// Event triggers on the session's database that write each DDL into tealdeck.ddl_log. They swallow their own failures: no DDL is hindered.
/// Needs a superuser; the control schema must be there.
Status installGuard(Connection& session);
Status removeGuard(Connection& session);

/// What was recorded above a number, at most 200; nothing when there is no guard.
Result<std::vector<DriftState>> readLog(Connection& session, const std::string& database, Side side, std::int64_t above);

/// True when the text is more than one statement. Quotes, comments and dollar quotes are understood.
bool isSeveralStatements(const std::string& sql);

/// Runs the recorded change on green: the statement of the log, or another one when that is given; as the role that ran it and with the
/// object's schema first in the path.
Status applyOn(Connection& green, Connection& blue, std::int64_t id, const std::string& statement, Millis limit);

/// Publishes what is new on blue, and lets green copy and follow it. Returns when every table is in step. Replica identities of new tables
/// without key are set where the plan says so, and remembered like the others.
Status followNewTables(const Plan& plan, const std::string& database, Connection& blue, Connection& green, StepContext& context);

/// Copies one table anew while the others go on: out of the feed, emptied, and into it again. Not for partitions, which have no place of
/// their own in the feed.
Status resync(const Plan& plan, const std::string& database, const std::string& table, Connection& blue, Connection& green,
              StepContext& context);

} // namespace tealdeck::drift
