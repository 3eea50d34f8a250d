// SPDX-License-Identifier: GPL-3.0-or-later
// What a reviewer asks first. Every sentence comes from the record; what it does not hold is said to be not recorded.
#include "core/review/report.h"
#include "core/review/times.h"
#include "core/util/text.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr std::size_t FEW = 8;
constexpr std::size_t DECISIONS = 25;

/// The text as the end of a sentence.
std::string stop(const std::string& text) {
    return !text.empty() && std::string(".!?…").find(text.back()) != std::string::npos ? text : text + ".";
}

std::string at(const Moment& moment) {
    return localTime(moment.wallUs).substr(0, 8);
}

std::string number(double value) {
    return fmt::format("{:.4g}", value);
}

Answer whatHappened(const ReportData& data) {
    Answer answer{"What happened?", {}, false};
    const Measures& m = data.measures;
    answer.lines.push_back(fmt::format(
        "The recording tells of the deployment \"{}\" from {} to {} ({}). At its end the phase was {} and the writes went to {}.",
        plainText(m.session.deployment, 60), localDateTime(m.first.wallUs), localDateTime(m.last.wallUs),
        durationText(msBetween(m.first.steadyUs, m.last.steadyUs)), phaseName(m.endPhase), m.writesTo));
    for (const SwitchMeasure& each : m.switches) {
        const SwitchReport& report = each.report;
        answer.lines.push_back(report.ok ? fmt::format("{}: {} done, the writes were paused for {}.", at(each.ended),
                                                       plainText(report.direction, 20), durationText(report.pauseMs))
                                         : fmt::format("{}: {} did NOT happen: {}", at(each.ended), plainText(report.direction, 20),
                                                       report.detail.empty() ? "no reason is recorded" : plainText(report.detail)));
    }
    if (m.switches.empty()) {
        answer.lines.emplace_back("The writes were never moved.");
    }
    for (const ReturnMeasure& back : m.returns) {
        answer.lines.push_back(fmt::format("{}: {} asked for {}{}{}.", at(back.asked), back.who, back.command,
                                           back.trouble ? fmt::format(", {} after the first trouble that nobody had answered",
                                                                      durationText(msBetween(back.trouble->steadyUs, back.asked.steadyUs)))
                                                        : "",
                                           back.ended ? fmt::format("; it was {} {} later", back.ok ? "done" : "over",
                                                                    durationText(msBetween(back.asked.steadyUs, back.ended->steadyUs)))
                                                      : "; its end is not recorded"));
    }
    return answer;
}

Answer whatWentWrong(const ReportData& data) {
    Answer answer{"What went wrong, and how fast was it answered?", {}, false};
    const Bounded<Reaction>& all = data.measures.reactions;
    for (std::size_t i = 0; i < std::min(all.items.size(), FEW); ++i) {
        const Reaction& reaction = all.items[i];
        answer.lines.push_back(
            fmt::format("{}: {} {}", at(reaction.trouble), stop(reaction.text),
                        reaction.acted ? fmt::format("The first act after it was \"{}\" by {}, {} later.", reaction.act, reaction.who,
                                                     durationText(msBetween(reaction.trouble.steadyUs, reaction.acted->steadyUs)))
                                       : "No operator's act follows it."));
    }
    if (all.items.size() > FEW || all.leftOut > 0) {
        answer.lines.push_back(
            fmt::format("{} more are in the section on alarms.", all.items.size() - std::min(all.items.size(), FEW) + all.leftOut));
    }
    if (all.items.empty()) {
        answer.lines.emplace_back("No alarm of medium or high priority, no failed step and no blocking check that failed is recorded.");
    }
    return answer;
}

Answer whoDecided(const ReportData& data) {
    Answer answer{"Who decided?", {}, false};
    const Measures& m = data.measures;
    std::size_t moves = 0;
    for (const Decision& decision : m.decisions.items) {
        const bool word = decision.what.rfind("note", 0) == 0 || decision.what.rfind("check", 0) == 0;
        if (word || ++moves > DECISIONS) {
            continue;
        }
        answer.lines.push_back(
            fmt::format("{}: {} decided \"{}\"{} {}", at(decision.answered), decision.who, decision.what,
                        stop((decision.accepted ? "" : ", which was refused: " + decision.reply) +
                             (decision.reason.empty() ? "" : ", because: " + decision.reason)),
                        decision.prompted ? "The question that was shown is recorded." : "What the screen asked is not recorded."));
    }
    if (moves > DECISIONS) {
        answer.lines.push_back(
            fmt::format("{} more are in the section on decisions, each with what was known at the time.", moves - DECISIONS));
    }
    if (moves == 0) {
        answer.lines.emplace_back("Nobody decided anything.");
    }
    for (const std::string& override : m.overrides) {
        answer.lines.push_back("A check was overridden: " + override);
    }
    return answer;
}

