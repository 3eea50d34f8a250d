// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/phase.h"
#include "core/plan/plan.h"
#include "core/recipe/step.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tealdeck {

/// One command of the runbook with its steps.
struct PlannedCommand {
    CommandKind command;
    std::string title;
    bool undoOnFailure = false;
    std::vector<Step> steps; ///< to look at, not to run: what they need is not there
};

/// The runbook of a plan from its beginning, made from the same steps as the real one, without a session with any server or router.
class DryRun {
  public:
    explicit DryRun(Plan plan);
    ~DryRun();
    DryRun(const DryRun&) = delete;
    DryRun& operator=(const DryRun&) = delete;

    /// The commands in order, up to the phase (preflight, replicate, validate, ramp, cutover, observe, finalized).
    std::vector<PlannedCommand> until(Phase phase);
    /// The commands that are not on the road: rollback and abort.
    std::vector<PlannedCommand> aside();
    /// Tells all of it, line by line.
    void tell(Phase phase, const std::function<void(const std::string& line)>& line);

  private:
    struct Parts;
    std::unique_ptr<Parts> m_parts;
};

} // namespace tealdeck
