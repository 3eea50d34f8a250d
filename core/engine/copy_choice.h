// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <string>

namespace tealdeck {

/// How one database is copied, and why so.
struct CopyChoice {
    bool snapshot = false; ///< else server to server
    std::string reason;    ///< one sentence for people
};

/// Asks both primaries whether the snapshot copy is possible, unless the plan decides. An error when the plan demands what is not possible.
/// The publication must exist on blue; the sessions are with the database.
Result<CopyChoice> chooseCopy(const Plan& plan, Connection& blue, Connection& green);

} // namespace tealdeck
