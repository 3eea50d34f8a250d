// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"
#include "core/recipe/step.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace tealdeck {

/// Where a runner writes its record.
struct RunRecord {
    std::function<Status(EventKind, Json)> publish;
    std::function<std::int64_t()> nowUs;
};

/// What the operator and earlier recordings put round the steps; each part may be empty.
struct StepSurroundings {
    std::function<Status(const Step&, const std::function<bool()>& cancelled)> before; ///< an error vetoes the step
    std::function<void(const Step&)> after;                                            ///< only after a step that went well
    std::function<bool(const Step&)> holds;                                            ///< the run is to wait before this step
    std::function<bool()> released;                                                    ///< Continue was said since the run holds
    std::function<double(const std::string& step)> expectedMs;                         ///< below 0: not known
};

/// Runs steps in order: hold, probe, precheck, hooks, durable intent, run, verify, outcome. The first failure ends the run.
class Runner final : public StepRunner {
  public:
    Runner(RunRecord record, const std::atomic<bool>& cancel, StepSurroundings around = {})
        : m_record(std::move(record)), m_cancel(cancel), m_around(std::move(around)) {}

    Status run(const std::vector<Step>& steps, bool undoOnFailure) override;

  private:
    class Context;
    Status runOne(const Step& step);
    Status prepare(const Step& step, Context& context);
    Status hold(const Step& step);
    void undo(const std::vector<const Step*>& done);
    RunRecord m_record;
    const std::atomic<bool>& m_cancel;
    StepSurroundings m_around;
};

} // namespace tealdeck
