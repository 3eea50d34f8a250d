// SPDX-License-Identifier: GPL-3.0-or-later
// Which gates stand in the way of a command: asked by the engine before it acts and by the console for its buttons.
#include "core/model/snapshot.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace tealdeck {
namespace {

constexpr double REPLICATION_FRESH_US = 10e6; ///< a replication sample older than this is stale: no gate may rest on it

/// A switch that begins further behind would only find out at its own gate, three markers in a row, what is known now.
constexpr double SWITCH_LAG_SECONDS = 5;
constexpr double MIB = 1024.0 * 1024.0;
constexpr double SWITCH_LAG_BYTES = 64 * MIB;

bool needsChecklist(CommandKind command) {
    return command == CommandKind::Replicate || command == CommandKind::Cutover || command == CommandKind::Rollback;
}

/// One server that is away makes many answers unknown: its cause is said once, with the names of the checks.
std::string unknownReason(const std::vector<const CheckState*>& checks) {
    const CheckState& first = *checks.front();
    if (checks.size() == 1) {
        return fmt::format("{} is unknown: {} {}", first.id, first.question, first.actual);
    }
    constexpr std::size_t SHOWN = 4;
    std::string names;
    for (std::size_t i = 0; i < std::min(SHOWN, checks.size()); ++i) {
        names += (i == 0 ? "" : ", ") + checks[i]->id;
    }
    return fmt::format("{} checks are unknown ({}{}): {}", checks.size(), names, checks.size() > SHOWN ? ", …" : "", first.actual);
}

void addChecks(const Snapshot& s, std::int64_t nowUs, std::vector<std::string>& reasons) {
    if (s.checks.empty()) {
        reasons.emplace_back("The checklist has not been evaluated yet.");
    }
    std::vector<std::vector<const CheckState*>> unknown; // by cause, in the order of the checklist
    for (const CheckState& check : s.checks) {
        if (!isBlocking(check, nowUs)) {
            continue;
        }
        if (!isStale(check, nowUs) && check.result != CheckResult::Fail) {
            const auto same =
                std::find_if(unknown.begin(), unknown.end(), [&](const auto& others) { return others.front()->actual == check.actual; });
            (same != unknown.end() ? *same : unknown.emplace_back()).push_back(&check);
            continue;
        }
        reasons.push_back(
            fmt::format("{} {}: {} {}", check.id, isStale(check, nowUs) ? "is stale" : "fails", check.question, check.actual));
    }
    for (const auto& checks : unknown) {
        reasons.push_back(unknownReason(checks));
    }
}

/// The feed towards the side that shall take over must be alive and measured.
void addFeed(const Snapshot& s, const std::string& direction, bool mustBeClose, std::int64_t nowUs, std::vector<std::string>& reasons) {
    const double maxLagBytes = mustBeClose ? SWITCH_LAG_BYTES : std::numeric_limits<double>::infinity();
    const double maxLagSeconds = mustBeClose ? SWITCH_LAG_SECONDS : std::numeric_limits<double>::infinity();
    std::size_t found = 0;
    for (const ReplicationState& r : s.replication) {
        if (r.direction != direction || r.state == "none" || r.state == "retired") {
            continue;
        }
        ++found;
        if (r.state != "streaming") {
            reasons.push_back(
                fmt::format("The {} feed of {} is {}{}", direction, r.database, r.state, r.error.empty() ? "." : ": " + r.error));
        } else if (!r.lagBytes || static_cast<double>(nowUs - r.sampledUs) > REPLICATION_FRESH_US) {
            reasons.push_back(fmt::format("The lag of the {} feed of {} is unknown.", direction, r.database));
        } else if (*r.lagBytes > maxLagBytes || r.lagSeconds.value_or(0) > maxLagSeconds) {
            reasons.push_back(
                fmt::format("The {} feed of {} is behind by {:.0f} MiB and {:.1f} s; at most {:.0f} MiB and {:g} s are let into a "
                            "switch.",
                            direction, r.database, *r.lagBytes / MIB, r.lagSeconds.value_or(0), maxLagBytes / MIB, maxLagSeconds));
        }
    }
    if (found < s.session.databases.size() || found == 0) {
        reasons.push_back(fmt::format("The {} feed exists for {} of {} databases.", direction, found, s.session.databases.size()));
    }
}

} // namespace

std::vector<std::string> whyNot(const Snapshot& s, CommandKind command, std::int64_t nowUs) {
    std::vector<std::string> reasons;
    if (const std::string phase = whyNotInPhase(s.phase, command); !phase.empty()) {
        reasons.push_back(phase);
        return reasons;
    }
    if (command == CommandKind::Continue) {
        const auto held = [](const StepState& step) { return step.state == "held"; };
        if (std::none_of(s.steps.begin(), s.steps.end(), held)) {
            reasons.emplace_back("Nothing holds now.");
        }
        return reasons;
    }
    if (command == CommandKind::Stop && s.busyWith != commandName(CommandKind::Verify)) {
        reasons.emplace_back("No comparison runs.");
        return reasons;
    }
    if (command == CommandKind::PauseCopy || command == CommandKind::ResumeCopy || command == CommandKind::CancelCopy) {
        const auto runs = [](const StepState& step) { return step.id == "replicate.copy" && step.state == "running"; };
        if (s.busyWith.empty() || std::none_of(s.steps.begin(), s.steps.end(), runs)) {
            reasons.emplace_back("No data are being copied now.");
        }
        return reasons;
    }
    const auto stands = [](const ReplicationState& r) { return !r.failedLsn.empty(); };
    if (command == CommandKind::Skip && std::none_of(s.replication.begin(), s.replication.end(), stands)) {
        reasons.emplace_back("No feed is known to stand at a transaction that it cannot apply.");
    }
    if (isWordOnly(command)) {
        return reasons;
    }
    if (command == CommandKind::Abort) {
        if (s.phase == Phase::Cutover && s.pastPointOfNoReturn) {
            reasons.emplace_back("Past the point of no return the move completes; roll back afterwards.");
        }
        return reasons;
    }
    if (!s.busyWith.empty()) {
        reasons.push_back(fmt::format("\"{}\" is running.", s.busyWith));
    }
    if (needsChecklist(command)) {
        addChecks(s, nowUs, reasons);
    }
    if (command == CommandKind::Cutover || command == CommandKind::Ramp) {
        addFeed(s, "forward", command == CommandKind::Cutover, nowUs, reasons);
    }
    if (command == CommandKind::Rollback) {
        addFeed(s, "reverse", true, nowUs, reasons);
    }
    return reasons;
}

} // namespace tealdeck
