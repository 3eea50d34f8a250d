// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/postgres/connection.h"

#include <string>
#include <vector>

namespace tealdeck::verify {

/// Sequences of one database. One that lags on the follower is no loss: replication carries none, and a switch raises them.
struct SequenceReport {
    int all = 0;
    std::vector<std::string> behind;
    std::vector<std::string> missing;
};
Result<SequenceReport> compareSequences(Connection& source, Connection& follower);

} // namespace tealdeck::verify
