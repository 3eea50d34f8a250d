// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/recording/notes_file.h"
#include "core/recording/reader.h"
#include "core/review/document.h"
#include "core/review/integrity.h"
#include "core/review/measures.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tealdeck::review {

/// All that a report says of one recording.
struct ReportData {
    std::string file; ///< its name, without folders
    RecordingInfo info;
    Integrity integrity;
    std::string fileSha256;
    std::string notedSha256;          ///< what FILE.sha256 says; empty: there is none
    std::vector<std::string> anchors; ///< hashes that were given to be found, each with what was found, as sentences
    Measures measures;
    std::map<std::string, std::vector<SeriesColumn>> series; ///< lags, what is retained, transactions
    std::vector<ReviewNote> notes;
    std::string notesRemark; ///< what is wrong with the notes; empty: nothing
    std::int64_t madeWallUs = 0;
};

struct ReportRequest {
    std::filesystem::path recording;
    std::filesystem::path notes;    ///< empty: those beside it, if there are any
    std::vector<std::string> heads; ///< hashes from elsewhere: the databases, an earlier report
};

/// Reads, verifies and adds up; what is sound before a break is taken, and the integrity says where it ends.
Result<ReportData> gatherReport(const ReportRequest& request);

Document makeReport(const ReportData& data);
/// One object a line: {"section", …}.
std::string reportNdjson(const ReportData& data);
/// One table: section, time_utc, time_local, steady_us, who, name, value, unit, text.
std::string reportCsv(const ReportData& data);

bool isReportForm(const std::string& form);
/// The report as "html", "md", "csv" or "ndjson"; std::nullopt for another form.
std::optional<std::string> reportAs(const ReportData& data, const std::string& form);

/// What a reviewer asks first, answered from the record or with "not recorded".
struct Answer {
    std::string question;
    std::vector<std::string> lines;
    bool warning = false;
};
std::vector<Answer> answersOf(const ReportData& data);

/// The parts of a pause in the order in which they happen; what cannot be a time is left out.
std::vector<std::pair<std::string, double>> pauseParts(const SwitchReport& report);
/// How much of the pause was spent on the old production ("on BLUE"), on the new one, and at the endpoints; in ms, in that order.
std::vector<std::pair<std::string, double>> pauseBySide(const SwitchReport& report);

} // namespace tealdeck::review
