// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/plan/plan_reader.h"

#include <string>
#include <vector>

namespace tealdeck {

/// Where a hook may stand: the commands replicate, ramp, cutover, rollback, finalize and abort, and every step of theirs.
const std::vector<std::string>& hookPoints();
/// Phases that are no command's name: a hook may stand after one of them, and runs once a command has brought the deployment there.
const std::vector<std::string>& hookPhases();
/// True when nothing may stand in the way of this point: abort, and what follows a switch. Hooks may only come after it.
bool isUnstoppable(const std::string& point);
/// True for a step before which a run may hold. Never the switch itself: the proof that it rests on would grow old.
bool canHoldBefore(const std::string& step);

/// The tables [alarms] and [[hook]] of a plan.
AlarmPlan readAlarms(PlanTable& root);
std::vector<HookPlan> readHooks(PlanTable& root);

} // namespace tealdeck
