// SPDX-License-Identifier: GPL-3.0-or-later
// Copies of recordings: what is left of a damaged one, and one without what others must not see.
#include "app/ctl/recording_options.h"
#include "core/recording/redact.h"
#include "core/recording/salvage.h"
#include "core/util/clock.h"
#include "core/util/json.h"
#include "core/util/text.h"

#include <fmt/format.h>

namespace tealdeck {
namespace {

Json toJson(const RedactionReport& report) {
    return {{"records", report.records},   {"redacted", report.redacted}, {"by_kind", report.byKind},
            {"by_class", report.byReason}, {"meta", report.meta},         {"actors", report.actors},
            {"words", report.words},       {"head", report.headHash},     {"remarks", report.remarks}};
}

} // namespace

int salvageRecordingFile(const RecordingOptions& options) {
    const Result<SalvageReport> report = salvageRecording(options.file, options.out);
    if (!report) {
        return failRecording(report.error());
    }
    if (options.json) {
        fmt::print("{}\n", dumpJson({{"records", report->records},
                                     {"unproven", report->unproven},
                                     {"complete", report->complete},
                                     {"last_wall_us", report->lastWallUs},
                                     {"head", report->headHash},
                                     {"source_sha256", report->sourceSha256},
                                     {"text", report->text}}));
    } else {
        fmt::print("{}\nhead {}\n{} is sound and finished; its last records say what it is.\n", report->text, report->headHash,
                   plainText(options.out, 200));
    }
    return report->complete ? 0 : 1;
}

int redactRecordingFile(const RecordingOptions& options) {
    std::set<RedactionClass> classes;
    for (const std::string& name : options.classes) {
        const std::optional<RedactionClass> known = redactionClassFromName(name);
        if (!known) {
            return failRecording({Error::Kind::Invalid,
                                  fmt::format("There is no class named {} to redact.", plainText(name, 40)),
                                  "Use hosts, names, statements, values or texts.",
                                  {}});
        }
        classes.insert(*known);
    }
    if (options.classes.empty()) {
        classes = {RedactionClass::Hosts, RedactionClass::Names, RedactionClass::Statements};
    }
    const Result<RedactionReport> report = redactRecording(options.file, options.out, classes, options.words);
    if (!report) {
        return failRecording(report.error());
    }
    if (options.json) {
        fmt::print("{}\n", dumpJson(toJson(*report)));
    } else {
        fmt::print("{}", redactionText(*report, options.out));
    }
    return 0;
}

} // namespace tealdeck
