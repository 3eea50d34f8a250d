// SPDX-License-Identifier: GPL-3.0-or-later
// Events of a recording, on the screen or in a file for other programs.
#include "app/ctl/recording_options.h"
#include "core/recording/export.h"
#include "core/recording/reader.h"
#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::int64_t SECOND_US = 1'000'000;
constexpr std::int64_t DAY_US = 86'400 * SECOND_US;

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

void printEvent(std::FILE* out, const Event& event, const RecordingOptions& options) {
    if (options.json) {
        fmt::print(out, "{}", ndjsonLine(event));
    } else if (options.csv) {
        fmt::print(out, "{}", csvLine(event));
    } else {
        fmt::print(out, "{:>7} {} {:<11} {:<10} {}\n", event.seq, isoUtc(event.wallUs), eventKindName(event.kind),
                   plainText(event.actor, 10), describe(event));
    }
}

/// The events that were asked for, in the form that was asked for.
int print(std::FILE* out, const RecordingOptions& options) {
    const std::optional<EventKind> kind = eventKindFromName(options.kind);
    if (!options.kind.empty() && !kind) {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("There is no kind of event named {}.", plainText(options.kind, 40)),
                              "Try metrics, note, statement, phase, intent, outcome or operator.",
                              {}});
    }
    const auto reader = RecordingReader::open(options.file);
    const Result<RecordingInfo> info = reader ? (*reader)->info() : Result<RecordingInfo>(reader.error());
    if (!info) {
        return failRecording(info.error());
    }
    std::int64_t after = std::numeric_limits<std::int64_t>::min();
    if (!options.at.empty()) {
        const Result<std::int64_t> moment = momentOf(options.at, info->firstWallUs);
        if (!moment) {
            return failRecording(moment.error());
        }
        after = *moment;
    }
    if (options.csv) {
        fmt::print(out, "{}", csvHeader());
    }
    std::uint64_t shown = 0;
    bool begun = false;
    const Status read = (*reader)->read(options.from, 0, [&](const Event& event) {
        begun = begun || event.wallUs >= after;
        if (begun && (!kind || event.kind == *kind)) {
            printEvent(out, event, options);
            ++shown;
        }
        return options.limit == 0 || shown < options.limit;
    });
    return read ? 0 : failRecording(read.error());
}

} // namespace

int showRecordingEvents(const RecordingOptions& options) {
    return print(stdout, options);
}

int exportRecording(const RecordingOptions& options) {
    RecordingOptions asked = options;
    asked.json = options.format == "ndjson";
    asked.csv = options.format == "csv";
    if (!asked.json && !asked.csv) {
        return failRecording(
            {Error::Kind::Invalid, fmt::format("There is no format named {}.", plainText(options.format, 40)), "Use ndjson or csv.", {}});
    }
    if (options.out.empty()) {
        return print(stdout, asked);
    }
    const int fd = ::open(options.out.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("Cannot make {}: {}.", plainText(options.out, 200), systemReason(errno)),
                              "Give the name of a file that is not there yet, in a folder that is.",
                              {}});
    }
    std::FILE* file = ::fdopen(fd, "w");
    int code = print(file, asked);
    const bool written = std::fflush(file) == 0 && ::fsync(fd) == 0 && std::ferror(file) == 0;
    const int reason = errno;
    std::fclose(file);
    if (code == 0 && !written) {
        code = failRecording(
            {Error::Kind::Unavailable, fmt::format("Cannot write {}: {}.", plainText(options.out, 200), systemReason(reason)), {}, {}});
    }
    if (code != 0) {
        ::unlink(options.out.c_str()); // half an export looks like a whole one
    }
    return code;
}

} // namespace tealdeck
