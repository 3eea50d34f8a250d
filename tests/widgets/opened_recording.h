// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/main_window.h"
#include "widgets/timeline/scrubber.h"

#include <QFile>
#include <QTemporaryDir>
#include <gtest/gtest.h>
#include <memory>

namespace tealdeck::test {

/// A copy of a recording of tests/data in a folder that may be written.
struct Opened {
    QTemporaryDir folder;
    QString file;
    Session session;
    std::unique_ptr<MainWindow> window;
    explicit Opened(const char* name = "rollback-after-incident") {
        file = folder.filePath(QStringLiteral("a.teal"));
        EXPECT_TRUE(QFile::copy(QStringLiteral(TEALDECK_SOURCE_DIR "/tests/data/") + name + ".teal", file));
        auto archive = openArchive(file.toStdString());
        EXPECT_TRUE(archive.ok()) << (archive ? "" : archive.error().text());
        session = replaySession(*archive, QStringLiteral("a.teal"), Clock::system(), file, QStringLiteral("carl"));
        session.replay->takeStudy(studyRecording(file.toStdString()));
        window = std::make_unique<MainWindow>(session, Clock::system());
        window->resize(1600, 1000);
        window->show();
        window->start();
    }
    [[nodiscard]] Scrubber* scrubber() const { return window->findChild<Scrubber*>(); }
    [[nodiscard]] std::int64_t at() const { return session.replay->positionUs(); }
    template <class T>
    T* named(const char* accessible) const {
        for (T* each : window->findChildren<T*>()) {
            if (each->accessibleName() == QLatin1String(accessible)) {
                return each;
            }
        }
        ADD_FAILURE() << "nothing is called " << accessible;
        return nullptr;
    }
};

} // namespace tealdeck::test
