// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/theme/format.h"

namespace tealdeck {

/// "What it waits for, since when, the limit and what follows", in words, from the steps of the command that runs.
struct StateLine {
    QString head;   ///< "Cutover: Fence BLUE"
    QString detail; ///< "waits for 3 writers to end, for 0:02 of at most 1.0 s; then: ends them"
    bool failed = false;
    double progress = -1; ///< 0..1, -1: not known
};

StateLine stateLine(const Snapshot& snapshot, const ViewTime& now);

} // namespace tealdeck
