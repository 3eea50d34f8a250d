// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

namespace tealdeck {

/// What kind of step it is from one version to another, and how to take it.
struct UpgradeAdvice {
    std::string kind;     ///< "minor", "major", "none" or "backwards"
    std::string risk;     ///< "low", "medium" or "high"
    std::string strategy; ///< "rolling", "blue-green" or "none"
    std::string summary;  ///< one sentence
    std::string reason;   ///< one sentence
};

/// From server_version_num of both sides, such as 150012 and 180004.
UpgradeAdvice adviseUpgrade(int from, int to);

} // namespace tealdeck
