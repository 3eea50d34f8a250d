// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/review/compare.h"
#include "core/util/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tealdeck {

/// What `tealctl recording …` was asked for.
struct RecordingOptions {
    std::string file;
    bool json = false;
    bool csv = false;
    std::string kind;
    std::uint64_t from = 1;
    std::uint64_t limit = 0;
    std::string at;
    std::string out;
    std::string head;
    std::string format;
    std::vector<std::string> classes;
    std::vector<std::string> words;
    std::string notes; ///< file of notes; empty: beside the recording
    std::string other; ///< a second recording, file of notes or file of events
    std::string anchor = review::DEFAULT_ANCHOR;
    std::string text;
    std::string noteKind = "fact";
    std::string owner;
    std::string until;
    std::string author;
    std::string offset = "0";
    std::string noteId;
};

/// Says what is wrong on the standard error; 2.
int failRecording(const Error& error);

// Each carries a command out and returns its exit code.
int showRecordingEvents(const RecordingOptions& options);
int exportRecording(const RecordingOptions& options);
int salvageRecordingFile(const RecordingOptions& options);
int redactRecordingFile(const RecordingOptions& options);
int writeReport(const RecordingOptions& options);
int compareRecordingFiles(const RecordingOptions& options);
int listNotes(const RecordingOptions& options);
int addNote(const RecordingOptions& options);
int mergeNotesFiles(const RecordingOptions& options);
int importEvents(const RecordingOptions& options);

/// Writes a new private file (0600), never over another one; without a name to the standard output.
Status writeNewFile(const std::string& path, const std::string& text);

} // namespace tealdeck
