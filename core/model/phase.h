// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tealdeck {

/// Where a deployment stands. Drawn left to right on the phase rail; the point of no return lies inside Cutover.
enum class Phase {
    Plan,       ///< nothing was touched
    Preflight,  ///< the checklist was evaluated
    Replicate,  ///< schema and data are being copied to green
    Validate,   ///< green is caught up and follows
    Ramp,       ///< reads move to green step by step
    Cutover,    ///< writes are being moved (in either direction)
    Observe,    ///< green is production, blue follows: the rollback window
    RolledBack, ///< blue is production again, green follows
    Finalized,  ///< green is production for good
    Aborted     ///< everything that was made has been removed; blue as found
};

const char* phaseName(Phase phase);
std::optional<Phase> phaseFromName(std::string_view name);
/// Phases in the order of the rail.
const std::vector<Phase>& railPhases();

/// What an operator can ask for.
enum class CommandKind {
    Check,
    Replicate,
    Ramp,
    Cutover,
    Rollback,
    Finalize,
    Abort,
    Override,
    SignOff,
    Note,
    Acknowledge, ///< an alarm was seen
    Shelve,      ///< an alarm is put aside for a while
    Continue,    ///< a run goes on that holds before a step
    Verify,      ///< the data of both sides is compared
    Stop,        ///< a comparison ends early
    Drift,       ///< a change of the schema is carried to the other side
    Skip,        ///< a transaction that a feed cannot apply is left out
    PauseCopy,   ///< the initial copy stands still
    ResumeCopy,  ///< it goes on, also above a budget for which it holds
    CancelCopy   ///< it ends where it is; another Replicate goes on from there
};
const char* commandName(CommandKind kind);
std::optional<CommandKind> commandFromName(std::string_view name);

/// How a command is confirmed: a click (L1), arm and hold (L2), arm, hold and the deployment's name with a reason (L3), hold 0.5 s (Abort).
enum class Confirmation { Click, ArmAndHold, ArmHoldAndType, ShortHold };

/// One row of the table of phases.
struct PhaseRule {
    Phase phase;
    CommandKind command;
    Confirmation confirmation;
    const char* title;       ///< what the button says
    const char* consequence; ///< what will happen, in one sentence
    Phase leadsTo;           ///< where the deployment stands when the command went well; the same phase when it does not move
};

/// The whole table: a command is allowed in a phase exactly if a row says so.
const std::vector<PhaseRule>& phaseTable();
/// The row, or nullptr.
const PhaseRule* findRule(Phase phase, CommandKind command);
/// Why the command is not allowed in the phase: names the phases in which it is.
std::string whyNotInPhase(Phase phase, CommandKind command);
/// The act that leads on from this phase, if there is one.
std::optional<CommandKind> nextCommand(Phase phase);
/// True for what only notes or answers: done at once, whatever runs, and never blocked by what changed since one looked.
bool isWordOnly(CommandKind command);
/// The whole table as a diagram of states in the Mermaid language, as CONTRIBUTING.md shows it.
std::string phaseDiagram();
/// The same as a Graphviz digraph.
std::string phaseGraph();
/// The same as a table for people: one line a phase and command that moves it.
std::string phaseText();
/// What Abort does in this phase: the label of the button.
const char* abortLabel(Phase phase, bool pastPointOfNoReturn);

} // namespace tealdeck
