// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

namespace tealdeck {

// Into the file of notes beside a recording; the recording itself is never changed. What became of it is returned as a plain sentence: how much
// is new, or why nothing was changed.

/// Events that others left (CSV or NDJSON, see core/review/external_events.h), with what has to be added to their clock in ms.
QString importEventsOfOthers(const QString& recording, const QString& from, qint64 offsetMs);
/// Another reviewer's file of notes about the same recording.
QString importNotesOfOthers(const QString& recording, const QString& from);
/// A command that opens the recording at the position, to be pasted into a shell or a message.
QString linkTo(const QString& recording, qint64 positionUs);

} // namespace tealdeck
