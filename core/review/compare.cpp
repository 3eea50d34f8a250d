// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/compare.h"

#include "core/review/svg.h"
#include "core/review/times.h"
#include "core/util/text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

std::string nameOf(const ReportData& data) {
    return fmt::format("{} ({}, {})", data.file, plainText(data.measures.session.mode, 20), utcDateTime(data.measures.first.wallUs));
}

template <class List, class Id>
std::vector<StepPair> pairUp(const List& a, const List& b, Id id) {
    std::vector<StepPair> pairs;
    const auto take = [&](const List& list, std::size_t which) {
        for (const auto& one : list) {
            const auto [name, ms] = id(one);
            auto found = std::find_if(pairs.begin(), pairs.end(), [&, &wanted = name](const StepPair& p) { return p.id == wanted; });
            if (found == pairs.end()) {
                pairs.push_back({name, {}});
                found = std::prev(pairs.end());
            }
            if (ms >= 0) {
                found->ms[which] = ms;
            }
        }
    };
    take(a, 0);
    take(b, 1);
    return pairs;
}

std::string times(const std::optional<double>& ms) {
    return ms ? durationText(*ms) : "–";
}

/// How much longer the second took.
std::string difference(const StepPair& pair) {
    if (!pair.ms[0] || !pair.ms[1]) {
        return "";
    }
    const double more = *pair.ms[1] - *pair.ms[0];
    const std::string ratio = *pair.ms[0] > 0 ? fmt::format(" (× {:.2f})", *pair.ms[1] / *pair.ms[0]) : "";
    return fmt::format("{}{}{}", more < 0 ? "−" : "+", durationText(std::abs(more)), ratio);
}

std::vector<std::vector<std::string>> rowsOf(const std::vector<StepPair>& pairs) {
    std::vector<std::vector<std::string>> rows;
    for (const StepPair& pair : pairs) {
        if (rows.size() < 500) {
            rows.push_back({pair.id, times(pair.ms[0]), times(pair.ms[1]), difference(pair)});
        }
    }
    return rows;
}

/// The samples with their time counted from the anchor, moved so that no plot begins before zero.
Curve shifted(const ReportData& data, const std::string& metric, const std::string& name, std::size_t number, std::int64_t byUs) {
    Curve curve{name, number == 0 ? "#2b5c8a" : "#a3554d", number == 0 ? "" : "6 3", {}};
    if (const auto found = data.series.find(metric); found != data.series.end()) {
        curve.columns = found->second;
        for (SeriesColumn& column : curve.columns) {
            column.timeUs += byUs;
        }
    }
    return curve;
}

void overlay(Section& section, const ReportData* const data[2], const Comparison& c, const std::string& metric, const char* caption,
             const char* unit) {
    const auto before = [&](int i) { return c.at[i]->steadyUs - data[i]->measures.first.steadyUs; };
    const auto after = [&](int i) { return data[i]->measures.last.steadyUs - c.at[i]->steadyUs; };
    const std::int64_t zero = std::max(before(0), before(1));
    std::vector<Curve> curves;
    for (std::size_t i = 0; i < 2; ++i) {
        Curve curve = shifted(*data[i], metric, i == 0 ? "first" : "second", i, zero - c.at[i]->steadyUs);
        if (!curve.columns.empty()) {
            curves.push_back(std::move(curve));
        }
    }
    if (!curves.empty()) {
        section.figure(plotCurves(caption, unit, curves, {{zero, c.anchor}}, 0, zero + std::max(after(0), after(1))));
    }
}

} // namespace

bool isAnchor(const std::string& anchor) {
    for (const char* kind : {"phase:", "switch:", "command:", "step:"}) {
        if (anchor.rfind(kind, 0) == 0 && anchor.size() > std::string(kind).size()) {
            return true;
        }
    }
    return false;
}

std::optional<Moment> findAnchor(const Measures& m, const std::string& anchor) {
    const std::size_t colon = anchor.find(':');
    const std::string kind = anchor.substr(0, colon);
    const std::string name = colon == std::string::npos ? "" : anchor.substr(colon + 1);
    if (kind == "phase") {
        const std::string begins = "phase " + name;
        for (const TimelineEntry& entry : m.timeline.items) {
            if (entry.matter == Matter::Phase && (entry.text == begins || entry.text.rfind(begins + ":", 0) == 0)) {
                return entry.at;
            }
        }
    } else if (kind == "switch") {
        for (const SwitchMeasure& each : m.switches) {
            if (each.report.ok && each.report.direction == name) {
                return each.ended;
            }
        }
    } else if (kind == "command") {
        for (const CommandMeasure& command : m.commands.items) {
            if (command.command == name) {
                return command.asked;
            }
        }
    } else if (kind == "step") {
        for (const StepMeasure& step : m.steps.items) {
            if (step.id == name) {
                return step.begun;
            }
        }
    }
    return std::nullopt;
}

