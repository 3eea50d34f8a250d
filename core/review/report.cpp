// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/review/report.h"

#include "core/review/svg.h"
#include "core/review/times.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr std::size_t TIMELINE_ROWS = 1500;
constexpr std::size_t ROWS = 500;
constexpr std::size_t CARDS = 200;
constexpr std::size_t PLOT_MARKS = 40;

std::vector<std::string> times(const Moment& moment) {
    return {utcTime(moment.wallUs), localTime(moment.wallUs), positionText(moment.steadyUs)};
}

std::vector<std::string> rowOf(const Moment& moment, std::vector<std::string> rest) {
    std::vector<std::string> row = times(moment);
    std::move(rest.begin(), rest.end(), std::back_inserter(row));
    return row;
}

std::vector<std::string> header(const ReportData& data, std::vector<std::string> rest) {
    std::vector<std::string> names{"UTC", zoneName(data.measures.first.wallUs), "since the beginning"};
    std::move(rest.begin(), rest.end(), std::back_inserter(names));
    return names;
}

void sayLeftOut(Section& section, std::uint64_t leftOut) {
    if (leftOut > 0) {
        section.say(
            fmt::format("{} more are left out here; the CSV and NDJSON reports or \"tealctl recording export\" have them.", leftOut));
    }
}

Section summary(const ReportData& data) {
    Section section{"Summary", {}};
    for (const Answer& answer : answersOf(data)) {
        section.head(answer.question);
        for (std::size_t i = 0; answer.warning && i < answer.lines.size(); ++i) {
            section.say(answer.lines[i], true);
        }
        section.list(answer.warning ? std::vector<std::string>() : answer.lines);
    }
    return section;
}

Section identity(const ReportData& data) {
    Section section{"The recording", {}};
    section.say(data.integrity.word + ": " + data.integrity.sentence, !data.integrity.good());
    std::vector<std::vector<std::string>> rows;
    for (const auto& [key, value] : data.info.meta) {
        rows.push_back({plainText(key, 60), plainText(value)});
    }
    rows.push_back({"file", data.file});
    rows.push_back({"records", std::to_string(data.info.records)});
    rows.push_back({"begins", utcDateTime(data.measures.first.wallUs) + " · " + localDateTime(data.measures.first.wallUs) + " " +
                                  zoneName(data.measures.first.wallUs)});
    rows.push_back({"ends", utcDateTime(data.measures.last.wallUs) + " · " + localDateTime(data.measures.last.wallUs) + " " +
                                zoneName(data.measures.last.wallUs)});
    rows.push_back({"mode", plainText(data.measures.session.mode, 20)});
    rows.push_back({"format", fmt::format("version {}", data.info.version)});
    rows.push_back({"head hash", data.info.verified ? data.info.verified->headHash : data.info.headHash});
    rows.push_back({"SHA-256 of the file", data.fileSha256 + (data.notedSha256.empty()              ? " (no .sha256 beside it)"
                                                              : data.notedSha256 == data.fileSha256 ? " (as its .sha256 says)"
                                                                                                    : " (NOT what its .sha256 says)")});
    rows.push_back({"gaps, steps of the wall clock", fmt::format("{}, {}", data.measures.gaps, data.measures.clockSteps)});
    rows.push_back({"report made", utcDateTime(data.madeWallUs)});
    section.table({"", ""}, std::move(rows));
    section.list(data.anchors);
    section.list(data.measures.lives);
    return section;
}

/// Client by client, as the poolers told.
void whoWaited(Section& section, const ReportData& data) {
    std::vector<std::vector<std::string>> rows;
    for (const SwitchMeasure& each : data.measures.switches) {
        for (const ClientPauses& waited : each.waited) {
            for (const ClientGroup& group : waited.groups) {
                rows.push_back(rowOf(each.ended, {plainText(each.report.direction, 20), plainText(waited.pooler, 80),
                                                  clientGroupName(group), std::to_string(group.clients), durationText(group.longestMs)}));
            }
        }
    }
    if (!rows.empty()) {
        section.head("Who waited");
        section.table(header(data, {"move", "pooler", "client", "clients", "longest wait"}), std::move(rows));
    }
}

