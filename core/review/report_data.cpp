// SPDX-License-Identifier: GPL-3.0-or-later
// The numbers of a report for other programs: CSV and NDJSON say the same.
#include "core/recording/export.h"
#include "core/review/report.h"
#include "core/review/times.h"
#include "core/util/clock.h"
#include "core/util/json.h"
#include "core/util/text.h"

#include <cmath>
#include <fmt/format.h>
#include <functional>

namespace tealdeck::review {
namespace {

struct DataRow {
    const char* section;
    std::optional<Moment> at;
    std::string who;
    std::string name;
    std::optional<double> value;
    const char* unit = "";
    std::string text;
};
using Each = std::function<void(const DataRow&)>;

std::optional<double> finite(double value) {
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void decisionRows(const Measures& m, const Each& each) {
    for (const Decision& decision : m.decisions.items) {
        std::string text = decision.accepted ? "accepted" : "refused: " + decision.reply;
        text += decision.reason.empty() ? "" : "; because: " + decision.reason;
        text += decision.prompted ? "; asked: " + decision.prompt : "";
        for (const std::string& line : decision.evidence) {
            text += "; " + line;
        }
        each({"decision", decision.answered, decision.who, decision.what, msBetween(decision.asked.steadyUs, decision.answered.steadyUs),
              "ms", text});
    }
}

void alarmRows(const Measures& m, const Each& each) {
    for (const AlarmSpan& span : m.alarms.items) {
        const double stood = msBetween(span.raised.steadyUs, span.over ? span.over->steadyUs : m.last.steadyUs);
        each({"alarm", span.raised, span.acknowledgedBy, span.id, stood, "ms", span.priority + ": " + span.cause});
    }
    for (const Reaction& reaction : m.reactions.items) {
        each({"reaction", reaction.trouble, reaction.who, reaction.act,
              reaction.acted ? finite(msBetween(reaction.trouble.steadyUs, reaction.acted->steadyUs)) : std::nullopt, "ms", reaction.text});
    }
    for (const ReturnMeasure& back : m.returns) {
        each({"return", back.asked, back.who, back.command,
              back.ended ? finite(msBetween(back.asked.steadyUs, back.ended->steadyUs)) : std::nullopt, "ms",
              back.ok ? "done" : "not done"});
    }
}

void switchRows(const Measures& m, const Each& each) {
    for (const SwitchMeasure& one : m.switches) {
        const std::string direction = one.report.direction;
        each({"switch", one.ended, "", direction, finite(one.report.pauseMs), "ms",
              one.report.ok ? "done" : "did not happen: " + one.report.detail});
        for (const auto& [name, ms] : pauseParts(one.report)) {
            each({"pause", one.ended, "", direction + "." + name, ms, "ms", ""});
        }
        for (const ClientPauses& waited : one.waited) {
            for (const ClientGroup& group : waited.groups) {
                each({"waited", one.ended, "", clientGroupName(group), finite(group.longestMs), "ms",
                      fmt::format("{} at {}", group.clients, plainText(waited.pooler, 80))});
            }
        }
    }
    for (const CommandMeasure& command : m.commands.items) {
        each({"command", command.asked, command.who, command.command, command.ended ? finite(command.ms) : std::nullopt, "ms",
              command.ok ? "done" : command.detail});
    }
    for (const StepMeasure& step : m.steps.items) {
        each({"step", step.begun, "", step.id, step.ms < 0 ? std::nullopt : finite(step.ms), "ms",
              step.outcome + (step.detail.empty() ? "" : ": " + step.detail)});
    }
}

void allRows(const ReportData& data, const Each& each) {
    const Measures& m = data.measures;
    each({"recording", m.first, "", data.file, static_cast<double>(data.info.records), "records",
          data.integrity.word + ": " + data.integrity.sentence});
    each({"recording", m.last, "", "head", std::nullopt, "", data.info.verified ? data.info.verified->headHash : data.info.headHash});
    switchRows(m, each);
    decisionRows(m, each);
    alarmRows(m, each);
    for (const auto& [name, extreme] : m.largest) {
        each({"largest", extreme.at, "", name, finite(extreme.value), "", ""});
    }
    for (const Proof& proof : m.proofs.items) {
        each({"proof", proof.at, "", proof.ok ? "held" : "failed", std::nullopt, "", proof.text});
    }
    for (const ReviewNote& note : data.notes) {
        each({"note", Moment{0, note.fromUs, note.writtenWallUs}, note.author, note.kind, finite(msBetween(note.fromUs, note.toUs)), "ms",
              note.text + (note.owner.empty() ? "" : " (owner: " + note.owner + ")") + (note.conflict ? " (CONFLICT)" : "")});
    }
    for (const TimelineEntry& entry : m.timeline.items) {
        each({"timeline", entry.at, entry.who, matterName(entry.matter), std::nullopt, "", entry.text});
    }
    for (const auto& [name, columns] : data.series) {
        for (const SeriesColumn& column : columns) {
            each({"series", Moment{0, column.timeUs, m.first.wallUs}, "", name, finite(column.high), "highest", ""});
        }
    }
}

} // namespace

std::string reportCsv(const ReportData& data) {
    std::string text = "section,time_utc,time_local,steady_us,who,name,value,unit,text\n";
    allRows(data, [&](const DataRow& row) {
        // Of a column of a plot only the steady time is known exactly.
        const bool wall = row.at && std::string(row.section) != "series";
        text += fmt::format("{},{},{},{},{},{},{},{},{}\n", row.section, wall ? isoUtc(row.at->wallUs) : "",
                            wall ? localDateTime(row.at->wallUs) : "", row.at ? std::to_string(row.at->steadyUs) : "", csvField(row.who),
                            csvField(row.name), row.value ? fmt::format("{:.10g}", *row.value) : "", row.unit, csvField(row.text));
    });
    return text;
}

std::string reportNdjson(const ReportData& data) {
    std::string text;
    allRows(data, [&](const DataRow& row) {
        Json json{{"section", row.section},     {"who", plainText(row.who, 200)},   {"name", plainText(row.name, 200)},
                  {"value", orNull(row.value)}, {"unit", row.unit}, {"text", plainText(row.text, 4000)}};
        if (row.at) {
            json["steady_us"] = row.at->steadyUs;
            if (std::string(row.section) != "series") {
                json["time_utc"] = isoUtc(row.at->wallUs);
                json["time_local"] = localDateTime(row.at->wallUs) + " " + zoneName(row.at->wallUs);
            }
        }
        text += dumpJson(json) + "\n";
    });
    return text;
}

bool isReportForm(const std::string& form) {
    return form == "html" || form == "md" || form == "csv" || form == "ndjson";
}

std::optional<std::string> reportAs(const ReportData& data, const std::string& form) {
    return form == "html"     ? std::optional(toHtml(makeReport(data)))
           : form == "md"     ? std::optional(toMarkdown(makeReport(data)))
           : form == "csv"    ? std::optional(reportCsv(data))
           : form == "ndjson" ? std::optional(reportNdjson(data))
                              : std::nullopt;
}

} // namespace tealdeck::review
