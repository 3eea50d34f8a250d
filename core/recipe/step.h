// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/clock.h"
#include "core/util/result.h"

#include <functional>
#include <string>
#include <vector>

namespace tealdeck {

/// What a step sees while it runs.
class StepContext {
  public:
    virtual ~StepContext() = default;
    /// True when the operator asked for Abort: a step that can stop should.
    [[nodiscard]] virtual bool cancelled() const = 0;
    /// What it waits for now, and how far it is (0..1; below 0: not known).
    virtual void report(const std::string& waitingFor, double progress = -1) = 0;
    /// A line for the record.
    virtual void detail(const std::string& text) = 0;
    [[nodiscard]] virtual const Deadline& deadline() const = 0;
};

/// What a probe of the servers found: catalogs are the truth, never a file that says "done" (law 4).
enum class Probe { NotDone, Done };

/// One act of a runbook, as data.
struct Step {
    std::string id; ///< "replicate.schema"
    std::string title;
    std::function<Result<Probe>()> probe; ///< may be empty: run always (it must be harmless to repeat)
    std::function<Status()> precheck;     ///< may be empty
    std::function<Status(StepContext&)> run;
    std::function<Status()> verify; ///< may be empty
    std::function<Status()> undo;   ///< may be empty: nothing to undo
    Millis limit{60000};
    std::string waitsFor;
    std::string onTimeout = "the step fails and nothing further is done";
    bool safety = false; ///< abort and unfence: runs even when the record cannot be written (law 3)
};

/// Carries out the steps of a command, or tells what it would do.
class StepRunner {
  public:
    virtual ~StepRunner() = default;
    /// When undoOnFailure is set, the steps that were run are undone in reverse order after a failure.
    virtual Status run(const std::vector<Step>& steps, bool undoOnFailure) = 0;
};

/// Polls until the condition holds: true; false at the deadline or when cancelled; an error ends the wait.
Result<bool> waitUntil(const std::function<Result<bool>()>& condition, const StepContext& context, Millis period);

} // namespace tealdeck
