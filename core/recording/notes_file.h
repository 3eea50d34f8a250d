// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/recording/reader.h"
#include "core/util/result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// What reviewers write about a recording, in a file of its own beside it (FILE.teal.notes): the evidence is never edited.
///
/// A line of JSON each. The first binds the file to a record of the recording and to its hash; each further line is one note with
///
///   hash_0 = SHA256("TEALNOTES1" || hash of that record, 64 digits)
///   hash_n = SHA256(0x01 || hash_{n-1}, 64 digits || the note as compact JSON with sorted keys)
///
/// Nothing is changed in it: a later revision of a note is a further line with the same id.
namespace tealdeck {

/// The record that the notes are about; a redacted copy has the same, and a longer or salvaged one keeps it.
struct NotesBinding {
    std::string recordingId;
    std::uint64_t seq = 0;
    std::string hash;
};

struct ReviewNote {
    std::string id;          ///< 16 hexadecimal digits
    std::string kind;        ///< bookmark, fact, hypothesis, action, external
    std::int64_t fromUs = 0; ///< steady time of the recording
    std::int64_t toUs = 0;   ///< the same for a moment
    std::string author;
    std::int64_t writtenWallUs = 0;
    std::string text;
    std::string owner;         ///< of an action item
    std::string source;        ///< of an external event: the file that it came from
    std::int64_t offsetMs = 0; ///< of an external event: what was added to its clock
    std::uint64_t revision = 1;
    bool conflict = false; ///< not stored: another reviewer's note has the same id and revision and says something else
    bool operator==(const ReviewNote&) const = default;
};
bool isNoteKind(const std::string& kind);

struct NotesFile {
    NotesBinding binding;
    std::vector<ReviewNote> all;  ///< as they lie in the file
    std::string head;             ///< hash of the last sound line
    std::size_t brokenAtLine = 0; ///< 0: nowhere; what lies behind is not in `all`
    /// The newest revision of each, by time; of a conflict all.
    [[nodiscard]] std::vector<ReviewNote> current() const;
};

/// FILE.teal.notes of a recording.
std::filesystem::path notesFileOf(const std::filesystem::path& recording);
/// The end of the recording as it is now.
Result<NotesBinding> bindingTo(RecordingReader& reader);
/// An error unless the recording has the record that the notes are bound to.
Status checkBinding(RecordingReader& reader, const NotesBinding& binding);

/// As it is in the file: id, kind, from_us, to_us, author, wall_us, text, owner, source, offset_ms, revision.
Json toJson(const ReviewNote& note);
/// The notes in the file, which must belong to the recording; without a file none, bound to the recording's end.
Result<NotesFile> notesOf(RecordingReader& reader, const std::filesystem::path& file);
/// Trusts nothing in the file. An error when it is none of ours; one that is broken further down gives its sound part.
Result<NotesFile> readNotesFile(const std::filesystem::path& file);
/// Appends; makes the file (0600) when it is not there. Refuses a file that is bound to another record of another recording, and a broken
/// one. Ids are given to notes that have none.
Status appendNotes(const std::filesystem::path& file, const NotesBinding& binding, std::vector<ReviewNote> notes);

struct NotesMerge {
    std::size_t added = 0;
    std::size_t same = 0;
    std::size_t conflicts = 0; ///< of those added: same id and revision as one that is here, with another content
};
/// Brings what `from` has and `into` has not into `into`: a union by id and revision. Both must belong to the recording.
Result<NotesMerge> mergeNotes(RecordingReader& recording, const std::filesystem::path& into, const std::filesystem::path& from);

} // namespace tealdeck