Section pauses(const ReportData& data) {
    Section section{"Write pause", {}};
    std::vector<Bar> bars;
    std::vector<std::vector<std::string>> rows;
    for (const SwitchMeasure& each : data.measures.switches) {
        std::string parts;
        for (const auto& [name, ms] : pauseParts(each.report)) {
            parts += fmt::format("{}{} {:.1f}", parts.empty() ? "" : ", ", name, ms);
        }
        rows.push_back(rowOf(each.ended, {plainText(each.report.direction, 20), each.report.ok ? "done" : "did not happen",
                                          durationText(each.report.pauseMs), parts, plainText(each.report.detail)}));
        if (each.report.ok && bars.size() < 20) {
            bars.push_back({fmt::format("{} {}", plainText(each.report.direction, 20), localTime(each.ended.wallUs).substr(0, 8)),
                            pauseParts(each.report)});
        }
    }
    if (rows.empty()) {
        section.say("The writes were not moved.");
        return section;
    }
    section.table(header(data, {"move", "outcome", "pause", "parts in ms", "why not"}), std::move(rows));
    for (const SwitchMeasure& each : data.measures.switches) {
        if (each.report.ok && !each.report.partsMs.empty()) {
            std::string sides;
            for (const auto& [side, ms] : pauseBySide(each.report)) {
                sides += fmt::format("{}{} {}", sides.empty() ? "" : ", ", durationText(ms), side);
            }
            section.say(
                fmt::format("{} at {}: {}.", plainText(each.report.direction, 20), localTime(each.ended.wallUs).substr(0, 8), sides));
        }
    }
    if (!bars.empty()) {
        section.figure(plotBars("Parts of each pause of the writes, in the order in which they happen", "ms", bars));
    }
    whoWaited(section, data);
    return section;
}

std::vector<VerticalMark> marksOf(const ReportData& data) {
    std::vector<VerticalMark> marks;
    for (const TimelineEntry& entry : data.measures.timeline.items) {
        const bool phase = entry.matter == Matter::Phase && entry.text.rfind("phase ", 0) == 0;
        if (phase && marks.size() < PLOT_MARKS) {
            const std::string name = entry.text.substr(6, entry.text.find(':') - 6);
            if (marks.empty() || marks.back().text != name) {
                marks.push_back({entry.at.steadyUs, name});
            }
        }
    }
    return marks;
}

void plot(Section& section, const ReportData& data, const char* caption, const char* unit,
          const std::vector<std::pair<const char*, const char*>>& names) {
    static constexpr const char* COLOURS[] = {"#2b5c8a", "#2d7a52"};
    static constexpr const char* DASHES[] = {"", "6 3"};
    std::vector<Curve> curves;
    for (const auto& [metric, name] : names) {
        if (const auto found = data.series.find(metric); found != data.series.end()) {
            curves.push_back({name, COLOURS[curves.size() % 2], DASHES[curves.size() % 2], found->second});
        }
    }
    if (!curves.empty()) {
        section.figure(plotCurves(caption, unit, curves, marksOf(data), std::max<std::int64_t>(0, data.measures.first.steadyUs),
                                  data.measures.last.steadyUs));
    }
}

Section plots(const ReportData& data) {
    Section section{"Lag and load", {}};
    plot(section, data, "Replication lag in seconds; where the line stops, the lag was not known", "s",
         {{"lag_seconds.forward", "BLUE to GREEN"}, {"lag_seconds.reverse", "GREEN to BLUE"}});
    plot(section, data, "Replication lag in bytes", "B", {{"lag_bytes.forward", "BLUE to GREEN"}, {"lag_bytes.reverse", "GREEN to BLUE"}});
    plot(section, data, "Transactions a second", "tx/s", {{"tps.blue", "BLUE"}, {"tps.green", "GREEN"}});
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, extreme] : data.measures.largest) {
        rows.push_back(rowOf(extreme.at, {name, fmt::format("{:.6g}", extreme.value)}));
    }
    section.table(header(data, {"largest", "value"}), std::move(rows));
    if (section.blocks.empty()) {
        section.say("Not recorded.");
    }
    return section;
}

