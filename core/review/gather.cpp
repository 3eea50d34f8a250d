// SPDX-License-Identifier: GPL-3.0-or-later
// What a report is made of, from the file.
#include "core/recording/finish.h"
#include "core/review/report.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace tealdeck::review {
namespace {

constexpr int COLUMNS = 720; ///< of a plot

bool isPlotted(const std::string& name) {
    for (const char* prefix : {"lag_seconds.", "lag_bytes.", "tps.", "retained_bytes.", "p50", "p95", "error", "client", "probe"}) {
        if (name.rfind(prefix, 0) == 0) {
            return true;
        }
    }
    return false;
}

std::string anchorSentence(RecordingReader& reader, const std::string& head) {
    std::uint64_t found = 0;
    static_cast<void>(reader.readStored(1, 0, [&](const StoredRecord& record) {
        found = chain::hex(record.hash) == head ? record.seq : 0;
        return found == 0;
    }));
    const std::string shown = plainText(head, 64);
    return found != 0 ? fmt::format("{} is the hash of record {}: this recording is the one that it was noted from.", shown, found)
                      : fmt::format("{} is the hash of NO record here: another recording, or a part of this one is missing.", shown);
}

void gatherNotes(const ReportRequest& request, RecordingReader& reader, ReportData& data) {
    const std::filesystem::path file = request.notes.empty() ? notesFileOf(request.recording) : request.notes;
    std::error_code none;
    if (!std::filesystem::exists(file, none)) {
        data.notesRemark = request.notes.empty() ? "" : "There is no file of notes " + plainText(file.string(), 200) + ".";
        return;
    }
    const Result<NotesFile> notes = notesOf(reader, file);
    if (!notes) {
        data.notesRemark = plainText(notes.error().text());
        return;
    }
    data.notes = notes->current();
    if (notes->brokenAtLine != 0) {
        data.notesRemark = fmt::format("The file of notes is damaged at line {}; what lies behind is left out.", notes->brokenAtLine);
    }
}

} // namespace

Result<ReportData> gatherReport(const ReportRequest& request) {
    auto opened = RecordingReader::open(request.recording);
    if (!opened) {
        return opened.error();
    }
    RecordingReader& reader = **opened;
    ReportData data;
    data.file = plainText(request.recording.filename().string(), 200);
    data.madeWallUs = Clock::system().wallUs();
    const Result<VerifyReport> verified = reader.verify();
    const Result<RecordingInfo> info = reader.info();
    if (!info) {
        return info.error();
    }
    data.info = *info;
    MeasuresBuilder builder;
    std::uint64_t lastSeal = 0;
    const Status read = reader.read(1, 0, [&](const Event& event) {
        lastSeal = event.kind == EventKind::Seal ? event.seq : lastSeal;
        builder.apply(event);
        return true;
    });
    data.measures = builder.done();
    if (data.measures.records == 0) {
        return read ? Error{Error::Kind::Invalid, data.file + " holds no events.", "It was probably never written to.", {}} : read.error();
    }
    data.integrity = integrityOf(verified, data.info, lastSeal);
    if (const Result<std::string> digest = fileDigest(request.recording); digest) {
        data.fileSha256 = *digest;
    }
    if (const auto noted = notedDigest(request.recording); noted && *noted) {
        data.notedSha256 = plainText(**noted, 64);
    }
    for (const std::string& head : request.heads) {
        data.anchors.push_back(anchorSentence(reader, head));
    }
    if (auto columns = reader.columns(std::max<std::int64_t>(0, data.measures.first.steadyUs), data.measures.last.steadyUs, COLUMNS);
        columns) {
        for (auto& [name, series] : *columns) {
            if (isPlotted(name) && data.series.size() < 60) {
                data.series.emplace(plainText(name, 80), std::move(series));
            }
        }
    }
    gatherNotes(request, reader, data);
    return data;
}

} // namespace tealdeck::review
