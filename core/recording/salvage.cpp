// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/recording/salvage.h"

#include "core/recording/copy.h"
#include "core/recording/finish.h"
#include "core/recording/page_scan.h"
#include "core/recording/private_copy.h"
#include "core/recording/schema.h"
#include "core/recording/writer.h"
#include "core/util/clock.h"
#include "core/util/files.h"
#include "core/util/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// The bytes of a file of our own; empty when there is none.
class MappedFile {
  public:
    explicit MappedFile(const std::filesystem::path& file) {
        const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct stat found {};
        if (fd >= 0 && ::fstat(fd, &found) == 0 && found.st_size > 0) {
            m_size = static_cast<std::size_t>(found.st_size);
            m_bytes = ::mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE, fd, 0);
        }
        if (fd >= 0) {
            ::close(fd);
        }
    }
    ~MappedFile() {
        if (m_bytes != MAP_FAILED) {
            ::munmap(m_bytes, m_size);
        }
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    [[nodiscard]] std::string_view bytes() const {
        return m_bytes == MAP_FAILED ? std::string_view() : std::string_view(static_cast<const char*>(m_bytes), m_size);
    }

  private:
    std::size_t m_size = 0;
    void* m_bytes = MAP_FAILED;
};

/// Goes along the chain and gives each record that follows to `keep`.
Status walk(const PageScan& scan, const Identity& identity, SalvageReport& report, const std::function<Status(const StoredRecord&)>& keep) {
    report.records = 0;
    report.complete = false;
    chain::Digest head = identity.genesis();
    std::int64_t time = std::numeric_limits<std::int64_t>::min();
    Status kept;
    const auto take = [&](const StoredRecord& record) {
        if (record.steadyUs < time || brokenLink(identity, record, head)) {
            return false;
        }
        head = record.hash;
        time = record.steadyUs;
        report.lastWallUs = record.wallUs;
        const auto body = record.kind == static_cast<std::int64_t>(EventKind::Seal) && record.body ? parseJson(std::string(*record.body))
                                                                                                   : std::optional<Json>();
        report.complete = body && member<bool>(*body, "closed", false);
        kept = keep(record);
        return true;
    };
    while (kept && scan.tryRecords(report.records + 1, identity.version, take)) {
        ++report.records;
    }
    report.headHash = chain::hex(head);
    return kept;
}

/// The reading of meta and actors that proves most; a damaged file may hold old pages beside new ones.
Identity bestIdentity(const PageScan& scan) {
    Identity best;
    std::uint64_t most = 0;
    const std::optional<std::uint32_t> said = scan.version();
    for (std::uint32_t version = schema::USER_VERSION; version >= schema::FIRST_VERSION; --version) {
        for (const bool last : {true, false}) {
            Identity identity = scan.identity(version, last);
            SalvageReport report;
            static_cast<void>(walk(scan, identity, report, [](const StoredRecord&) { return Status(); }));
            if (report.records > most) {
                most = report.records;
                best = std::move(identity);
            }
            if (most > 0 && said == version && last) {
                return best;
            }
        }
    }
    return best;
}

std::string sentence(const SalvageReport& report) {
    if (report.complete) {
        return fmt::format("Nothing was lost: all {} records were saved, up to the closing seal.", report.records);
    }
    return fmt::format("Salvaged from a damaged file: {} records up to {} are proven{}; what came later, if anything, is lost.",
                       report.records, isoUtc(report.lastWallUs),
                       report.unproven == 0 ? "" : fmt::format(", {} that were found behind them are not", report.unproven));
}

/// The copy says what it is and is closed.
Status markSalvaged(const std::filesystem::path& out, const SalvageReport& report) {
    Result<std::unique_ptr<RecordingWriter>> writer = RecordingWriter::reopen(out);
    if (!writer) {
        return writer.error();
    }
    const Json body = {{"text", report.text},
                       {"salvaged", true},
                       {"lost", report.unproven == 0 ? Json(nullptr) : Json(report.unproven)},
                       {"head", report.headHash},
                       {"source_sha256", report.sourceSha256}};
    const Event gap{(*writer)->lastSeq() + 1, (*writer)->lastSteadyUs(), Clock::system().wallUs(), EventKind::Gap, "salvage", body};
    const Status appended = (*writer)->append(gap);
    return appended ? (*writer)->close() : appended;
}

} // namespace

Result<SalvageReport> salvageRecording(const std::filesystem::path& source, const std::filesystem::path& out) {
    const Result<PrivateCopy> copy = PrivateCopy::makeUnchecked(source);
    if (!copy) {
        return copy.error();
    }
    const MappedFile file(copy->file);
    const MappedFile log(copy->file.string() + "-wal");
    const PageScan scan(file.bytes(), log.bytes());
    const Identity identity = bestIdentity(scan);
    if (identity.version == 0) {
        return Error{Error::Kind::Invalid,
                     fmt::format("Nothing can be proven of {}: its beginning is missing or damaged.", copy->name),
                     "If there is another copy of it, try that one.",
                     {}};
    }
    SalvageReport report;
    report.sourceSha256 = sha256Hex(file.bytes());
    Result<std::unique_ptr<RecordingCopy>> into = RecordingCopy::create(out, identity);
    if (!into) {
        return into.error();
    }
    Status written = walk(scan, identity, report, [&](const StoredRecord& record) { return (*into)->add(record); });
    report.unproven = scan.countAfter(report.records);
    report.text = sentence(report);
    written = written ? (*into)->done() : written;
    written = !written ? written : report.complete ? finishRecordingFile(out) : markSalvaged(out, report);
    return written ? Result<SalvageReport>(std::move(report)) : Result<SalvageReport>(written.error());
}

} // namespace tealdeck
