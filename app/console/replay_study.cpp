// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_study.h"

#include "app/console/replay_background.h"
#include "core/recording/reader.h"
#include "core/util/text.h"

namespace tealdeck {
namespace {

constexpr int SPARK_COLUMNS = 1000;

bool isPlotted(const std::string& name) {
    for (const char* prefix : {"lag_", "retained_bytes.", "tps.", "p50", "p95", "error", "client", "probe"}) {
        if (name.rfind(prefix, 0) == 0) {
            return true;
        }
    }
    return false;
}

/// Takes what the window shows out of each event.
class Student {
  public:
    void apply(const Event& event) {
        m_timeline.apply(event);
        m_measures.apply(event);
        if (event.kind == EventKind::Metrics) {
            applyPlotted(event);
        }
        m_lastSeal = event.kind == EventKind::Seal ? event.seq : m_lastSeal;
    }
    std::shared_ptr<ReplayStudy> done() {
        auto study = std::make_shared<ReplayStudy>();
        study->timeline = m_timeline.done();
        study->series = std::move(m_series);
        study->measures = m_measures.done();
        for (const char* name : {"lag_seconds.forward", "lag_seconds.reverse"}) {
            if (const Series* lag = study->series.find(name)) {
                const auto columns = lag->columns(0, study->timeline.endUs, SPARK_COLUMNS);
                study->timeline.lag.insert(study->timeline.lag.end(), columns.begin(), columns.end());
            }
        }
        return study;
    }
    [[nodiscard]] std::uint64_t lastSeal() const { return m_lastSeal; }

  private:
    /// Fifty metrics of a day would fill the memory; the plots show a few.
    void applyPlotted(const Event& event) {
        const Json values = member(event.body, "values", Json::object());
        Event plotted{event.seq, event.steadyUs, event.wallUs, event.kind, {}, {{"values", Json::object()}}};
        if (values.is_object()) {
            for (const auto& [name, value] : values.items()) {
                if (isPlotted(name)) {
                    plotted.body["values"][name] = value;
                }
            }
        }
        m_series.apply(plotted);
    }
    TimelineBuilder m_timeline;
    review::MeasuresBuilder m_measures;
    SeriesStore m_series;
    std::uint64_t m_lastSeal = 0;
};

void readNotes(const std::filesystem::path& file, RecordingReader& reader, ReplayStudy& study) {
    const Result<NotesFile> notes = notesOf(reader, notesFileOf(file));
    if (!notes) {
        study.notesRemark = plainText(notes.error().text());
        return;
    }
    study.binding = notes->binding;
    study.notes = notes->current();
    study.notesRemark = notes->brokenAtLine == 0 ? "" : "The file of notes is damaged at line " + std::to_string(notes->brokenAtLine) + ".";
    takeNotes(study.timeline, study.notes);
}

} // namespace

void takeNotes(TimelineData& timeline, const std::vector<ReviewNote>& notes) {
    timeline.notes.clear();
    timeline.others.clear();
    for (const ReviewNote& note : notes) {
        auto& lane = note.kind == "external" ? timeline.others : timeline.notes;
        lane.push_back({note.fromUs, (note.author.empty() ? "" : note.author + ": ") + note.text, note.conflict ? 2 : 0, note.toUs});
    }
}

std::shared_ptr<const ReplayStudy> studyEvents(const std::vector<Event>& events) {
    Student student;
    for (const Event& event : events) {
        student.apply(event);
    }
    return student.done();
}

std::shared_ptr<const ReplayStudy> studyRecording(const std::filesystem::path& file) {
    Student student;
    auto opened = RecordingReader::open(file);
    if (!opened) {
        auto study = student.done();
        study->integrity = review::integrityOf(opened.error(), RecordingInfo(), 0);
        return study;
    }
    RecordingReader& reader = **opened;
    const Result<VerifyReport> verified = reader.verify();
    // What is sound before a break is still worth seeing; the verdict says where it ends.
    static_cast<void>(reader.read(1, 0, [&](const Event& event) {
        student.apply(event);
        return true;
    }));
    auto study = student.done();
    const Result<RecordingInfo> info = reader.info();
    study->integrity = review::integrityOf(verified, info ? *info : RecordingInfo(), student.lastSeal());
    readNotes(file, reader, *study);
    return study;
}

void studyInBackground(QObject* owner, const std::filesystem::path& file, std::function<void(std::shared_ptr<const ReplayStudy>)> done) {
    inBackground(owner, [file] { return studyRecording(file); }, std::move(done));
}

} // namespace tealdeck
