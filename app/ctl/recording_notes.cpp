// SPDX-License-Identifier: GPL-3.0-or-later
// What reviewers write about a recording and what others left, in the file beside it.
#include "app/ctl/engine_session.h"
#include "app/ctl/recording_options.h"
#include "core/review/external_events.h"
#include "core/review/times.h"
#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <cstdio>
#include <fmt/format.h>
#include <map>

namespace tealdeck {
namespace {

std::filesystem::path fileOf(const RecordingOptions& options) {
    return options.notes.empty() ? notesFileOf(options.file) : std::filesystem::path(options.notes);
}

/// "00:12:33.120" since the beginning of the recording, in microseconds.
Result<std::int64_t> positionOf(const std::string& text) {
    unsigned hours = 0;
    unsigned minutes = 0;
    double seconds = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%5u:%2u:%9lf%n", &hours, &minutes, &seconds, &used) != 3 ||
        static_cast<std::size_t>(used) != text.size() || minutes > 59 || !(seconds >= 0 && seconds < 60)) {
        return Error{Error::Kind::Invalid,
                     fmt::format("{} is no position.", plainText(text, 40)),
                     "Write it as HH:MM:SS.mmm since the beginning of the recording.",
                     {}};
    }
    return static_cast<std::int64_t>(hours) * 3'600'000'000LL + minutes * 60'000'000LL + static_cast<std::int64_t>(seconds * 1e6 + 0.5);
}

} // namespace

int listNotes(const RecordingOptions& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return failRecording(reader.error());
    }
    const Result<NotesFile> notes = notesOf(**reader, fileOf(options));
    if (!notes) {
        return failRecording(notes.error());
    }
    for (const ReviewNote& note : notes->current()) {
        if (options.json) {
            Json json = toJson(note);
            json["conflict"] = note.conflict;
            fmt::print("{}\n", dumpJson(json));
            continue;
        }
        fmt::print("{} {}{}  {}{}  {}: {}{}\n", note.id, review::positionText(note.fromUs),
                   note.toUs > note.fromUs ? " to " + review::positionText(note.toUs) : "", note.kind, note.conflict ? " CONFLICT" : "",
                   note.author, note.text, note.owner.empty() ? "" : " (owner: " + note.owner + ")");
    }
    if (notes->brokenAtLine != 0) {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("The file of notes is damaged at line {}; what lies behind is not shown.", notes->brokenAtLine),
                              {},
                              {}});
    }
    return 0;
}

int addNote(const RecordingOptions& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return failRecording(reader.error());
    }
    if (!isNoteKind(options.noteKind) || options.noteKind == "external") {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("There is no kind of note named {}.", plainText(options.noteKind, 40)),
                              "Use bookmark, fact, hypothesis or action.",
                              {}});
    }
    const Result<std::int64_t> from = options.at.empty() ? Result<std::int64_t>(0) : positionOf(options.at);
    const Result<std::int64_t> to = options.until.empty() ? from : positionOf(options.until);
    if (!from || !to) {
        return failRecording(!from ? from.error() : to.error());
    }
    ReviewNote note;
    note.kind = options.noteKind;
    note.fromUs = *from;
    note.toUs = std::max(*from, *to);
    note.author = options.author.empty() ? userName() : options.author;
    note.writtenWallUs = Clock::system().wallUs();
    note.text = plainText(options.text, 4000);
    note.owner = options.owner;
    const Result<NotesFile> known = notesOf(**reader, fileOf(options));
    if (!known) {
        return failRecording(known.error());
    }
    for (const ReviewNote& other : known->all) {
        note.revision = other.id == options.noteId ? std::max(note.revision, other.revision + 1) : note.revision;
    }
    if (!options.noteId.empty() && note.revision == 1) {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("There is no note {}.", plainText(options.noteId, 40)),
                              "\"tealctl recording notes list\" shows their ids.",
                              {}});
    }
    note.id = options.noteId.empty() ? randomHex(8) : options.noteId;
    if (const Status added = appendNotes(fileOf(options), known->binding, {note}); !added) {
        return failRecording(added.error());
    }
    fmt::print("{}\n", note.id);
    return 0;
}

int mergeNotesFiles(const RecordingOptions& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return failRecording(reader.error());
    }
    const Result<NotesMerge> merged = mergeNotes(**reader, fileOf(options), options.other);
    if (!merged) {
        return failRecording(merged.error());
    }
    fmt::print("{} added, {} were here already, {} of those added contradict one that is here: \"notes list\" shows both.\n", merged->added,
               merged->same, merged->conflicts);
    return merged->conflicts == 0 ? 0 : 1;
}

int importEvents(const RecordingOptions& options) {
    const auto reader = RecordingReader::open(options.file);
    if (!reader) {
        return failRecording(reader.error());
    }
    char* end = nullptr;
    const long long offset = std::strtoll(options.offset.c_str(), &end, 10);
    if (*end != '\0') {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("--offset-ms {} is no number.", plainText(options.offset, 40)),
                              "Give milliseconds, such as -1500.",
                              {}});
    }
    const Result<review::EventsImport> brought = review::importExternalEvents(**reader, fileOf(options), options.other, offset);
    if (!brought) {
        return failRecording(brought.error());
    }
    fmt::print("{} of {} events are new; they lie beside the recording, which was not changed.\n", brought->fresh, brought->all);
    return 0;
}

} // namespace tealdeck
