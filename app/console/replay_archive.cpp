// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_archive.h"

#include "core/recording/reader.h"

#include <algorithm>

namespace tealdeck {
namespace {

class FileArchive final : public ReplayArchive {
  public:
    FileArchive(std::unique_ptr<RecordingReader> reader, std::size_t count, std::int64_t endUs)
        : m_reader(std::move(reader)), m_count(count), m_endUs(endUs) {}

    [[nodiscard]] std::int64_t endUs() const override { return m_endUs; }
    [[nodiscard]] std::size_t countAt(std::int64_t timeUs) const override {
        return std::min(m_count, static_cast<std::size_t>(m_reader->seqAt(timeUs).valueOr(0)));
    }
    [[nodiscard]] Snapshot snapshotAfter(std::size_t count) const override {
        return count == 0 ? Snapshot() : m_reader->snapshotAfter(std::min(count, m_count)).valueOr(Snapshot());
    }
    [[nodiscard]] std::vector<Event> events(std::size_t from, std::size_t to) const override {
        std::vector<Event> found;
        to = std::min(to, m_count);
        if (from < to) {
            // What an unsound record hides is not shown; the verdict names the record.
            static_cast<void>(m_reader->read(from + 1, to - from, [&](const Event& event) {
                found.push_back(event);
                return true;
            }));
        }
        return found;
    }

  private:
    std::unique_ptr<RecordingReader> m_reader;
    std::size_t m_count;
    std::int64_t m_endUs;
};

/// The last record that can be read, and when it was: that of the file, or the one before a break.
Result<Event> lastSound(RecordingReader& reader, const RecordingInfo& info) {
    Event last;
    Status read = reader.read(std::max<std::uint64_t>(1, info.records), 1, [&](const Event& event) {
        last = event;
        return true;
    });
    if (!read || last.seq == 0) {
        // Its end is unsound: look from the beginning how far it goes.
        read = reader.read(1, 0, [&](const Event& event) {
            last.seq = event.seq;
            last.steadyUs = event.steadyUs;
            return true;
        });
    }
    return last.seq != 0 || read ? Result<Event>(std::move(last)) : Result<Event>(read.error());
}

} // namespace

Result<std::shared_ptr<const ReplayArchive>> openArchive(const std::filesystem::path& file) {
    auto reader = RecordingReader::open(file);
    if (!reader) {
        return reader.error();
    }
    const Result<RecordingInfo> info = (*reader)->info();
    const Result<Event> last = lastSound(**reader, info ? *info : RecordingInfo());
    if (!last) {
        return last.error();
    }
    if (last->seq == 0) {
        return Error{Error::Kind::Invalid, file.string() + " holds no events.", "It was probably never written to.", {}};
    }
    return std::shared_ptr<const ReplayArchive>(std::make_shared<FileArchive>(std::move(reader).value(), last->seq, last->steadyUs));
}

} // namespace tealdeck
