// SPDX-License-Identifier: GPL-3.0-or-later
// The table of phases as pictures and text: made from the data, so that they cannot tell another story.
#include "core/model/phase.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck {
namespace {

/// Only what moves the deployment, in the table's order.
std::vector<const PhaseRule*> moves() {
    std::vector<const PhaseRule*> list;
    for (const PhaseRule& rule : phaseTable()) {
        if (rule.leadsTo != rule.phase) {
            list.push_back(&rule);
        }
    }
    return list;
}

struct Edge {
    Phase from;
    Phase to;
    std::string label;
    bool operator==(const Edge& other) const { return from == other.from && to == other.to && label == other.label; }
};

/// Where a deployment stands while the command runs; the phase itself when it stays.
Phase during(const PhaseRule& rule) {
    switch (rule.command) {
    case CommandKind::Replicate:
        return Phase::Replicate;
    case CommandKind::Cutover:
    case CommandKind::Rollback:
        return Phase::Cutover;
    default:
        return rule.phase;
    }
}

/// Commands as arrows, those that take their time through the phase in which they run.
std::vector<Edge> edges() {
    std::vector<Edge> list;
    const auto add = [&](Edge edge) {
        if (edge.from != edge.to && std::find(list.begin(), list.end(), edge) == list.end()) {
            list.push_back(std::move(edge));
        }
    };
    for (const PhaseRule* rule : moves()) {
        const Phase way = during(*rule);
        add({rule->phase, way, commandName(rule->command)});
        add({way, rule->leadsTo, way == rule->phase && rule->command != CommandKind::Replicate ? commandName(rule->command) : "done"});
    }
    return list;
}

/// Mermaid's names of states hold no hyphen.
std::string stateName(Phase phase) {
    std::string name = phaseName(phase);
    for (char& c : name) {
        c = c == '-' ? '_' : c;
    }
    return name;
}

} // namespace

std::string phaseDiagram() {
    std::string text = "stateDiagram-v2\n    [*] --> plan\n";
    for (const Edge& edge : edges()) {
        text += fmt::format("    {} --> {}: {}\n", stateName(edge.from), stateName(edge.to), edge.label);
    }
    return text + "    finalized --> [*]\n";
}

std::string phaseGraph() {
    std::string text = "digraph phases {\n    rankdir=LR;\n    node [shape=box];\n";
    for (const Edge& edge : edges()) {
        text += fmt::format("    \"{}\" -> \"{}\" [label=\"{}\"];\n", phaseName(edge.from), phaseName(edge.to), edge.label);
    }
    return text + "}\n";
}

std::string phaseText() {
    std::string text;
    for (const PhaseRule* rule : moves()) {
        text += fmt::format("{:<12} {:<10} → {:<12} {}\n", phaseName(rule->phase), commandName(rule->command), phaseName(rule->leadsTo),
                            rule->consequence);
    }
    return text;
}

} // namespace tealdeck
