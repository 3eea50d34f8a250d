// SPDX-License-Identifier: GPL-3.0-or-later
// The checklist that belongs to the moment, asked again and again while a deployment is live.
#include "core/checks/catalogue.h"
#include "core/checks/comparison_check.h"
#include "core/checks/manual.h"
#include "core/checks/runner.h"
#include "core/engine/engine.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

constexpr std::int64_t JUST_DONE_US = 3'000'000;

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
    // An engine that died in a switch left no report of it: the phase tells as well.
    context.firstCutover = context.direction == Direction::Forward && s.phase != Phase::RolledBack &&
                           std::none_of(s.switches.begin(), s.switches.end(), moved);
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

/// Whether telling it again would say nothing new, its age apart.
bool isTold(const CheckState& check, const std::vector<CheckState>& before) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const CheckState& other) { return other.id == check.id; });
    return old != before.end() && old->result == check.result && old->actual == check.actual && old->severity == check.severity &&
           old->fix == check.fix && old->question == check.question && old->overrideBy == check.overrideBy &&
           old->overrideReason == check.overrideReason && old->validForUs == check.validForUs;
}

std::filesystem::path signedItemsFile(const Plan& plan) {
    return plan.engineFolder / "signed-items.json";
}

/// Beside the recording, which has every sign-off as an event too: a lost file only means signing again.
SignedItems readSignedItems(const Plan& plan) {
    const Result<std::string> text = readFile(signedItemsFile(plan));
    const std::optional<Json> json = text ? parseJson(*text) : std::nullopt;
    return json ? signedItemsFromJson(*json) : SignedItems();
}

} // namespace

Status Engine::runSignOff(const Command& command) {
    if (const Status may = mayBeSaid(command, m_hub.snapshot()); !may) {
        return may;
    }
    const ManualItem* item = manualItem(m_options.plan, member<std::string>(command.args, "item", ""));
    const std::string reason = member<std::string>(command.args, "reason", "");
    // First the record, then the effect.
    if (const Status told = m_hub.publish(EventKind::SignOff, {{"item", item->id}, {"reason", reason}}, command.actor); !told) {
        return told;
    }
    SignedItems items = readSignedItems(m_options.plan);
    items[item->id] = {command.actor, reason, item->question, Clock::system().wallUs()};
    if (const Status kept = writeFileAtomically(signedItemsFile(m_options.plan), dumpJson(toJson(items))); !kept) {
        return kept;
    }
    const Snapshot s = m_hub.snapshot();
    for (const CheckState& line : manualChecks(m_options.plan, contextFor(s), items, Clock::system().wallUs(), m_hub.nowUs())) {
        if (line.id == "MAN/" + item->id) {
            return m_hub.publish(EventKind::Check, toJson(line));
        }
    }
    return {};
}

Status Engine::mayBeSaid(const Command& command, const Snapshot& s) const {
    if (command.kind == CommandKind::SignOff) {
        const std::string name = member<std::string>(command.args, "item", "");
        return manualItem(m_options.plan, name) != nullptr
                   ? Status()
                   : Status(Error{Error::Kind::Invalid,
                                  fmt::format("There is no manual item {}.", plainText(name, 80)),
                                  "The checklist shows their names; other checks are not signed off but mended.",
                                  {}});
    }
    const std::string id = member<std::string>(command.args, "check", "");
    const auto found = std::find_if(s.checks.begin(), s.checks.end(), [&](const CheckState& check) { return check.id == id; });
    if (command.kind != CommandKind::Override) {
        return {};
    }
    if (found == s.checks.end()) {
        return Error{Error::Kind::Invalid, fmt::format("There is no check {}.", plainText(id, 80)), "The checklist shows their names.", {}};
    }
    if (found->family == "manual") {
        return Error{
            Error::Kind::Refused, fmt::format("{} waits for a sign-off, not for an override.", id), "Sign it off when it is done.", {}};
    }
    if (found->result == CheckResult::Unknown) {
        return Error{
            Error::Kind::Refused, fmt::format("{} is unknown; only a known failure can be taken on.", id), "Make it answer first.", {}};
    }
    const CheckDefinition* definition = checkDefinition(id);
    if (definition != nullptr && !definition->overridable) {
        return Error{Error::Kind::Refused, fmt::format("{} can't be taken on: {}", id, definition->why), "Mend what it names.", {}};
    }
    return {};
}

void Engine::evaluateChecklist() {
    const std::lock_guard oneAtATime(m_checkMutex);
    const Snapshot before = m_hub.snapshot();
    CheckContext context = contextFor(before);
    context.steadyUs = [this] { return m_hub.nowUs(); };
    context.cancelled = [this] { return m_cancel.load(); };
    const std::int64_t startedUs = m_hub.nowUs();
    std::vector<CheckState> answers = runChecks(m_samplerConnector, context);
    for (CheckState& line :
         manualChecks(m_options.plan, context, readSignedItems(m_options.plan), Clock::system().wallUs(), m_hub.nowUs())) {
        answers.push_back(std::move(line));
    }
    for (CheckState& line :
         comparisonChecks(m_options.plan, context, m_hub.snapshot().comparison, Clock::system().wallUs(), m_hub.nowUs())) {
        answers.push_back(std::move(line));
    }
    if (context.moment == CheckMoment::BeforeCutover && before.phase != Phase::Cutover) {
        answers.push_back(foreignWritesLine(m_hub.snapshot()));
    }
    if (m_hub.snapshot().phase != before.phase && !before.busyWith.empty()) {
        return; // asked for another moment than the one that it is now
    }
    const auto asked = [&](const CheckState& known) {
        return std::any_of(answers.begin(), answers.end(), [&](const CheckState& a) { return a.id == known.id; });
    };
    const bool cleared = !std::all_of(before.checks.begin(), before.checks.end(), asked);
    if (cleared) {
        static_cast<void>(m_hub.publish(EventKind::Check, {{"clear", true}}));
    }
    // Most answers are what they were: those are confirmed by one event, or a long deployment's recording would be full of them.
    for (CheckState& answer : answers) {
        carryOverride(answer, before.checks);
        if (cleared || !isTold(answer, before.checks)) {
            static_cast<void>(m_hub.publish(EventKind::Check, toJson(answer)));
        }
    }
    static_cast<void>(m_hub.publish(EventKind::Check, {{"confirmed_us", startedUs}}));
    m_checkedUs = m_hub.nowUs();
    m_checkedFor = {context.moment, context.direction};
}

/// Who asks for the checklist and then at once for a move does not wait for it twice.
void Engine::evaluateChecklistUnlessJustDone() {
    {
        const std::lock_guard oneAtATime(m_checkMutex);
        const CheckContext context = contextFor(m_hub.snapshot());
        if (m_checkedUs > 0 && m_hub.nowUs() - m_checkedUs < JUST_DONE_US && m_checkedFor == std::pair(context.moment, context.direction)) {
            return;
        }
    }
    evaluateChecklist();
}

} // namespace tealdeck
