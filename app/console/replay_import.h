// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

namespace tealdeck {

/// What became of an import into the file of notes beside a recording; the recording itself is never changed.
struct Imported {
    bool done = false; ///< false: nothing was changed, and text says why
    QString text;      ///< a sentence for people, plain
};

/// Events that others left (CSV or NDJSON, see core/review/external_events.h), with what has to be added to their clock in ms.
Imported importEventsOfOthers(const QString& recording, const QString& from, qint64 offsetMs);
/// Another reviewer's file of notes about the same recording.
Imported importNotesOfOthers(const QString& recording, const QString& from);
/// A command that opens the recording at the position, to be pasted into a shell or a message.
QString linkTo(const QString& recording, qint64 positionUs);

} // namespace tealdeck
