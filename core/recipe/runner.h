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

/// Runs steps in order: probe, precheck, durable intent, run, verify, outcome. The first failure ends the run.
class Runner {
  public:
    Runner(RunRecord record, const std::atomic<bool>& cancel) : m_record(std::move(record)), m_cancel(cancel) {}

    /// When undoOnFailure is set, the steps that were run are undone in reverse order after a failure.
    Status run(const std::vector<Step>& steps, bool undoOnFailure);

  private:
    class Context;
    Status runOne(const Step& step);
    void undo(const std::vector<const Step*>& done);
    RunRecord m_record;
    const std::atomic<bool>& m_cancel;
};

} // namespace tealdeck
