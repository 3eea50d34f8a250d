// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/plan/plan_reader.h"

namespace tealdeck {

/// The table [cost]: prices of instances and storage. Every instance that a server names must have its class.
void readCost(PlanTable& root, Plan& plan);
/// The table [checklist] and the file that it names. Problems of that file name it and the line in it.
void readChecklist(PlanTable& root, Plan& plan);

/// The tables [verify] and [drift].
void readVerify(PlanTable& root, Plan& plan);
/// The table [copy]: strategy and budgets of the initial copy.
void readCopy(PlanTable& root, Plan& plan);

} // namespace tealdeck