Answer whatClientsFelt(const ReportData& data) {
    Answer answer{"What did clients feel?", {}, false};
    for (const SwitchMeasure& each : data.measures.switches) {
        if (!each.report.ok) {
            continue;
        }
        std::string parts;
        for (const auto& [name, ms] : pauseParts(each.report)) {
            parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", name, durationText(ms));
        }
        answer.lines.push_back(fmt::format("{}: writes waited for {} ({}).", plainText(each.report.direction, 20),
                                           durationText(each.report.pauseMs), parts.empty() ? "its parts are not recorded" : parts));
        for (const ClientPauses& waited : each.waited) {
            answer.lines.push_back(fmt::format("{}: {}.", plainText(each.report.direction, 20), clientPausesText(waited)));
        }
    }
    if (answer.lines.empty()) {
        answer.lines.emplace_back("No pause of the writes is recorded.");
    }
    for (const auto& [name, extreme] : data.measures.clients) {
        answer.lines.push_back(fmt::format("Largest {}: {} at {}.", name, number(extreme.value), at(extreme.at)));
    }
    if (data.measures.clients.empty()) {
        answer.lines.emplace_back("Errors and latencies of the clients themselves are not recorded.");
    }
    return answer;
}

Answer wasDataLost(const ReportData& data) {
    Answer answer{"Was data lost, and how does one know?", {}, false};
    const Measures& m = data.measures;
    const bool moved = std::any_of(m.switches.begin(), m.switches.end(), [](const SwitchMeasure& s) { return s.report.ok; });
    const auto failed = std::count_if(m.proofs.items.begin(), m.proofs.items.end(), [](const Proof& p) { return !p.ok; });
    if (!moved) {
        answer.lines.emplace_back("The writes never moved, so there was nothing that could be lost on the way.");
    } else {
        answer.lines.emplace_back("A switch counts as done only after a marker, written behind the last transaction of the side that "
                                  "closed, had come through the "
                                  "feed and was flushed on the other side; the recording holds the outcome of each:");
        for (const SwitchMeasure& each : m.switches) {
            const auto receive = each.report.partsMs.find("receive");
            if (each.report.ok) {
                answer.lines.push_back(fmt::format("{}: {}: {}.", at(each.ended), plainText(each.report.direction, 20),
                                                   receive == each.report.partsMs.end()
                                                       ? "the time until the marker arrived is not recorded"
                                                       : "the marker arrived after " + durationText(receive->second)));
            }
        }
    }
    std::size_t comparisons = 0;
    for (const Proof& proof : m.proofs.items) {
        if (proof.text.find("verify") != std::string::npos || proof.text.find("compar") != std::string::npos) {
            ++comparisons;
            answer.lines.push_back(fmt::format("{}: {}", at(proof.at), proof.text));
        }
    }
    if (comparisons == 0) {
        answer.lines.emplace_back("A comparison of the data of both sides is not recorded.");
    }
    if (failed > 0) {
        answer.lines.push_back(
            fmt::format("{} of the {} recorded proofs failed; each is in the section on the data.", failed, m.proofs.items.size()));
    }
    if (!data.integrity.good() || m.gaps > 0) {
        answer.warning = true;
        answer.lines.emplace_back("The recording itself is not whole, so that it cannot answer this for all of its time.");
    }
    return answer;
}

Answer canItBeTrusted(const ReportData& data) {
    Answer answer{"Can this recording be trusted?", {data.integrity.word + ". " + data.integrity.sentence}, !data.integrity.good()};
    if (!data.notedSha256.empty() && data.notedSha256 != data.fileSha256) {
        answer.warning = true;
        answer.lines.emplace_back("The file is NOT what the .sha256 beside it says.");
    }
    answer.lines.insert(answer.lines.end(), data.anchors.begin(), data.anchors.end());
    if (data.anchors.empty()) {
        answer.lines.emplace_back(
            "No hash from elsewhere was given to compare with (tealdeck.deployment.head_hash in the databases, with --head).");
    }
    return answer;
}

} // namespace

std::vector<std::pair<std::string, double>> pauseParts(const SwitchReport& report) {
    std::vector<std::pair<std::string, double>> parts;
    const auto add = [&](const std::string& name, double ms) {
        if (std::isfinite(ms) && ms >= 0 && ms < 1e12 && parts.size() < 20) {
            parts.emplace_back(plainText(name, 40), ms);
        }
    };
    const std::vector<std::string> order{"pause", "fence", "receive", "open", "resume"};
    for (const std::string& name : order) {
        if (const auto found = report.partsMs.find(name); found != report.partsMs.end()) {
            add(name, found->second);
        }
    }
    for (const auto& [name, ms] : report.partsMs) {
        if (std::find(order.begin(), order.end(), name) == order.end()) {
            add(name, ms);
        }
    }
    return parts;
}

std::vector<std::pair<std::string, double>> pauseBySide(const SwitchReport& report) {
    const bool forward = report.direction != "rollback";
    double at[3] = {0, 0, 0};
    for (const auto& [name, ms] : pauseParts(report)) {
        const bool source = name == "pause" || name == "fence";
        const bool destination = name == "receive" || name == "open";
        at[source ? 0 : destination ? 1 : 2] += ms;
    }
    return {{forward ? "on BLUE" : "on GREEN", at[0]}, {forward ? "on GREEN" : "on BLUE", at[1]}, {"at the endpoints", at[2]}};
}

std::vector<Answer> answersOf(const ReportData& data) {
    return {whatHappened(data), whatWentWrong(data), whoDecided(data), whatClientsFelt(data), wasDataLost(data), canItBeTrusted(data)};
}

} // namespace tealdeck::review