/// A card: who, when, asked how, answered what and why, and what was known.
void addDecision(Section& section, const Decision& decision) {
    section.head(fmt::format("{} UTC · {} {} · {}: {}", utcTime(decision.answered.wallUs), localTime(decision.answered.wallUs),
                             zoneName(decision.answered.wallUs), decision.who, decision.what));
    std::vector<std::string> lines;
    lines.push_back(decision.accepted ? "Outcome: accepted" : "Outcome: refused: " + decision.reply);
    lines.push_back("Reason: " + (decision.reason.empty() ? "none given" : decision.reason));
    lines.push_back(decision.prompted
                        ? fmt::format("Asked {} before, with these words: {}",
                                      durationText(msBetween(decision.asked.steadyUs, decision.answered.steadyUs)), decision.prompt)
                        : "The question as it was shown is not recorded.");
    lines.insert(lines.end(), decision.evidence.begin(), decision.evidence.end());
    section.list(std::move(lines));
}

Section decisions(const ReportData& data) {
    Section section{"Decisions and overrides", {}};
    const std::vector<Decision>& all = data.measures.decisions.items;
    for (std::size_t i = 0; i < std::min(all.size(), CARDS); ++i) {
        addDecision(section, all[i]);
    }
    sayLeftOut(section, all.size() - std::min(all.size(), CARDS) + data.measures.decisions.leftOut);
    section.say(data.measures.overrides.empty() ? "No override stood at the end." : "Overrides that stood at the end:");
    section.list(data.measures.overrides);
    return section;
}

Section alarms(const ReportData& data) {
    Section section{"Alarms and reactions", {}};
    std::vector<std::vector<std::string>> rows;
    static const AlarmMeasure none;
    for (const char* priority : {"high", "medium", "low"}) {
        const auto found = data.measures.alarmsByPriority.find(priority);
        const AlarmMeasure& a = found == data.measures.alarmsByPriority.end() ? none : found->second;
        rows.push_back({priority, std::to_string(a.count), a.count == 0 ? "" : durationText(a.longestMs), std::to_string(a.acknowledged),
                        a.medianAckMs ? durationText(*a.medianAckMs) : "", a.acknowledged == 0 ? "" : durationText(a.slowestAckMs),
                        std::to_string(a.standing)});
    }
    section.table({"priority", "alarms", "longest", "acknowledged", "after (median)", "after (slowest)", "standing at the end"},
                  std::move(rows));
    rows.clear();
    for (const AlarmSpan& span : data.measures.alarms.items) {
        if (rows.size() < ROWS) {
            rows.push_back(rowOf(
                span.raised, {span.priority, span.id, span.cause,
                              span.over ? durationText(msBetween(span.raised.steadyUs, span.over->steadyUs)) : "until the end",
                              span.acknowledged ? fmt::format("{}, after {}", span.acknowledgedBy,
                                                              durationText(msBetween(span.raised.steadyUs, span.acknowledged->steadyUs)))
                                                : "nobody"}));
        }
    }
    section.table(header(data, {"priority", "alarm", "cause", "stood", "acknowledged by"}), std::move(rows));
    rows.clear();
    for (const Reaction& reaction : data.measures.reactions.items) {
        if (rows.size() < ROWS) {
            rows.push_back(rowOf(reaction.trouble,
                                 {reaction.text, reaction.acted ? reaction.act : "none", reaction.who,
                                  reaction.acted ? durationText(msBetween(reaction.trouble.steadyUs, reaction.acted->steadyUs)) : ""}));
        }
    }
    section.table(header(data, {"trouble", "first act after it", "by", "after"}), std::move(rows));
    return section;
}

