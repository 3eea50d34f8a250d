// SPDX-License-Identifier: GPL-3.0-or-later
// The report of a recording.
#include "app/ctl/recording_options.h"
#include "core/review/compare.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace tealdeck {

Status writeNewFile(const std::string& path, const std::string& text) {
    if (path.empty()) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        return std::fflush(stdout) == 0 ? Status()
                                        : Status(Error{Error::Kind::Unavailable, "The standard output cannot be written.", {}, {}});
    }
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return Error{Error::Kind::Invalid,
                     fmt::format("Cannot make {}: {}.", plainText(path, 200), systemReason(errno)),
                     "Give the name of a file that is not there yet, in a folder that is.",
                     {}};
    }
    std::size_t done = 0;
    ssize_t wrote = 0;
    for (; done < text.size(); done += static_cast<std::size_t>(wrote)) {
        if ((wrote = ::write(fd, text.data() + done, text.size() - done)) <= 0) {
            break;
        }
    }
    const bool whole = done == text.size() && ::fsync(fd) == 0;
    const int reason = errno;
    ::close(fd);
    if (!whole) {
        ::unlink(path.c_str()); // half a report looks like a whole one
        return Error{Error::Kind::Unavailable, fmt::format("Cannot write {}: {}.", plainText(path, 200), systemReason(reason)), {}, {}};
    }
    return {};
}

int writeReport(const RecordingOptions& options) {
    if (!review::isReportForm(options.format)) {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("There is no format named {} here.", plainText(options.format, 40)),
                              options.format == "pdf"
                                  ? "The console makes it, with or without a display: tealdeck --replay FILE --report F.pdf"
                                  : "Use html, md, csv or ndjson.",
                              {}});
    }
    review::ReportRequest request{options.file, options.notes, {}};
    if (!options.head.empty()) {
        request.heads.push_back(options.head);
    }
    const Result<review::ReportData> data = review::gatherReport(request);
    if (!data) {
        return failRecording(data.error());
    }
    if (const Status written = writeNewFile(options.out, *review::reportAs(*data, options.format)); !written) {
        return failRecording(written.error());
    }
    return data->integrity.good() ? 0 : 1;
}

int compareRecordingFiles(const RecordingOptions& options) {
    if (!review::isAnchor(options.anchor)) {
        return failRecording({Error::Kind::Invalid,
                              fmt::format("{} is no anchor.", plainText(options.anchor, 60)),
                              "Use phase:NAME, switch:cutover, switch:rollback, command:NAME or step:NAME.",
                              {}});
    }
    if (options.format != "md" && options.format != "html") {
        return failRecording(
            {Error::Kind::Invalid, fmt::format("There is no format named {} here.", plainText(options.format, 40)), "Use md or html.", {}});
    }
    const Result<review::ReportData> a = review::gatherReport({options.file, {}, {}});
    const Result<review::ReportData> b = a ? review::gatherReport({options.other, {}, {}}) : a;
    if (!b) {
        return failRecording(b.error());
    }
    const review::Document document = review::makeComparison(*a, *b, options.anchor);
    if (const Status written = writeNewFile(options.out, options.format == "md" ? review::toMarkdown(document) : review::toHtml(document));
        !written) {
        return failRecording(written.error());
    }
    return 0;
}

} // namespace tealdeck
