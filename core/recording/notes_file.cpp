// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/notes_file.h"

#include "core/util/files.h"
#include "core/util/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <set>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

constexpr std::size_t MAX_FILE = std::size_t{16} << 20;
constexpr std::size_t MAX_TEXT = 4000;
constexpr std::array<const char*, 5> KINDS{"bookmark", "fact", "hypothesis", "action", "external"};

std::string shown(const std::filesystem::path& file) {
    return plainText(file.string(), 200);
}

bool isHex(const std::string& text, std::size_t length) {
    return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::optional<ReviewNote> noteFromJson(const Json& json) {
    ReviewNote note;
    note.id = member<std::string>(json, "id", "");
    note.kind = member<std::string>(json, "kind", "");
    note.fromUs = member<std::int64_t>(json, "from_us", 0);
    note.toUs = std::max(note.fromUs, member<std::int64_t>(json, "to_us", 0));
    note.author = plainText(member<std::string>(json, "author", ""), 100);
    note.writtenWallUs = member<std::int64_t>(json, "wall_us", 0);
    note.text = plainText(member<std::string>(json, "text", ""), MAX_TEXT);
    note.owner = plainText(member<std::string>(json, "owner", ""), 100);
    note.source = plainText(member<std::string>(json, "source", ""), 200);
    note.offsetMs = member<std::int64_t>(json, "offset_ms", 0);
    note.revision = member<std::uint64_t>(json, "revision", 1);
    return isHex(note.id, 16) && isNoteKind(note.kind) ? std::optional(std::move(note)) : std::nullopt;
}

std::string genesisOf(const NotesBinding& binding) {
    return sha256Hex("TEALNOTES1" + binding.hash);
}

std::string nextHash(const std::string& previous, const Json& note) {
    return sha256Hex("\x01" + previous + dumpJson(note));
}

Error broken(const std::filesystem::path& file, std::size_t line) {
    return {Error::Kind::Invalid,
            fmt::format("The notes in {} are damaged: line {} does not follow from the one before it.", shown(file), line),
            "Take that line and what follows out of a copy, or write into a new file.",
            {}};
}

/// Opens for appending, alone.
class Appender {
  public:
    explicit Appender(const std::filesystem::path& file)
        : m_fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {
        if (m_fd >= 0 && ::flock(m_fd, LOCK_EX) != 0) {
            ::close(m_fd);
            m_fd = -1;
        }
    }
    ~Appender() {
        if (m_fd >= 0) {
            ::close(m_fd);
        }
    }
    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;
    [[nodiscard]] bool open() const { return m_fd >= 0; }
    [[nodiscard]] bool write(const std::string& text) const {
        // One call: either the whole is there after a crash, or a torn last line that reading recognizes.
        return ::write(m_fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(m_fd) == 0;
    }

  private:
    int m_fd;
};

Error cannotWrite(const std::filesystem::path& file, int reason) {
    return {Error::Kind::Unavailable,
            fmt::format("Cannot write notes into {}: {}.", shown(file), systemReason(reason)),
            "Give a folder that may be written with --notes.",
            {}};
}

bool sameContent(ReviewNote a, ReviewNote b) {
    a.conflict = b.conflict = false;
    return a == b;
}

} // namespace

Json toJson(const ReviewNote& note) {
    return {{"id", note.id},
            {"kind", note.kind},
            {"from_us", note.fromUs},
            {"to_us", note.toUs},
            {"author", note.author},
            {"wall_us", note.writtenWallUs},
            {"text", note.text},
            {"owner", note.owner},
            {"source", note.source},
            {"offset_ms", note.offsetMs},
            {"revision", note.revision}};
}

bool isNoteKind(const std::string& kind) {
    return std::find(KINDS.begin(), KINDS.end(), kind) != KINDS.end();
}

std::vector<ReviewNote> NotesFile::current() const {
    std::map<std::string, std::vector<ReviewNote>> newest;
    for (const ReviewNote& note : all) {
        std::vector<ReviewNote>& here = newest[note.id];
        if (here.empty() || note.revision > here.front().revision) {
            here = {note};
        } else if (note.revision == here.front().revision &&
                   std::none_of(here.begin(), here.end(), [&](const ReviewNote& n) { return n == note; })) {
            here.push_back(note);
        }
    }
    std::vector<ReviewNote> list;
    for (auto& [id, notes] : newest) {
        for (ReviewNote& note : notes) {
            note.conflict = notes.size() > 1;
            list.push_back(std::move(note));
        }
    }
    std::stable_sort(list.begin(), list.end(), [](const ReviewNote& a, const ReviewNote& b) { return a.fromUs < b.fromUs; });
    return list;
}

std::filesystem::path notesFileOf(const std::filesystem::path& recording) {
    std::filesystem::path file = recording;
    file += ".notes";
    return file;
}

Result<NotesBinding> bindingTo(RecordingReader& reader) {
    const Result<RecordingInfo> info = reader.info();
    if (!info) {
        return info.error();
    }
    const auto id = info->meta.find("recording_id");
    return NotesBinding{id == info->meta.end() ? "" : id->second, info->records, info->headHash};
}

Status checkBinding(RecordingReader& reader, const NotesBinding& binding) {
    std::string hash;
    static_cast<void>(reader.readStored(binding.seq, 1, [&](const StoredRecord& record) {
        hash = record.seq == binding.seq ? chain::hex(record.hash) : "";
        return false;
    }));
    return hash == binding.hash
               ? Status()
               : Status(Error{
                     Error::Kind::Conflict,
                     fmt::format("These notes belong to another recording: its record {} is not the one they are bound to.", binding.seq),
                     "Give the notes of this recording with --notes.",
                     {}});
}

Result<NotesFile> readNotesFile(const std::filesystem::path& file) {
    const Result<std::string> text = readFile(file, MAX_FILE);
    if (!text) {
        return text.error();
    }
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line);
    const Json first = parseJson(line).value_or(Json());
    NotesFile notes;
    notes.binding = {plainText(member<std::string>(first, "recording", ""), 100), member<std::uint64_t>(first, "seq", 0),
                     member<std::string>(first, "hash", "")};
    if (member<int>(first, "tealdeck_notes", 0) != 1 || !isHex(notes.binding.hash, 64)) {
        return Error{Error::Kind::Invalid,
                     fmt::format("{} holds no notes of Tealdeck.", shown(file)),
                     "Notes lie beside their recording as FILE.teal.notes.",
                     {}};
    }
    notes.head = genesisOf(notes.binding);
    for (std::size_t number = 2; std::getline(lines, line); ++number) {
        const Json json = parseJson(line).value_or(Json());
        const Json body = member<Json>(json, "note", Json());
        std::optional<ReviewNote> note = noteFromJson(body);
        const std::string hash = nextHash(notes.head, body);
        if (!note || member<std::string>(json, "hash", "") != hash || lines.eof()) { // a line without its end was torn
            notes.brokenAtLine = number;
            break;
        }
        notes.head = hash;
        notes.all.push_back(std::move(*note));
    }
    return notes;
}

