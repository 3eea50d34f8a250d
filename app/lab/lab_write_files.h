// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

#include <string>

namespace tealdeck {

/// The plan's table for the way of the writes; empty when that is the poolers.
std::string planWrites(const LabState& state);
/// HAProxy's part in it: a backend for the writes, or an address for each primary, which the DNS record can stand for.
std::string haproxyWrites(const LabState& state);
/// A libpq connection service file: one service a database, and one that is none of ours.
std::string serviceFileText(const LabState& state);
/// A program that takes the router's orders and notes the side in LabState::moverFile.
std::string moverScript();
/// The key for nsupdate, and the configuration and zone of Knot DNS, which knows the same key.
std::string tsigKey(const std::string& secret);
std::string knotConf(const LabState& state, const std::string& secret);
std::string zoneFile();

} // namespace tealdeck
