// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/recording/notes_file.h"
#include "core/review/integrity.h"
#include "core/review/measures.h"
#include "widgets/timeline/timeline_data.h"

#include <QString>

#include <filesystem>
#include <functional>
#include <memory>

class QObject;

namespace tealdeck {

/// What a whole recording has to be read for: it comes a while after the first picture.
struct ReplayStudy {
    TimelineData timeline;
    SeriesStore series; ///< of what the plots show
    review::Integrity integrity;
    review::Measures measures;
    NotesBinding binding; ///< for new notes
    std::vector<ReviewNote> notes;
    std::string notesRemark; ///< what is wrong with the notes; empty: nothing
};

/// Reads and verifies everything with a reader of its own. Takes as long as it takes.
std::shared_ptr<const ReplayStudy> studyRecording(const std::filesystem::path& file);
/// From events that are at hand.
std::shared_ptr<const ReplayStudy> studyEvents(const std::vector<Event>& events);
/// The same on a thread of its own; `done` runs on the program's, unless the owner has gone.
void studyInBackground(QObject* owner, const std::filesystem::path& file, std::function<void(std::shared_ptr<const ReplayStudy>)> done);

/// The notes beside a recording into the timeline's lanes.
void takeNotes(TimelineData& timeline, const std::vector<ReviewNote>& notes);

} // namespace tealdeck
