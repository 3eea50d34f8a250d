// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/recording_commands.h"

#include "app/ctl/recording_options.h"
#include "core/recording/finish.h"
#include "core/recording/reader.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>
#include <memory>

namespace tealdeck {
namespace {

std::string duration(std::int64_t us) {
    const std::int64_t ms = us / 1000;
    return fmt::format("{}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

Json toJson(const VerifyReport& report) {
    return {{"ok", report.ok},         {"records", report.records}, {"redacted", report.redacted}, {"broken_at_seq", report.brokenAtSeq},
            {"reason", report.reason}, {"head", report.headHash}};
}

Json toJson(const RecordingInfo& info) {
    return {{"meta", info.meta},
            {"records", info.records},
            {"first_wall_us", info.firstWallUs},
            {"last_wall_us", info.lastWallUs},
            {"duration_us", info.durationUs},
            {"finished", info.closed},
            {"salvaged", info.salvaged},
            {"format_version", info.version},
            {"keyframes", info.keyframes},
            {"head", info.headHash},
            {"size_bytes", info.sizeBytes},
            {"verify", info.verified ? toJson(*info.verified) : Json(nullptr)}};
}

std::string sentence(const VerifyReport& report) {
    if (report.ok) {
        return fmt::format("sound: {} records follow from one another{}", report.records,
                           report.redacted == 0 ? "" : fmt::format(", {} of them redacted", report.redacted));
    }
    return report.brokenAtSeq == 0 ? "damaged: " + report.reason
                                   : fmt::format("broken at record {}: {}", report.brokenAtSeq, report.reason);
}

void row(const char* name, const std::string& value) {
    fmt::print("{:<12} {}\n", name, value);
}

int showInfo(const RecordingOptions& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return failRecording(reader.error());
    }
    const Result<VerifyReport> report = (*reader)->verify();
    const Result<RecordingInfo> info = report ? (*reader)->info() : Result<RecordingInfo>(report.error());
    if (!info) {
        return failRecording(info.error());
    }
    if (options.json) {
        fmt::print("{}\n", dumpJson(toJson(*info)));
        return report->ok ? 0 : 1;
    }
    for (const auto& [key, value] : info->meta) {
        row(plainText(key, 40).c_str(), plainText(value));
    }
    row("records", std::to_string(info->records));
    if (info->records > 0) {
        row("from", isoUtc(info->firstWallUs));
        row("to", isoUtc(info->lastWallUs));
    }
    row("duration", duration(info->durationUs));
    row("finished", info->closed ? "yes" : "no");
    row("size", fmt::format("{:.1f} MiB", static_cast<double>(info->sizeBytes) / (1 << 20)));
    row("format", fmt::format("version {}, {} keyframes", info->version, info->keyframes));
    if (!info->salvaged.empty()) {
        row("salvaged", info->salvaged);
    }
    row("head", info->headHash);
    row("chain", sentence(*report));
    return report->ok ? 0 : 1;
}

/// The number of the record with this hash, for example the head_hash that a control database remembers; 0 when there is none.
Result<std::uint64_t> findHead(RecordingReader& reader, const std::string& head) {
    std::uint64_t found = 0;
    const Status read = reader.readStored(1, 0, [&](const StoredRecord& record) {
        found = chain::hex(record.hash) == head ? record.seq : 0;
        return found == 0;
    });
    return read ? Result<std::uint64_t>(found) : Result<std::uint64_t>(read.error());
}

/// The whole file against what was noted when it was finished.
struct DigestCheck {
    std::string found;
    std::string noted; ///< empty: nothing was noted
    [[nodiscard]] bool same() const { return noted.empty() || noted == found; }
};

Result<DigestCheck> checkDigest(const std::string& file) {
    const Result<std::string> found = fileDigest(file);
    const Result<std::optional<std::string>> noted = notedDigest(file);
    if (!found || !noted) {
        return found ? noted.error() : found.error();
    }
    return DigestCheck{*found, noted->value_or("")};
}

int showVerify(const RecordingOptions& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return failRecording(reader.error());
    }
    const Result<VerifyReport> report = (*reader)->verify();
    if (!report) {
        return failRecording(report.error());
    }
    const Result<DigestCheck> digest = checkDigest(options.file);
    const Result<std::uint64_t> anchor = options.head.empty() || !report->ok ? Result<std::uint64_t>(0) : findHead(**reader, options.head);
    if (!digest || !anchor) {
        return failRecording(digest ? anchor.error() : digest.error());
    }
    const bool anchored = options.head.empty() || *anchor != 0;
    if (options.json) {
        Json json = toJson(*report);
        json["sha256"] = digest->found;
        json["anchor_seq"] = *anchor == 0 ? Json(nullptr) : Json(*anchor);
        json["sha256_noted"] = digest->noted.empty() ? Json(nullptr) : Json(digest->noted);
        fmt::print("{}\n", dumpJson(json));
    } else {
        fmt::print("{}\nhead {}\nfile {}, {}\n", sentence(*report), report->headHash, digest->found,
                   digest->noted.empty() ? "no .sha256 beside it to compare with"
                   : digest->same()      ? "as its .sha256 says"
                                         : "NOT what its .sha256 says");
    }
    if (!options.json && !options.head.empty()) {
        fmt::print("anchor {}\n", anchored ? fmt::format("is the hash of record {}", *anchor)
                                           : "is the hash of NO record: this is another recording, or a part of it is missing");
    }
    return report->ok && digest->same() && anchored ? 0 : 1;
}

} // namespace

int failRecording(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return 2;
}

namespace {

using Options = std::shared_ptr<RecordingOptions>;

CLI::App* addOne(CLI::App& parent, const char* name, const char* what, const char* example, const Options& options, int& exitCode,
                 int (*run)(const RecordingOptions&)) {
    CLI::App* command = parent.add_subcommand(name, what);
    command->add_option("FILE", options->file, "The recording")->required();
    command->footer(std::string("Example: tealctl recording ") + example);
    command->callback([options, run, &exitCode] { exitCode = run(*options); });
    return command;
}

/// What reviewers do with a recording.
void addReviewCommands(CLI::App& recording, const Options& options, int& exitCode) {
    CLI::App* report = addOne(recording, "report", "Say for people what happened, who decided what, what clients felt, and how one knows",
                              "report shop.teal --format html --out shop.html", options, exitCode, &writeReport);
    report
        ->add_option("--format", options->format,
                     "html (one file, with plots), md, csv or ndjson; \"tealdeck --replay FILE --report F.pdf\" makes a PDF")
        ->required();
    report->add_option("--out", options->out, "A new file instead of the standard output");
    report->add_option("--notes", options->notes, "The reviewers' notes; those beside the recording unless told");
    report->add_option("--head", options->head, "A hash that a record must have, such as head_hash of tealdeck.deployment in a database");
    CLI::App* compare = addOne(recording, "compare", "Put two recordings side by side, such as a rehearsal and the production",
                               "compare rehearsal.teal shop.teal --format md", options, exitCode, &compareRecordingFiles);
    compare->add_option("OTHER", options->other, "The second recording")->required();
    compare->add_option(
        "--anchor", options->anchor,
        "The moment that they have in common: phase:NAME, switch:cutover, command:NAME or step:NAME; phase:observe unless told");
    compare->add_option("--format", options->format, "md or html")->required();
    compare->add_option("--out", options->out, "A new file instead of the standard output");
    CLI::App* import =
        addOne(recording, "import", "Bring in what others recorded (deployments, pages, a chat) as a lane beside the recording",
               "import shop.teal deploys.csv --offset-ms -1500", options, exitCode, &importEvents);
    import->add_option("EVENTS", options->other, "CSV with names in the first line, or NDJSON: time (with zone), text, author")->required();
    import->add_option("--offset-ms", options->offset, "What to add to their clock");
    import->add_option("--notes", options->notes, "The file of notes to put them into; beside the recording unless told");
}

void addNotesCommands(CLI::App& recording, const Options& options, int& exitCode) {
    CLI::App* notes = recording.add_subcommand("notes", "What reviewers wrote about a recording; the recording itself is never changed");
    notes->require_subcommand(1);
    CLI::App* list = addOne(*notes, "list", "All of them, by time", "notes list shop.teal", options, exitCode, &listNotes);
    list->add_flag("--json", options->json, "One JSON object a line");
    CLI::App* add =
        addOne(*notes, "add", "Write one", "notes add shop.teal --at 00:12:33.120 --kind fact --text 'the pooler was restarted'", options,
               exitCode, &addNote);
    add->add_option("--text", options->text, "What it says")->required();
    add->add_option("--at", options->at, "Where in the recording, HH:MM:SS.mmm; its beginning unless told");
    add->add_option("--until", options->until, "End of a span, HH:MM:SS.mmm");
    add->add_option("--kind", options->noteKind, "bookmark, fact, hypothesis or action; fact unless told");
    add->add_option("--owner", options->owner, "Who takes care, of an action");
    add->add_option("--as", options->author, "Your name; that of your account unless told");
    add->add_option("--revise", options->noteId, "The id of the note that this one replaces");
    CLI::App* merge = addOne(*notes, "merge", "Bring in another reviewer's file: exit code 1 when a note contradicts one that is here",
                             "notes merge shop.teal from-ben.notes", options, exitCode, &mergeNotesFiles);
    merge->add_option("OTHER", options->other, "The other file of notes")->required();
    for (CLI::App* each : {list, add, merge}) {
        each->add_option("--notes", options->notes, "The file of notes; beside the recording unless told");
    }
}

} // namespace

void addRecordingCommands(CLI::App& app, int& exitCode) {
    CLI::App* recording = app.add_subcommand("recording", "Look into a recording (*.teal), copy or export it");
    recording->require_subcommand(1);
    const auto options = std::make_shared<RecordingOptions>();
    const auto add = [&](const char* name, const char* what, int (*run)(const RecordingOptions&), const char* example) {
        CLI::App* command = recording->add_subcommand(name, what);
        command->add_option("FILE", options->file, "The recording")->required();
        command->footer(std::string("Example: tealctl recording ") + example);
        command->callback([options, run, &exitCode] { exitCode = run(*options); });
        return command;
    };
    const auto filters = [&](CLI::App* command) {
        command->add_option("--kind", options->kind, "Only this kind, for example phase, intent, operator, metrics");
        command->add_option("--from", options->from, "Begin at this number");
        command->add_option("--limit", options->limit, "At most so many (0: all)");
        command->add_option("--at", options->at, "Begin at this time of day in UTC, HH:MM:SS");
    };
    add("info", "What it is about, how long, whether it is finished and sound: exit code 0 when sound, 1 when not", &showInfo,
        "info shop.teal --json")
        ->add_flag("--json", options->json, "JSON");
    CLI::App* verify = add("verify", "Recompute the chain of hashes and the file's digest: exit code 0 when sound, 1 when not", &showVerify,
                           "verify shop.teal --head 3f0c…");
    verify->add_flag("--json", options->json, "JSON");
    verify->add_option("--head", options->head,
                       "A hash that a record must have: head_hash of tealdeck.deployment in a database, or of a report");
    CLI::App* events = add("events", "Its events, one a line", &showRecordingEvents, "events shop.teal --kind phase --at 14:05:00");
    events->add_flag("--json", options->json, "One JSON object a line");
    events->add_flag("--csv", options->csv, "Comma-separated values for spreadsheets");
    filters(events);
    CLI::App* exported =
        add("export", "All that it says, for other programs", &exportRecording, "export shop.teal --format csv --out shop.csv");
    exported->add_option("--format", options->format, "ndjson (one JSON object a line) or csv (for spreadsheets)")->required();
    exported->add_option("--out", options->out, "A new file instead of the standard output");
    filters(exported);
    CLI::App* salvaged = add("salvage",
                             "Copy what the chain proves of a damaged one: exit code 0 when nothing is missing, 1 when something is, 2 "
                             "when nothing can be proven",
                             &salvageRecordingFile, "salvage torn.teal --out saved.teal");
    salvaged->add_option("--out", options->out, "The new file")->required();
    salvaged->add_flag("--json", options->json, "The report as JSON");
    CLI::App* redacted = add("redact", "Copy it without what others must not see; the copy still verifies, with the same head",
                             &redactRecordingFile, "redact shop.teal --out public.teal --class hosts,names,statements --word 'Acme Ltd'");
    redacted->add_option("--out", options->out, "The new file")->required();
    redacted->add_option("--class", options->classes, "hosts, names, statements, values, texts; hosts,names,statements unless told")
        ->delimiter(',');
    redacted->add_option("--word", options->words, "Take out each record that contains this, in any case; may be given several times");
    redacted->add_flag("--json", options->json, "The report as JSON");
    addReviewCommands(*recording, options, exitCode);
    addNotesCommands(*recording, options, exitCode);
}

} // namespace tealdeck