std::vector<std::string> commonAnchors(const Measures& a, const Measures& b) {
    std::vector<std::string> found;
    const auto offer = [&](const std::string& anchor) {
        const bool known = std::find(found.begin(), found.end(), anchor) != found.end();
        if (!known && found.size() < 300 && findAnchor(a, anchor) && findAnchor(b, anchor)) {
            found.push_back(anchor);
        }
    };
    for (int phase = 0; phase <= static_cast<int>(Phase::Aborted); ++phase) {
        offer(std::string("phase:") + phaseName(static_cast<Phase>(phase)));
    }
    for (const SwitchMeasure& each : a.switches) {
        offer("switch:" + each.report.direction);
    }
    for (const CommandMeasure& command : a.commands.items) {
        offer("command:" + command.command);
    }
    for (const StepMeasure& step : a.steps.items) {
        offer("step:" + step.id);
    }
    return found;
}

Comparison compareRecordings(const ReportData& a, const ReportData& b, const std::string& anchor) {
    Comparison comparison{anchor, {findAnchor(a.measures, anchor), findAnchor(b.measures, anchor)}, {}, {}};
    comparison.steps = pairUp(a.measures.steps.items, b.measures.steps.items,
                              [](const StepMeasure& step) { return std::pair(step.id, step.outcome == "done" ? step.ms : -1); });
    comparison.commands = pairUp(a.measures.commands.items, b.measures.commands.items,
                                 [](const CommandMeasure& command) { return std::pair(command.command, command.ok ? command.ms : -1); });
    return comparison;
}

Document makeComparison(const ReportData& a, const ReportData& b, const std::string& anchor) {
    const Comparison c = compareRecordings(a, b, anchor);
    const ReportData* const data[2] = {&a, &b};
    Document document{"Two recordings side by side", fmt::format("first: {} · second: {}", nameOf(a), nameOf(b)), {}};
    Section about{"What is compared", {}};
    for (std::size_t i = 0; i < 2; ++i) {
        const ReportData& one = *data[i];
        about.say(fmt::format("{}: {}. {} The anchor \"{}\" is {}.", i == 0 ? "First" : "Second", nameOf(one), one.integrity.sentence,
                              plainText(anchor, 60),
                              c.at[i] ? fmt::format("at {} of it, {}", positionText(c.at[i]->steadyUs), utcDateTime(c.at[i]->wallUs))
                                      : "NOT in it"),
                  !one.integrity.good() || !c.at[i]);
    }
    Section lags{"Lag, zero at the anchor", {}};
    if (c.at[0] && c.at[1]) {
        overlay(lags, data, c, "lag_seconds.forward", "Lag of GREEN in seconds", "s");
        overlay(lags, data, c, "lag_bytes.forward", "Lag of GREEN in bytes", "B");
    } else {
        lags.say("Without an anchor in both they cannot be laid over one another.");
    }
    Section pauses{"Write pause", {}};
    std::vector<std::vector<std::string>> rows;
    std::vector<Bar> bars;
    for (std::size_t i = 0; i < 2; ++i) {
        for (const SwitchMeasure& each : data[i]->measures.switches) {
            const std::string direction = plainText(each.report.direction, 20);
            rows.push_back({i == 0 ? "first" : "second", direction, each.report.ok ? "done" : "did not happen",
                            durationText(each.report.pauseMs), plainText(each.report.detail)});
            if (each.report.ok && bars.size() < 20) {
                bars.push_back({fmt::format("{} {}", i == 0 ? "first" : "second", direction), pauseParts(each.report)});
            }
        }
    }
    pauses.table({"recording", "move", "outcome", "pause", "why not"}, std::move(rows));
    if (!bars.empty()) {
        pauses.figure(plotBars("Parts of each pause", "ms", bars));
    }
    Section steps{"Durations side by side", {}};
    steps.table({"command", "first", "second", "second against first"}, rowsOf(c.commands));
    steps.table({"step", "first", "second", "second against first"}, rowsOf(c.steps));
    Section alarms{"Alarms", {}};
    rows.clear();
    for (const char* priority : {"high", "medium", "low"}) {
        std::vector<std::string> row{priority};
        for (const ReportData* one : data) {
            const auto found = one->measures.alarmsByPriority.find(priority);
            row.push_back(found == one->measures.alarmsByPriority.end()
                              ? "none"
                              : fmt::format("{}, longest {}", found->second.count, durationText(found->second.longestMs)));
        }
        rows.push_back(std::move(row));
    }
    alarms.table({"priority", "first", "second"}, std::move(rows));
    document.sections = {about, pauses, lags, steps, alarms};
    return document;
}

} // namespace tealdeck::review
