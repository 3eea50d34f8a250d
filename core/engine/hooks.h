// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/plan/plan.h"
#include "core/recipe/runner.h"

#include <functional>
#include <string>
#include <vector>

namespace tealdeck {

/// Runs the operator's programs at points of the runbook (plan: [[hook]]). Each gets its arguments as they stand in the plan, no shell,
/// and an environment of the allowed variables and TEALDECK_DEPLOYMENT, TEALDECK_POINT and TEALDECK_MOMENT ("before" or "after").
/// What it printed goes to the record, without secrets and cut to 2,000 bytes.
class Hooks {
  public:
    Hooks(const Plan& plan, RunRecord record) : m_plan(plan), m_record(std::move(record)) {}

    /// The hooks before a command or a step, in the plan's order. An error vetoes what would follow: an exit code other than 0, a limit
    /// that passed, a program that others may change, a record that cannot be written, or a cancel.
    Status before(const std::string& point, const std::function<bool()>& cancelled) const;
    /// The hooks after it. What they answer is recorded and changes nothing.
    void after(const std::string& point) const;

  private:
    Status run(const HookPlan& hook, const std::function<bool()>& cancelled) const;

    const Plan& m_plan;
    RunRecord m_record;
};

/// One line for each hook at the point: "before it: NAME runs PROGRAM, at most 10 s; a failure vetoes".
std::vector<std::string> hookLines(const Plan& plan, const std::string& point);

} // namespace tealdeck
