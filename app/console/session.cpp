// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/session.h"

#include "core/api/engine_client.h"

#include <QDir>
#include <QFileInfo>

namespace tealdeck {

Session liveSession(const QString& socketPath, const QString& actor, bool observer, const QString& plan) {
    EngineClient::Target target;
    target.socketPath = socketPath.toStdString();
    target.driver = !observer;
    target.actor = actor.toStdString();
    // The lab leaves its description beside its plan.
    const bool practice = !plan.isEmpty() && QFileInfo::exists(QFileInfo(plan).dir().filePath(QStringLiteral("lab.json")));
    return {std::make_shared<EngineClient>(std::move(target)), {}, {}, socketPath, actor, observer, plan, practice};
}

Session commandSession(const QStringList& argv, const QString& actor, bool observer) {
    EngineClient::Target target;
    for (const QString& word : argv) {
        target.argv.push_back(word.toStdString());
    }
    target.driver = !observer;
    target.actor = actor.toStdString();
    return {std::make_shared<EngineClient>(std::move(target)), {}, {}, argv.join(' '), actor, observer, {}, false};
}

Session replaySession(std::shared_ptr<const ReplayArchive> archive, const QString& title, const Clock& clock, const QString& file, const QString& actor) {
    auto replay = std::make_shared<ReplaySource>(archive, clock);
    return {replay, std::move(archive), replay, title, actor, true, {}, false, file};
}

} // namespace tealdeck
