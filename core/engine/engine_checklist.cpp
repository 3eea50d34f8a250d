// SPDX-License-Identifier: GPL-3.0-or-later
// The checklist that belongs to the moment, asked again and again while a deployment is live.
#include "core/checks/runner.h"
#include "core/engine/engine.h"

#include <algorithm>

namespace tealdeck {
namespace {

CheckContext contextFor(const Snapshot& s) {
    CheckContext context;
    switch (s.phase) {
    case Phase::Plan:
    case Phase::Preflight:
    case Phase::Replicate:
    case Phase::Aborted:
    case Phase::Finalized:
        context.moment = CheckMoment::BeforeReplication;
        break;
    case Phase::Observe:
        context.moment = CheckMoment::BeforeCutover;
        context.direction = Direction::Reverse;
        break;
    case Phase::Validate:
    case Phase::Ramp:
    case Phase::Cutover:
    case Phase::RolledBack:
        context.moment = CheckMoment::BeforeCutover;
        break;
    }
    const auto moved = [](const SwitchReport& report) { return report.ok; };
    context.firstCutover = s.phase != Phase::RolledBack && std::none_of(s.switches.begin(), s.switches.end(), moved);
    return context;
}

/// A responsibility that somebody took stays taken while the finding is the same.
void carryOverride(CheckState& check, const std::vector<CheckState>& before) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const CheckState& other) { return other.id == check.id; });
    if (old != before.end() && !old->overrideBy.empty() && old->actual == check.actual && check.result == CheckResult::Fail) {
        check.overrideBy = old->overrideBy;
        check.overrideReason = old->overrideReason;
    }
}

} // namespace

void Engine::evaluateChecklist() {
    const std::lock_guard oneAtATime(m_checkMutex);
    const Snapshot before = m_hub.snapshot();
    CheckContext context = contextFor(before);
    context.steadyUs = [this] { return m_hub.nowUs(); };
    context.cancelled = [this] { return m_cancel.load(); };
    std::vector<CheckState> answers = runChecks(m_samplerConnector, context);
    if (m_hub.snapshot().phase != before.phase && !before.busyWith.empty()) {
        return; // asked for another moment than the one that it is now
    }
    const auto asked = [&](const CheckState& known) {
        return std::any_of(answers.begin(), answers.end(), [&](const CheckState& a) { return a.id == known.id; });
    };
    if (!std::all_of(before.checks.begin(), before.checks.end(), asked)) {
        static_cast<void>(m_hub.publish(EventKind::Check, {{"clear", true}}));
    }
    for (CheckState& answer : answers) {
        carryOverride(answer, before.checks);
        static_cast<void>(m_hub.publish(EventKind::Check, toJson(answer)));
    }
}

} // namespace tealdeck
