// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/client_pauses.h"
#include "core/model/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What a recording says when one adds it up. Texts are plain (one line, no control characters), times are those of the records;
/// what the recording does not say is absent, never zero.
namespace tealdeck::review {

/// A point of a recording.
struct Moment {
    std::uint64_t seq = 0;
    std::int64_t steadyUs = 0; ///< since the recording began
    std::int64_t wallUs = 0;   ///< since 1970 UTC
};

/// A list that stops growing: a recording may hold a million of anything.
template <class T>
struct Bounded {
    std::vector<T> items;
    std::uint64_t leftOut = 0;
    void add(T item, std::size_t most) { items.size() < most ? items.push_back(std::move(item)) : static_cast<void>(++leftOut); }
};

struct SwitchMeasure {
    Moment ended;
    SwitchReport report;              ///< its pause and the parts of it in ms
    std::vector<ClientPauses> waited; ///< by pooler; empty: not recorded
};

struct StepMeasure {
    std::string command; ///< that it belongs to
    std::string id;      ///< "cutover.gate"
    std::string title;
    Moment begun;
    double ms = -1;      ///< -1: not known
    std::string outcome; ///< done, failed, undone, unfinished
    std::string detail;
};

/// A command from the operator's word to its end.
struct CommandMeasure {
    std::string command;
    std::string who; ///< empty: the engine by itself
    Moment asked;
    std::optional<Moment> ended; ///< nothing: the recording ends before it
    bool ok = false;
    double ms = -1;
    std::string detail;
};

/// Who decided what, when, asked how, and what was known then.
struct Decision {
    Moment asked; ///< of the prompt; of the act itself when no prompt was recorded
    Moment answered;
    bool prompted = false; ///< the exact question was recorded
    std::string who;
    std::string what;   ///< "cutover", "override SRV02/blue"
    std::string prompt; ///< word by word
    std::string reason; ///< as it was typed; empty: none was given
    bool accepted = false;
    std::string reply;                 ///< why it was refused
    std::vector<std::string> evidence; ///< what the screen and the state said at that moment, a sentence each
};

struct AlarmSpan {
    std::string id;
    std::string priority;
    std::string cause;
    Moment raised;
    std::optional<Moment> over;
    std::optional<Moment> acknowledged;
    std::string acknowledgedBy;
};

/// The alarms of one priority.
struct AlarmMeasure {
    std::uint64_t count = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t standing = 0; ///< not over at the end
    double longestMs = 0;       ///< until the end of the recording when not over
    double slowestAckMs = -1;   ///< -1: none was acknowledged
    std::optional<double> medianAckMs;
};

/// Trouble, and how long it took until somebody did something.
struct Reaction {
    Moment trouble;
    std::string text;
    std::string act; ///< what was done first; empty: nothing until the end
    std::string who;
    std::optional<Moment> acted;
};

/// An abort or a rollback.
struct ReturnMeasure {
    std::string command;
    std::string who;
    std::string stops; ///< the switch that ran; empty: none
    Moment asked;
    std::optional<Moment> trouble; ///< the oldest unanswered one before it
    std::optional<Moment> ended;
    bool ok = false;
};

struct Extreme {
    double value = 0;
    Moment at;
};

/// Something in the recording that says whether data arrived: markers, witnesses, comparisons.
struct Proof {
    Moment at;
    bool ok = false;
    std::string text;
};

/// What a console told of its operator's screen and hands, or a command that came of it.
struct Seen {
    Moment at;
    std::string who;
    EventKind kind = EventKind::ViewChange; ///< ViewChange, Prompt, Answer or Operator
    std::string text;                       ///< the page, the words of the prompt or the answer, the command
    std::vector<std::string> gates;         ///< of a prompt, as they were shown with their ages
    double armedMs = -1;                    ///< of a prompt: how long it stays armed; -1: it is no matter of time
    std::string hold;                       ///< of an answer: begun, released, complete; empty: no hold
    double neededMs = -1;
    double heldMs = -1;
    bool over = false; ///< of an answer or a command: the prompt is gone
};

enum class Matter { Phase, Act, Alarm, Step, Switch, Check, Word, Trouble };
const char* matterName(Matter matter);
/// Times come from a file: their difference need not fit into their type.
double msBetween(std::int64_t fromUs, std::int64_t toUs);

struct TimelineEntry {
    Moment at;
    Matter matter = Matter::Word;
    std::string who;
    std::string text;
};

struct Measures {
    SessionInfo session; ///< the last one told
    std::uint64_t records = 0;
    Moment first;
    Moment last;
    Phase endPhase = Phase::Plan;
    std::string writesTo; ///< at the end
    std::vector<std::string> actors;
    std::vector<std::string> lives; ///< when the engine began and began again, as sentences
    std::vector<SwitchMeasure> switches;
    Bounded<StepMeasure> steps;
    Bounded<CommandMeasure> commands;
    Bounded<Decision> decisions;
    Bounded<Seen> seen;
    Bounded<AlarmSpan> alarms;
    std::map<std::string, AlarmMeasure> alarmsByPriority;
    Bounded<Reaction> reactions;
    std::vector<ReturnMeasure> returns;
    std::map<std::string, Extreme> largest; ///< of each lag and of what is retained
    std::map<std::string, Extreme> clients; ///< largest of what clients felt: errors, latencies; empty: not recorded
    Bounded<Proof> proofs;
    std::vector<std::string> overrides;                   ///< "SRV02/blue by anna: reason", those that stood at the end
    std::map<std::string, std::uint64_t> statementErrors; ///< by SQLSTATE
    std::uint64_t statements = 0;
    std::uint64_t gaps = 0;
    std::uint64_t clockSteps = 0; ///< the wall clock moved against the steady one by more than a second
    Bounded<TimelineEntry> timeline;
};

/// Adds events up, one after the other; memory does not grow with their number.
class MeasuresBuilder {
  public:
    MeasuresBuilder();
    ~MeasuresBuilder();
    MeasuresBuilder(const MeasuresBuilder&) = delete;
    MeasuresBuilder& operator=(const MeasuresBuilder&) = delete;
    void apply(const Event& event);
    /// After the last one.
    [[nodiscard]] Measures done();

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace tealdeck::review
