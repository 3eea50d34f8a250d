// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/ctl/recording_commands.h"

#include "core/recording/export.h"
#include "core/recording/reader.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>
#include <limits>
#include <memory>

namespace tealdeck {
namespace {

constexpr std::int64_t SECOND_US = 1'000'000;
constexpr std::int64_t DAY_US = 86'400 * SECOND_US;

struct Options {
    std::string file;
    bool json = false;
    bool csv = false;
    std::string kind;
    std::uint64_t from = 1;
    std::uint64_t limit = 0;
    std::string at;
};

int fail(const Error& error) {
    fmt::print(stderr, "tealctl: {}\n", error.text());
    return 2;
}

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

int showInfo(const Options& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return fail(reader.error());
    }
    const Result<VerifyReport> report = (*reader)->verify();
    const Result<RecordingInfo> info = report ? (*reader)->info() : Result<RecordingInfo>(report.error());
    if (!info) {
        return fail(info.error());
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
    row("head", info->headHash);
    row("chain", sentence(*report));
    return report->ok ? 0 : 1;
}

int showVerify(const Options& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return fail(reader.error());
    }
    const Result<VerifyReport> report = (*reader)->verify();
    if (!report) {
        return fail(report.error());
    }
    fmt::print("{}\n", options.json ? dumpJson(toJson(*report)) : fmt::format("{}\nhead {}", sentence(*report), report->headHash));
    return report->ok ? 0 : 1;
}

/// The moment of a time of day (UTC) at or after the beginning of the recording.
Result<std::int64_t> momentOf(const std::string& at, std::int64_t firstWallUs) {
    unsigned hours = 0;
    unsigned minutes = 0;
    unsigned seconds = 0;
    int used = 0;
    const bool shaped =
        std::sscanf(at.c_str(), "%2u:%2u:%2u%n", &hours, &minutes, &seconds, &used) == 3 && static_cast<std::size_t>(used) == at.size();
    if (!shaped || hours > 23 || minutes > 59 || seconds > 59) {
        return Error{
            Error::Kind::Invalid, fmt::format("--at {} is no time of day.", plainText(at, 40)), "Write it as HH:MM:SS, in UTC.", {}};
    }
    const std::int64_t midnight = firstWallUs - firstWallUs % DAY_US;
    const std::int64_t moment = midnight + (static_cast<std::int64_t>(hours) * 3600 + minutes * 60 + seconds) * SECOND_US;
    // The second in which the recording began belongs to it.
    return moment + SECOND_US <= firstWallUs ? moment + DAY_US : moment;
}

void printEvent(const Event& event, const Options& options) {
    if (options.json) {
        fmt::print("{}", ndjsonLine(event));
    } else if (options.csv) {
        fmt::print("{}", csvLine(event));
    } else {
        fmt::print("{:>7} {} {:<11} {:<10} {}\n", event.seq, isoUtc(event.wallUs), eventKindName(event.kind), plainText(event.actor, 10),
                   describe(event));
    }
}

int showEvents(const Options& options) {
    const std::optional<EventKind> kind = eventKindFromName(options.kind);
    if (!options.kind.empty() && !kind) {
        return fail({Error::Kind::Invalid,
                     fmt::format("There is no kind of event named {}.", plainText(options.kind, 40)),
                     "Try metrics, note, statement, phase, intent, outcome or operator.",
                     {}});
    }
    const auto reader = RecordingReader::open(options.file);
    const Result<RecordingInfo> info = reader ? (*reader)->info() : Result<RecordingInfo>(reader.error());
    if (!info) {
        return fail(info.error());
    }
    std::int64_t after = std::numeric_limits<std::int64_t>::min();
    if (!options.at.empty()) {
        const Result<std::int64_t> moment = momentOf(options.at, info->firstWallUs);
        if (!moment) {
            return fail(moment.error());
        }
        after = *moment;
    }
    if (options.csv) {
        fmt::print("{}", csvHeader());
    }
    std::uint64_t shown = 0;
    bool begun = false;
    const Status read = (*reader)->read(options.from, 0, [&](const Event& event) {
        begun = begun || event.wallUs >= after;
        if (begun && (!kind || event.kind == *kind)) {
            printEvent(event, options);
            ++shown;
        }
        return options.limit == 0 || shown < options.limit;
    });
    return read ? 0 : fail(read.error());
}

} // namespace

void addRecordingCommands(CLI::App& app, int& exitCode) {
    CLI::App* recording = app.add_subcommand("recording", "Look into a recording (*.teal)");
    recording->require_subcommand(1);
    const auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, const char* what, int (*show)(const Options&)) {
        CLI::App* command = recording->add_subcommand(name, what);
        command->add_option("FILE", options->file, "The recording")->required();
        command->add_flag("--json", options->json, "JSON; for events one object a line");
        command->callback([options, show, &exitCode] { exitCode = show(*options); });
        return command;
    };
    add("info", "What it is about, how long, whether it is finished and sound", &showInfo);
    add("verify", "Recompute the chain of hashes: exit code 0 when it is sound, 1 when not", &showVerify);
    CLI::App* events = add("events", "Its events, one a line", &showEvents);
    events->add_flag("--csv", options->csv, "Comma-separated values for spreadsheets");
    events->add_option("--kind", options->kind, "Only this kind, for example phase, intent, operator, metrics");
    events->add_option("--from", options->from, "Begin at this number");
    events->add_option("--limit", options->limit, "At most so many (0: all)");
    events->add_option("--at", options->at, "Begin at this time of day in UTC, HH:MM:SS");
    events->footer("Example: tealctl recording events shop.teal --kind phase --at 14:05:00");
}

} // namespace tealdeck
