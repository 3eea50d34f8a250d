// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"

namespace tealdeck {

/// Statements to be pasted in one place.
struct FixBlock {
    Side side = Side::Blue;
    std::string database;
    std::string sql; ///< one statement a line
};

/// The fix as the checklist shows it. Without statements it is the sentence alone; with them it is SQL as a whole, the sentence and the
/// places being comments: "-- on blue, database shop:". At most the first twenty statements; a statement that holds characters which can't
/// be shown becomes a comment too, because a name that is not what it seems must not be pasted.
std::string composeFix(const std::string& sentence, const std::vector<FixStatement>& statements, Side side, const std::string& database);
/// The other way: what is to be run where. Empty for a fix that is a sentence.
std::vector<FixBlock> fixBlocks(const std::string& fix);

} // namespace tealdeck