Result<NotesFile> notesOf(RecordingReader& reader, const std::filesystem::path& file) {
    std::error_code none;
    if (!std::filesystem::exists(file, none)) {
        Result<NotesBinding> binding = bindingTo(reader);
        return binding ? Result<NotesFile>(NotesFile{std::move(binding).value(), {}, {}, 0}) : Result<NotesFile>(binding.error());
    }
    Result<NotesFile> notes = readNotesFile(file);
    const Status bound = notes ? checkBinding(reader, notes->binding) : Status();
    return bound ? std::move(notes) : Result<NotesFile>(bound.error());
}

Status appendNotes(const std::filesystem::path& file, const NotesBinding& binding, std::vector<ReviewNote> notes) {
    const Appender appender(file);
    if (!appender.open()) {
        return cannotWrite(file, errno);
    }
    std::string text;
    std::string head = genesisOf(binding);
    std::error_code none;
    if (std::filesystem::file_size(file, none) == 0) {
        text = dumpJson({{"tealdeck_notes", 1}, {"recording", binding.recordingId}, {"seq", binding.seq}, {"hash", binding.hash}}) + "\n";
    } else {
        const Result<NotesFile> known = readNotesFile(file);
        if (!known) {
            return known.error();
        }
        if (known->brokenAtLine != 0) {
            return broken(file, known->brokenAtLine);
        }
        head = known->head;
    }
    for (ReviewNote& note : notes) {
        if (!isNoteKind(note.kind) || note.text.empty() || note.text.size() > 4 * MAX_TEXT) {
            return Error{Error::Kind::Invalid,
                         "A note needs a kind and a text of up to 4000 characters.",
                         "Kinds are bookmark, fact, hypothesis and action.",
                         {}};
        }
        note.id = note.id.empty() ? randomHex(8) : note.id;
        const Json body = toJson(note);
        head = nextHash(head, body);
        text += dumpJson({{"hash", head}, {"note", body}}) + "\n";
    }
    return appender.write(text) ? Status() : Status(cannotWrite(file, errno));
}

Result<NotesMerge> mergeNotes(RecordingReader& recording, const std::filesystem::path& into, const std::filesystem::path& from) {
    const Result<NotesFile> theirs = readNotesFile(from);
    if (!theirs) {
        return theirs.error();
    }
    if (theirs->brokenAtLine != 0) {
        return broken(from, theirs->brokenAtLine);
    }
    std::error_code none;
    const bool fresh = !std::filesystem::exists(into, none);
    const Result<NotesFile> ours = fresh ? Result<NotesFile>(NotesFile{theirs->binding, {}, {}, 0}) : readNotesFile(into);
    if (!ours) {
        return ours.error();
    }
    for (const NotesFile* notes : {&*theirs, &*ours}) {
        if (Status bound = checkBinding(recording, notes->binding); !bound) {
            return bound.error();
        }
    }
    NotesMerge report;
    std::vector<ReviewNote> missing;
    for (const ReviewNote& note : theirs->all) {
        const auto here = [&](const ReviewNote& other) { return other.id == note.id && other.revision == note.revision; };
        if (std::any_of(ours->all.begin(), ours->all.end(), [&](const ReviewNote& other) { return sameContent(other, note); })) {
            ++report.same;
            continue;
        }
        report.conflicts += std::any_of(ours->all.begin(), ours->all.end(), here) ? 1 : 0;
        ++report.added;
        missing.push_back(note);
    }
    if (Status added = missing.empty() ? Status() : appendNotes(into, ours->binding, std::move(missing)); !added) {
        return added.error();
    }
    return report;
}

} // namespace tealdeck
