// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"

#include <map>
#include <string>
#include <vector>

namespace tealdeck {

/// A line of pg_settings.
struct Setting {
    std::string value; ///< in its base unit
    std::string unit;
    std::string source;  ///< "default", "configuration file", …
    std::string context; ///< "postmaster": a change needs a restart
    std::string type;    ///< "integer", "string", …
};
using Settings = std::map<std::string, Setting>;
using Names = std::vector<std::string>;

/// How two servers are compared in a group of settings.
enum class Rule {
    Equal,        ///< any difference is a finding
    NotLess,      ///< the second must have at least as much
    SetElsewhere, ///< what an operator has set on the first must be so on the second
};

/// Differences as findings, with statements that give the second server the value of the first. A name that either side does not know is
/// left out: VER15 tells of those.
CheckAnswer compareSettings(const Settings& first, const Settings& second, const Names& names, Rule rule, Side secondSide);
/// A statement that sets it; lists of names are quoted one by one.
std::string alterSystem(const std::string& name, const Setting& setting);

/// Entries of a comma-separated list, without quotes.
Names listEntries(const std::string& list);

/// Fails when two clocks that were read at the same moment differ by more than a second; `uncertain` is half of the time that reading took.
CheckAnswer compareClocks(double differenceSeconds, double uncertainSeconds);

} // namespace tealdeck
