// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

namespace tealdeck {

/// Prints what a person at a terminal wants to know of an event, if anything.
void printProgress(const Event& event);
/// Alarms that stand; all: those that are over or shelved too.
void printAlarms(const Snapshot& snapshot, bool all);
/// The initial copy of each database; running: also the tables that are being copied now.
void printCopies(const Snapshot& snapshot, bool running);
/// Where things stand, in a few lines.
void printSummary(const Snapshot& snapshot);
/// The stable shape of --json: deployment, phase, writes_to, fences, nodes, replication, copies, checks that block, alarms, switches, traffic.
Json statusReport(const Snapshot& snapshot);

} // namespace tealdeck
