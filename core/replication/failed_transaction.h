// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"
#include "core/recipe/step.h"
#include "core/replication/names.h"

#include <functional>
#include <optional>
#include <string>

namespace tealdeck {

/// The transaction at which a feed stands.
struct FailedTransaction {
    std::string endLsn;    ///< where it ends, as ALTER SUBSCRIPTION … SKIP wants it
    std::string relations; ///< what it changes, comma by comma
};

/// Asks the publisher for the first transaction that a slot still holds: $1 the slot, $2 the publication. Fails while a WAL sender uses the
/// slot; a feed that fails lets go of it between two tries.
extern const char* const FIRST_TRANSACTION_SQL;
/// What that answered; std::nullopt: an error, or nothing is held.
std::optional<FailedTransaction> firstTransaction(const Result<Rows>& answer);

/// Leaves out exactly the transaction that ends at `lsn`, and returns when the follower has passed it. Refused when the feed stands at
/// another one. Changes of it are missing on the follower from then on. Not taken by the deadline: the order to skip is taken back.
/// beforeOrder is called when the order is about to be given: from then on, whatever is answered and whoever dies, it may be missing.
Status skipTransaction(const Plan& plan, Direction direction, const std::string& database, const std::string& lsn, Connection& source,
                       Connection& destination, StepContext& context, const std::function<Status()>& beforeOrder);

} // namespace tealdeck