Section steps(const ReportData& data) {
    Section section{"Steps and their durations", {}};
    std::vector<std::vector<std::string>> rows;
    for (const CommandMeasure& command : data.measures.commands.items) {
        if (rows.size() < ROWS) {
            rows.push_back(rowOf(command.asked, {command.command, command.who.empty() ? "the engine" : command.who,
                                                 command.ended ? durationText(command.ms) : "",
                                                 !command.ended ? "its end is not recorded"
                                                 : command.ok   ? "done"
                                                                : "failed",
                                                 command.detail}));
        }
    }
    section.table(header(data, {"command", "asked by", "took", "outcome", "detail"}), std::move(rows));
    rows.clear();
    for (const StepMeasure& step : data.measures.steps.items) {
        if (rows.size() < ROWS) {
            rows.push_back(rowOf(step.begun, {step.id, step.title, step.ms < 0 ? "" : durationText(step.ms), step.outcome, step.detail}));
        }
    }
    const std::uint64_t left = data.measures.steps.items.size() - rows.size() + data.measures.steps.leftOut;
    section.table(header(data, {"step", "", "took", "outcome", "detail"}), std::move(rows));
    sayLeftOut(section, left);
    return section;
}

Section proofs(const ReportData& data) {
    Section section{"The data: what was proven", {}};
    std::vector<std::vector<std::string>> rows;
    for (const Proof& proof : data.measures.proofs.items) {
        if (rows.size() < ROWS) {
            rows.push_back(rowOf(proof.at, {proof.ok ? "held" : "FAILED", proof.text}));
        }
    }
    if (rows.empty()) {
        section.say("Nothing that would prove anything about the data is recorded.");
    }
    section.table(header(data, {"proof", "what"}), std::move(rows));
    return section;
}

Section notes(const ReportData& data) {
    Section section{"Notes of the reviewers", {}};
    if (!data.notesRemark.empty()) {
        section.say(data.notesRemark, true);
    }
    std::vector<std::vector<std::string>> rows;
    for (const ReviewNote& note : data.notes) {
        if (rows.size() < ROWS) {
            const std::string span =
                note.toUs > note.fromUs ? positionText(note.fromUs) + " to " + positionText(note.toUs) : positionText(note.fromUs);
            rows.push_back(
                {span, note.kind + (note.conflict ? " (CONFLICT: reviewers disagree)" : ""), note.author, note.owner, note.text,
                 note.kind == "external" ? fmt::format("{}, clock {:+} ms", note.source, note.offsetMs) : utcDateTime(note.writtenWallUs)});
        }
    }
    if (rows.empty()) {
        section.say("None.");
    }
    section.table({"when in the recording", "kind", "by", "owner", "text", "written, or from"}, std::move(rows));
    return section;
}

Section timeline(const ReportData& data) {
    Section section{"Timeline", {}};
    std::vector<std::vector<std::string>> rows;
    for (const TimelineEntry& entry : data.measures.timeline.items) {
        if (rows.size() < TIMELINE_ROWS) {
            rows.push_back(rowOf(entry.at, {matterName(entry.matter), entry.who, entry.text}));
        }
    }
    const std::uint64_t left = data.measures.timeline.items.size() - rows.size() + data.measures.timeline.leftOut;
    section.table(header(data, {"kind", "who", "what"}), std::move(rows));
    sayLeftOut(section, left);
    return section;
}

Section errors(const ReportData& data) {
    Section section{"Errors", {}};
    std::vector<std::string> lines{fmt::format("{} statements of the engine are recorded.", data.measures.statements)};
    for (const auto& [code, count] : data.measures.statementErrors) {
        lines.push_back(fmt::format("SQLSTATE {}: {} of them", code, count));
    }
    if (data.measures.statementErrors.empty()) {
        lines.emplace_back("None of them failed.");
    }
    section.list(std::move(lines));
    return section;
}

} // namespace

Document makeReport(const ReportData& data) {
    Document document;
    document.title = fmt::format("Upgrade of {}", plainText(data.measures.session.deployment, 60));
    document.subtitle = fmt::format("{} to {} ({}) · {}", localDateTime(data.measures.first.wallUs),
                                    localDateTime(data.measures.last.wallUs), zoneName(data.measures.first.wallUs), data.integrity.word);
    document.sections = {summary(data), pauses(data),   plots(data), decisions(data), alarms(data),  proofs(data),
                         notes(data),   timeline(data), steps(data), errors(data),    identity(data)};
    return document;
}

} // namespace tealdeck::review
