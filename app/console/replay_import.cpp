// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replay_import.h"

#include "core/recording/notes_file.h"
#include "core/review/external_events.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

#include <QCoreApplication>

namespace tealdeck {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("ReplayImport", text); }

} // namespace

QString importEventsOfOthers(const QString& recording, const QString& from, qint64 offsetMs) {
    const auto reader = RecordingReader::open(recording.toStdString());
    if (!reader) {
        return safeText(reader.error().text());
    }
    const Result<review::EventsImport> brought = review::importExternalEvents(**reader, notesFileOf(recording.toStdString()), from.toStdString(), offsetMs);
    return brought ? tr("%1 of %2 events are new; they lie beside the recording, which was not changed.").arg(brought->fresh).arg(brought->all) : safeText(brought.error().text());
}

QString importNotesOfOthers(const QString& recording, const QString& from) {
    const auto reader = RecordingReader::open(recording.toStdString());
    if (!reader) {
        return safeText(reader.error().text());
    }
    const Result<NotesMerge> merged = mergeNotes(**reader, notesFileOf(recording.toStdString()), from.toStdString());
    return merged ? tr("%1 notes were added, %2 were here already; %3 of those added contradict one that is here.").arg(merged->added).arg(merged->same).arg(merged->conflicts)
                  : safeText(merged.error().text());
}

QString linkTo(const QString& recording, qint64 positionUs) {
    QString quoted = recording;
    quoted.replace(QLatin1Char('\''), QStringLiteral("'\\''"));
    return QStringLiteral("tealdeck --replay '%1' --at %2").arg(quoted, formatPosition(positionUs));
}

} // namespace tealdeck
