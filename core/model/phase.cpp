// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/model/phase.h"

#include <array>
#include <utility>

namespace tealdeck {
namespace {

constexpr std::array<std::pair<Phase, const char*>, 10> PHASES = {{{Phase::Plan, "plan"},
                                                                   {Phase::Preflight, "preflight"},
                                                                   {Phase::Replicate, "replicate"},
                                                                   {Phase::Validate, "validate"},
                                                                   {Phase::Ramp, "ramp"},
                                                                   {Phase::Cutover, "cutover"},
                                                                   {Phase::Observe, "observe"},
                                                                   {Phase::RolledBack, "rolled-back"},
                                                                   {Phase::Finalized, "finalized"},
                                                                   {Phase::Aborted, "aborted"}}};

constexpr std::array<std::pair<CommandKind, const char*>, 20> COMMANDS = {{{CommandKind::Check, "check"},
                                                                           {CommandKind::Replicate, "replicate"},
                                                                           {CommandKind::Ramp, "ramp"},
                                                                           {CommandKind::Cutover, "cutover"},
                                                                           {CommandKind::Rollback, "rollback"},
                                                                           {CommandKind::Finalize, "finalize"},
                                                                           {CommandKind::Abort, "abort"},
                                                                           {CommandKind::Override, "override"},
                                                                           {CommandKind::SignOff, "sign-off"},
                                                                           {CommandKind::Note, "note"},
                                                                           {CommandKind::Acknowledge, "acknowledge"},
                                                                           {CommandKind::Shelve, "shelve"},
                                                                           {CommandKind::Continue, "continue"},
                                                                           {CommandKind::Verify, "verify"},
                                                                           {CommandKind::Stop, "stop"},
                                                                           {CommandKind::Drift, "drift"},
                                                                           {CommandKind::Skip, "skip"},
                                                                           {CommandKind::PauseCopy, "pause-copy"},
                                                                           {CommandKind::ResumeCopy, "resume-copy"},
                                                                           {CommandKind::CancelCopy, "cancel-copy"}}};

template <class Table, class Key>
const char* nameIn(const Table& table, Key key) {
    for (const auto& [value, name] : table) {
        if (value == key) {
            return name;
        }
    }
    return "unknown";
}

constexpr const char* CHECK_TITLE = "Run the checklist";
constexpr const char* CHECK_DOES = "Asks every server and router the questions of the checklist. Changes nothing.";
constexpr const char* COPY_TITLE = "Replicate to GREEN";
constexpr const char* COPY_DOES =
    "Copies roles, schema and data to GREEN and keeps it following. BLUE gets a publication, a slot and the control schema.";
constexpr const char* RAMP_TITLE = "Move reads";
constexpr const char* RAMP_DOES = "Sends a share of the reads to GREEN at the load balancer. Writes stay on BLUE.";
constexpr const char* CUTOVER_TITLE = "Cut over to GREEN";
constexpr const char* CUTOVER_DOES =
    "Pauses the writes, fences BLUE, proves that GREEN has everything, opens GREEN and points the clients at it.";
constexpr const char* ROLLBACK_TITLE = "Roll back to BLUE";
constexpr const char* ROLLBACK_DOES = "Moves the writes back to BLUE the same careful way. Nothing written on GREEN is lost.";
constexpr const char* FINALIZE_TITLE = "Finalize on GREEN";
constexpr const char* FINALIZE_DOES = "Closes the rollback window: stops the feed to BLUE for good. BLUE stays fenced and is not deleted.";
constexpr const char* ABORT_TITLE = "Abort";
constexpr const char* TEARDOWN_DOES =
    "Removes everything that was made for the upgrade. BLUE goes on as it was found; the data on GREEN stays for inspection.";
constexpr const char* OVERRIDE_TITLE = "Override a check";
constexpr const char* OVERRIDE_DOES = "Takes the responsibility for a failed check, with a reason that stays in the record.";
constexpr const char* NOTE_TITLE = "Write a note";
constexpr const char* NOTE_DOES = "Adds a line to the record.";
constexpr const char* VERIFY_DOES =
    "Compares every table of both sides, row by row, while everything goes on. Changes nothing but a marker.";
constexpr const char* DRIFT_DOES = "Runs a statement on GREEN that was run on BLUE, and lets new tables be followed.";
constexpr const char* SKIP_DOES =
    "Leaves out the transaction at which a feed stands. Its changes are missing on the side that follows: mend them "
    "there, and compare the data again.";
constexpr const char* CONTINUE_DOES = "Lets a run go on that holds before a step.";

constexpr const char* PAUSE_COPY_DOES = "The copy of the data stands still; BLUE goes on keeping the WAL that GREEN will need.";
constexpr const char* RESUME_COPY_DOES = "The copy of the data goes on, also above a budget for which it holds.";
constexpr const char* CANCEL_COPY_DOES =
    "The copy of the data ends where it is; nothing is removed. Replicate goes on from there: tables that are finished stay.";

/// What is not bound to one phase.
void addEverywhere(std::vector<PhaseRule>& rows, Phase phase) {
    using C = CommandKind;
    using F = Confirmation;
    rows.push_back({phase, C::Note, F::Click, NOTE_TITLE, NOTE_DOES, phase});
    rows.push_back({phase, C::Acknowledge, F::Click, "Acknowledge an alarm", "Says under your name that the alarm was seen.", phase});
    rows.push_back({phase, C::Shelve, F::Click, "Shelve an alarm", "Puts the alarm aside for a while, with a reason.", phase});
    if (phase != Phase::Cutover && phase != Phase::Finalized) {
        const bool fresh = phase == Phase::Plan || phase == Phase::Aborted;
        rows.push_back({phase, C::Check, F::Click, CHECK_TITLE, CHECK_DOES, fresh ? Phase::Preflight : phase});
        rows.push_back({phase, C::Override, F::ArmHoldAndType, OVERRIDE_TITLE, OVERRIDE_DOES, phase});
        rows.push_back({phase, C::SignOff, F::Click, "Sign off", "Confirms a manual item of the checklist under your name.", phase});
    }
    if (phase == Phase::Validate || phase == Phase::Ramp || phase == Phase::Observe || phase == Phase::RolledBack) {
        rows.push_back({phase, C::Verify, F::Click, "Compare the data", VERIFY_DOES, phase});
        rows.push_back({phase, C::Stop, F::Click, "Stop the comparison", "Ends a comparison early; what it found so far stays.", phase});
    }
    if (phase == Phase::Replicate || phase == Phase::Validate || phase == Phase::Ramp || phase == Phase::RolledBack) {
        rows.push_back({phase, C::Drift, F::ArmAndHold, "Carry over a schema change", DRIFT_DOES, phase});
    }
    if (phase == Phase::Replicate || phase == Phase::Validate || phase == Phase::Ramp || phase == Phase::Observe ||
        phase == Phase::RolledBack) {
        rows.push_back({phase, C::Skip, F::ArmHoldAndType, "Leave out a transaction", SKIP_DOES, phase});
    }
    if (phase == Phase::Replicate || phase == Phase::Cutover) {
        rows.push_back({phase, C::Continue, F::ArmAndHold, "Go on", CONTINUE_DOES, phase});
    }
    if (phase == Phase::Replicate) {
        rows.push_back({phase, C::PauseCopy, F::Click, "Pause the copy", PAUSE_COPY_DOES, phase});
        rows.push_back({phase, C::ResumeCopy, F::Click, "Go on copying", RESUME_COPY_DOES, phase});
        rows.push_back({phase, C::CancelCopy, F::ArmAndHold, "Stop the copy", CANCEL_COPY_DOES, phase});
    }
}

} // namespace

const char* phaseName(Phase phase) {
    return nameIn(PHASES, phase);
}

std::optional<Phase> phaseFromName(std::string_view name) {
    for (const auto& [value, known] : PHASES) {
        if (name == known) {
            return value;
        }
    }
    return std::nullopt;
}

const std::vector<Phase>& railPhases() {
    static const std::vector<Phase> phases = {Phase::Plan, Phase::Preflight, Phase::Replicate, Phase::Validate,
                                              Phase::Ramp, Phase::Cutover,   Phase::Observe,   Phase::Finalized};
    return phases;
}

const char* commandName(CommandKind kind) {
    return nameIn(COMMANDS, kind);
}

std::optional<CommandKind> commandFromName(std::string_view name) {
    for (const auto& [value, known] : COMMANDS) {
        if (name == known) {
            return value;
        }
    }
    return std::nullopt;
}

const std::vector<PhaseRule>& phaseTable() {
    using P = Phase;
    using C = CommandKind;
    using F = Confirmation;
    static const std::vector<PhaseRule> table = [] {
        std::vector<PhaseRule> rows = {
            {P::Plan, C::Abort, F::ShortHold, ABORT_TITLE, TEARDOWN_DOES, P::Aborted},
            {P::Preflight, C::Replicate, F::ArmAndHold, COPY_TITLE, COPY_DOES, P::Validate},
            {P::Preflight, C::Abort, F::ShortHold, ABORT_TITLE, TEARDOWN_DOES, P::Aborted},
            {P::Replicate, C::Replicate, F::ArmAndHold, COPY_TITLE, COPY_DOES, P::Validate},
            {P::Replicate, C::Abort, F::ShortHold, ABORT_TITLE, TEARDOWN_DOES, P::Aborted},
            {P::Validate, C::Ramp, F::Click, RAMP_TITLE, RAMP_DOES, P::Ramp},
            {P::Validate, C::Cutover, F::ArmAndHold, CUTOVER_TITLE, CUTOVER_DOES, P::Observe},
            {P::Validate, C::Abort, F::ShortHold, ABORT_TITLE, TEARDOWN_DOES, P::Aborted},
            {P::Ramp, C::Ramp, F::Click, RAMP_TITLE, RAMP_DOES, P::Ramp},
            {P::Ramp, C::Cutover, F::ArmAndHold, CUTOVER_TITLE, CUTOVER_DOES, P::Observe},
            {P::Ramp, C::Abort, F::ShortHold, ABORT_TITLE, TEARDOWN_DOES, P::Aborted},
            {P::Cutover, C::Abort, F::ShortHold, ABORT_TITLE,
             "Before the point of no return: returns the writes to where they came from, nothing is lost.", P::Validate},
            {P::Observe, C::Rollback, F::ArmAndHold, ROLLBACK_TITLE, ROLLBACK_DOES, P::RolledBack},
            {P::Observe, C::Abort, F::ShortHold, ABORT_TITLE, ROLLBACK_DOES, P::RolledBack},
            {P::Observe, C::Finalize, F::ArmHoldAndType, FINALIZE_TITLE, FINALIZE_DOES, P::Finalized},
            {P::RolledBack, C::Ramp, F::Click, RAMP_TITLE, RAMP_DOES, P::Ramp},
            {P::RolledBack, C::Cutover, F::ArmAndHold, CUTOVER_TITLE, CUTOVER_DOES, P::Observe},
            {P::RolledBack, C::Abort, F::ShortHold, ABORT_TITLE, TEARDOWN_DOES, P::Aborted},
        };
        for (const auto& [phase, name] : PHASES) {
            addEverywhere(rows, phase);
        }
        return rows;
    }();
    return table;
}

const PhaseRule* findRule(Phase phase, CommandKind command) {
    for (const PhaseRule& rule : phaseTable()) {
        if (rule.phase == phase && rule.command == command) {
            return &rule;
        }
    }
    return nullptr;
}

std::string whyNotInPhase(Phase phase, CommandKind command) {
    if (findRule(phase, command) != nullptr) {
        return {};
    }
    std::string where;
    for (const PhaseRule& rule : phaseTable()) {
        if (rule.command == command) {
            where += (where.empty() ? "" : ", ") + std::string(phaseName(rule.phase));
        }
    }
    return std::string("\"") + commandName(command) + "\" is not possible in phase \"" + phaseName(phase) + "\"; it is in: " + where + ".";
}

bool isWordOnly(CommandKind command) {
    switch (command) {
    case CommandKind::Note:
    case CommandKind::SignOff:
    case CommandKind::Override:
    case CommandKind::Acknowledge:
    case CommandKind::Shelve:
    case CommandKind::Continue:
    case CommandKind::Stop:
    case CommandKind::PauseCopy:
    case CommandKind::ResumeCopy:
    case CommandKind::CancelCopy:
        return true;
    default:
        return false;
    }
}

std::optional<CommandKind> nextCommand(Phase phase) {
    switch (phase) {
    case Phase::Plan:
    case Phase::Aborted:
        return CommandKind::Check;
    case Phase::Preflight:
    case Phase::Replicate:
        return CommandKind::Replicate;
    case Phase::Validate:
        return CommandKind::Ramp;
    case Phase::Ramp:
    case Phase::RolledBack:
        return CommandKind::Cutover;
    case Phase::Observe:
        return CommandKind::Finalize;
    case Phase::Cutover:
    case Phase::Finalized:
        break;
    }
    return std::nullopt;
}

const char* abortLabel(Phase phase, bool pastPointOfNoReturn) {
    switch (phase) {
    case Phase::Plan:
    case Phase::Preflight:
        return "ABORT: nothing was changed yet";
    case Phase::Replicate:
    case Phase::Validate:
        return "ABORT: stops and removes the copy, BLUE goes on";
    case Phase::Ramp:
    case Phase::RolledBack:
        return "ABORT: reads back to BLUE, removes the copy";
    case Phase::Cutover:
        return pastPointOfNoReturn ? "Past the point of no return: completing" : "ABORT: returns writes, nothing lost";
    case Phase::Observe:
        return "ABORT: rolls writes back to BLUE, nothing lost";
    case Phase::Finalized:
        return "Finished: nothing to abort";
    case Phase::Aborted:
        return "Aborted: BLUE is as it was";
    }
    return "ABORT";
}

} // namespace tealdeck
