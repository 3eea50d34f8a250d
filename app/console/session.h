// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/replay_source.h"

#include <QString>
#include <QStringList>

namespace tealdeck {

/// What a window shows: a live engine, or a recording.
struct Session {
    std::shared_ptr<SessionSource> source;
    std::shared_ptr<const ReplayArchive> archive; ///< replay only
    std::shared_ptr<ReplaySource> replay;         ///< replay only: the same object as source
    QString title;
    QString actor;
    bool observer = false; ///< no control is made, as in replay
    QString plan = {};     ///< live only: whose engine can be started again; empty: only its socket is known
    bool practice = false; ///< on the practice lab: the window guides through a rehearsal
    QString file = {};     ///< replay only: the recording; notes are kept beside it
};

Session liveSession(const QString& socketPath, const QString& actor, bool observer, const QString& plan = {});
/// An engine on the standard streams of a program, such as {"ssh", "bastion", "tealdeck-engine", "--stdio", "/plans/shop.toml"}.
Session commandSession(const QStringList& argv, const QString& actor, bool observer);
/// Without a study the window shows its panels, and the timeline once ReplaySource::takeStudy() brings it. The actor writes notes.
Session replaySession(std::shared_ptr<const ReplayArchive> archive, const QString& title, const Clock& clock, const QString& file = {}, const QString& actor = {});

} // namespace tealdeck
