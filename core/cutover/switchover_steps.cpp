// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of a switch, in order, as a run takes them and a dry run tells them.
#include "core/cutover/switchover.h"

namespace tealdeck {
namespace {

constexpr Millis SETUP_LIMIT{30000};

using Act = std::function<Status(StepContext&)>;

Step make(std::string id, std::string title, Act run, Millis limit, std::string waitsFor, std::string onTimeout) {
    Step step;
    step.id = std::move(id);
    step.title = std::move(title);
    step.run = std::move(run);
    step.limit = limit;
    step.waitsFor = std::move(waitsFor);
    step.onTimeout = std::move(onTimeout);
    return step;
}

Step undoneBy(Step step, std::function<Status()> undo) {
    step.undo = std::move(undo);
    return step;
}

std::string shout(Side side) {
    return side == Side::Green ? "GREEN" : "BLUE";
}

} // namespace

std::vector<Step> Switchover::stepsToSwitch() {
    std::vector<Step> steps = stepsToPrepare();
    const std::string to = shout(m_destination);
    const std::string from = shout(m_source);
    steps.push_back(undoneBy(make(
                                 m_id + ".guardian", "Start the guardian", [this](StepContext&) { return startGuardian(); }, SETUP_LIMIT,
                                 "its sessions", "nothing was changed"),
                             [this] {
                                 m_guardian.reset();
                                 return Status();
                             }));
    steps.push_back(make(
        m_id + ".gate", "Prove that " + to + " follows closely", [this](StepContext& c) { return gate(c); }, Millis(20000),
        "three markers in a row", "nothing was paused"));
    steps.push_back(make(
        m_id + ".switch", "Pause, fence " + from + ", prove, open " + to + ", resume", [this](StepContext& c) { return pauseAndOpen(c); },
        m_plan.cutover.budget + Millis(5000), "running transactions, then the marker on " + to, "writes go back to " + from));
    return steps;
}

std::vector<Step> Switchover::stepsToPrepare() {
    const std::string to = shout(m_destination);
    const std::string from = shout(m_source);
    std::vector<Step> steps;
    steps.push_back(make(
        m_id + ".sessions", "Open the sessions that the switch uses", [this](StepContext&) { return openSessions(); }, SETUP_LIMIT,
        "both primaries", "nothing was changed"));
    steps.push_back(undoneBy(make(
                                 m_id + ".reads", "Move all reads to " + to, [this](StepContext&) { return moveReads(); }, SETUP_LIMIT,
                                 "the load balancer", "reads go back"),
                             [this] { return restoreReads(); }));
    steps.push_back(make(
        m_id + ".sequences", "Advance the sequences on " + to, [this](StepContext&) { return advanceSequences(); }, SETUP_LIMIT, to,
        "nothing to undo: gaps in sequences are harmless"));
    steps.push_back(undoneBy(make(
                                 m_id + ".return-path", "Prepare the feed from " + to + " to " + from,
                                 [this](StepContext& c) { return armReturnPath(c); }, Millis(90000), "a replication slot on " + to,
                                 "the feed is removed again"),
                             [this] { return disarmReturnPath(); }));
    steps.push_back(
        undoneBy(make(
                     m_id + ".witness", "Call a witness of the fence on " + from, [this](StepContext&) { return callWitness(); },
                     SETUP_LIMIT, "transactions that are open on " + from, "the witness is dismissed"),
                 [this] { return dismissWitness(); }));
    steps.push_back(make(
        m_id + ".poolers", "Stage the new targets of poolers and routers", [this](StepContext&) { return stagePoolers(); }, SETUP_LIMIT,
        "the poolers", "nothing was changed"));
    return steps;
}

std::vector<Step> Switchover::stepsAfterSwitch() {
    const std::string to = shout(m_destination);
    const std::string from = shout(m_source);
    std::vector<Step> steps = {
        make(
            m_id + ".confirm", "Confirm where the endpoints lead", [this](StepContext&) { return confirmEndpoints(); }, SETUP_LIMIT,
            "the poolers", "a pooler must be pointed by hand"),
        make(
            m_id + ".old-feed", "End the feed from " + from + " to " + to, [this](StepContext&) { return endOldFeed(); }, SETUP_LIMIT, to,
            "it stays disabled"),
        make(
            m_id + ".evidence", "Prove that nothing was written behind the fence of " + from,
            [this](StepContext&) { return hearWitness(); }, SETUP_LIMIT, from, "no way back until it is proven"),
        make(
            m_id + ".return-feed", "Start the feed from " + to + " to " + from, [this](StepContext& c) { return startReturnFeed(c); },
            SETUP_LIMIT, from, "no way back until it runs"),
        make(
            m_id + ".return-proof", "Prove the feed from " + to + " to " + from, [this](StepContext& c) { return proveReturnFeed(c); },
            Millis(60000), "a marker on " + from, "no way back until it is seen")};
    for (Step& step : steps) {
        step.safety = true;
    }
    return steps;
}

} // namespace tealdeck
