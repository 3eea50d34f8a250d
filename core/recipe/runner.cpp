// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recipe/runner.h"

#include "core/model/snapshot.h"
#include "core/util/crash_point.h"

#include <fmt/format.h>
#include <poll.h>

namespace tealdeck {
namespace {

/// A run that holds longer than this has been forgotten.
constexpr Millis HOLD_LIMIT{std::chrono::hours(12)};

} // namespace

Result<bool> waitUntil(const std::function<Result<bool>()>& condition, const StepContext& context, Millis period) {
    for (;;) {
        Result<bool> now = condition();
        if (!now.ok() || *now) {
            return now;
        }
        if (context.cancelled() || context.deadline().passed()) {
            return false;
        }
        ::poll(nullptr, 0, static_cast<int>(std::min(period, context.deadline().left() + Millis(1)).count()));
    }
}

class Runner::Context final : public StepContext {
  public:
    Context(const Step& step, const RunRecord& record, const std::atomic<bool>& cancel)
        : m_record(record), m_cancel(cancel), m_deadline(step.limit) {
        state.id = step.id;
        state.title = step.title;
        state.waitingFor = step.waitsFor;
        state.onTimeout = step.onTimeout;
        state.limitMs = step.limit.count();
        state.state = "running";
        state.startedUs = record.nowUs();
    }
    [[nodiscard]] bool cancelled() const override { return m_cancel; }
    void report(const std::string& waitingFor, double progress) override {
        if (waitingFor == state.waitingFor && progress == state.progress) {
            return;
        }
        state.waitingFor = waitingFor;
        state.progress = progress;
        publish();
    }
    void detail(const std::string& text) override {
        state.detail = text;
        publish();
    }
    [[nodiscard]] const Deadline& deadline() const override { return m_deadline; }
    void publish() { static_cast<void>(m_record.publish(EventKind::Step, toJson(state))); }
    void end(const std::string& how, const std::string& why = {}) {
        state.state = how;
        state.endedUs = m_record.nowUs();
        if (!why.empty()) {
            state.detail = why;
        }
        publish();
    }
    StepState state;

  private:
    const RunRecord& m_record;
    const std::atomic<bool>& m_cancel;
    Deadline m_deadline;
};

Status Runner::run(const std::vector<Step>& steps, bool undoOnFailure) {
    for (const Step& step : steps) {
        StepState pending;
        pending.id = step.id;
        pending.title = step.title;
        pending.limitMs = step.limit.count();
        pending.expectedMs = m_around.expectedMs ? m_around.expectedMs(step.id) : -1;
        static_cast<void>(m_record.publish(EventKind::Step, toJson(pending)));
    }
    std::vector<const Step*> done;
    for (const Step& step : steps) {
        Status status = hold(step);
        if (status) {
            status = m_cancel && !step.safety ? Status(Error{Error::Kind::Refused, "Stopped by Abort.", {}, {}}) : runOne(step);
            done.push_back(&step); // a failed one may have done a part
        }
        if (!status) {
            if (undoOnFailure) {
                undo(done);
            }
            return status;
        }
    }
    return {};
}

Status Runner::hold(const Step& step) {
    if (step.safety || !m_around.holds || !m_around.released || !m_around.holds(step)) {
        return {};
    }
    StepState state;
    state.id = step.id;
    state.title = step.title;
    state.state = "held";
    state.waitingFor = "an operator's Continue";
    state.onTimeout = "the run ends as by Abort";
    state.limitMs = HOLD_LIMIT.count();
    state.startedUs = m_record.nowUs();
    static_cast<void>(m_record.publish(EventKind::Step, toJson(state)));
    const Deadline deadline(HOLD_LIMIT);
    while (!m_around.released()) {
        if (m_cancel || deadline.passed()) {
            state.state = "pending";
            state.waitingFor.clear();
            static_cast<void>(m_record.publish(EventKind::Step, toJson(state)));
            return Error{Error::Kind::Refused, m_cancel ? "Stopped by Abort." : "Nobody said Continue in time.", {}, {}};
        }
        ::poll(nullptr, 0, 20);
    }
    return {};
}

/// Everything before the intent: what forbids the step, and the hooks.
Status Runner::prepare(const Step& step, Context& context) {
    if (step.precheck) {
        if (const Status status = step.precheck(); !status) {
            return status;
        }
    }
    if (m_around.before) {
        return m_around.before(step, [&context] { return context.cancelled(); });
    }
    return {};
}

Status Runner::runOne(const Step& step) {
    crashPoint("before:" + step.id);
    Context context(step, m_record, m_cancel);
    context.state.expectedMs = m_around.expectedMs ? m_around.expectedMs(step.id) : -1;
    context.publish();
    const auto fail = [&](const Error& error) -> Status {
        context.end("failed", error.text());
        static_cast<void>(m_record.publish(EventKind::Outcome, {{"step", step.id}, {"ok", false}, {"detail", error.text()}}));
        return Error{error.kind, fmt::format("{}: {}", step.title, error.message), error.remedy, error.sqlstate};
    };
    if (step.probe) {
        const Result<Probe> found = step.probe();
        if (!found) {
            return fail(found.error());
        }
        if (*found == Probe::Done) {
            context.end("done", "found done");
            return {};
        }
    }
    if (const Status ready = prepare(step, context); !ready) {
        return fail(ready.error());
    }
    if (const Status intent = m_record.publish(EventKind::Intent, {{"step", step.id}, {"detail", step.title}}); !intent && !step.safety) {
        return fail(intent.error());
    }
    crashPoint("intent:" + step.id);
    if (const Status status = step.run(context); !status) {
        return fail(status.error());
    }
    crashPoint("after:" + step.id);
    if (step.verify) {
        if (const Status status = step.verify(); !status) {
            return fail(status.error());
        }
    }
    context.end("done");
    const double ms = static_cast<double>(context.state.endedUs - context.state.startedUs) / 1000.0;
    static_cast<void>(
        m_record.publish(EventKind::Outcome, {{"step", step.id}, {"ok", true}, {"detail", context.state.detail}, {"ms", ms}}));
    if (m_around.after) {
        m_around.after(step);
    }
    return {};
}

void Runner::undo(const std::vector<const Step*>& done) {
    for (auto it = done.rbegin(); it != done.rend(); ++it) {
        const Step& step = **it;
        if (!step.undo) {
            continue;
        }
        const Status status = step.undo();
        StepState state;
        state.id = step.id;
        state.title = step.title;
        state.state = status.ok() ? "undone" : "failed";
        state.detail = status.ok() ? "undone" : "left over: " + status.error().text();
        state.endedUs = m_record.nowUs();
        static_cast<void>(m_record.publish(EventKind::Step, toJson(state)));
        static_cast<void>(
            m_record.publish(EventKind::Outcome, {{"step", step.id + ".undo"}, {"ok", status.ok()}, {"detail", state.detail}}));
    }
}

} // namespace tealdeck
