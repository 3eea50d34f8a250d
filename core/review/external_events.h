// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/notes_file.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace tealdeck::review {

/// Events that others recorded (deployments, pages, a chat), as notes of kind "external": CSV with a line of names on top, or NDJSON.
/// A time is in the column or member `time`, `timestamp`, `at` or `ts`: ISO 8601 with a zone ("2026-01-31T23:59:59.5Z", "+02:00"), or
/// seconds or milliseconds since 1970. The text is in `text`, `message`, `event`, `title` or `summary`; who in `author`, `user` or `who`.
/// offsetMs is added to their clock. An error names the line and what is wrong with it. At most 20,000.
Result<std::vector<ReviewNote>> parseExternalEvents(std::string_view text, const std::string& source, std::int64_t offsetMs);

/// Puts them on the recording's steady time by the wall clock of the nearest record; before: writtenWallUs is their time, corrected.
Status placeExternalEvents(RecordingReader& reader, std::vector<ReviewNote>& events);

struct EventsImport {
    std::size_t fresh = 0; ///< that were not in the notes, or were there with another offset
    std::size_t all = 0;   ///< in their file
};
/// Reads the file of events (16 MiB at most), puts them on the recording's time and appends those that are new to the file of notes.
Result<EventsImport> importExternalEvents(RecordingReader& reader, const std::filesystem::path& notes, const std::filesystem::path& from,
                                          std::int64_t offsetMs);

/// Microseconds since 1970; std::nullopt for a text that is no moment, or one without a zone.
std::optional<std::int64_t> parseMoment(const std::string& text);

} // namespace tealdeck::review
