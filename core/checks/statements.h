// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <string>
#include <vector>

namespace tealdeck {

/// What one statement of the application costs on one side, all its servers together (pg_stat_statements).
struct StatementCost {
    std::string text; ///< with its constants taken out, as the server keeps it
    double calls = 0;
    double meanMs = 0;        ///< a call's
    double blocksPerCall = 0; ///< shared buffers touched, in memory or not: what a plan reads, whatever the load
};
using StatementCosts = std::map<std::string, StatementCost>; ///< by a hash of the text

/// Adds what another server of the side knows.
void addCosts(StatementCosts& sum, const StatementCosts& more);

/// Statements that run on both sides and are worse on GREEN: at least twice as slow and 1 ms slower, or four times the blocks and 100 more.
/// The one that costs most in all comes first. Each line names the statement and both sides' numbers.
std::vector<std::string> worseOnGreen(const StatementCosts& blue, const StatementCosts& green);

} // namespace tealdeck
