// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/measures.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <set>

namespace tealdeck::review {

Moment momentOf(const Event& event);
/// A member as plain text; empty when it is none.
std::string textOf(const Json& body, const char* key, std::size_t max = 400);
/// The gates of a prompt with their values and ages, as they were shown.
std::vector<std::string> shownGates(const Json& body);

/// What a builder remembers between two events. Each list in it has an end.
struct MeasuresBuilder::State {
    Measures m;
    Snapshot snapshot; ///< before the present event
    std::string running;
    std::map<std::string, std::string> titles; ///< of the running command's steps
    std::map<std::string, StepMeasure> openSteps;
    std::map<std::string, AlarmSpan> spans;
    std::map<std::string, std::vector<double>> acks; ///< by priority, in ms
    std::vector<Reaction> open;                      ///< trouble that nobody answered yet
    std::optional<Decision> asked;                   ///< a prompt that waits for its answer
    std::vector<ClientPauses> waited;                ///< of the switch whose end comes next
    std::set<std::string> known;                     ///< people

    void say(const Event& e, Matter matter, std::string text);
    void trouble(const Event& e, std::string text);
    void answered(const Event& e, const std::string& act);
    void takeMetrics(const Event& e);
    void takeStep(const Event& e);
    void begin(const Event& e, const std::string& command);
    void end(const Event& e, const std::string& command);
    void takeIntent(const Event& e);
    void takeOutcome(const Event& e);
    void takeAlarm(const Event& e);
    void close(AlarmSpan span, std::int64_t endUs);
    void takeCheck(const Event& e, const CheckState* before);
    void takePeople(const Event& e);
    void takeClocks(const Event& e);
    void takeComparison(const Event& e);
    void takeRest(const Event& e);
    void takeDecision(const Event& e); ///< measures_decisions.cpp
    void takeOperator(const Event& e);
    void takePrompt(const Event& e);
    void takeSeen(const Event& e); ///< seen.cpp
};

} // namespace tealdeck::review
