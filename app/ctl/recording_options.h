// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
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
};

/// Says what is wrong on the standard error; 2.
int failRecording(const Error& error);

// Each carries a command out and returns its exit code.
int showRecordingEvents(const RecordingOptions& options);
int exportRecording(const RecordingOptions& options);
int salvageRecordingFile(const RecordingOptions& options);
int redactRecordingFile(const RecordingOptions& options);

} // namespace tealdeck
