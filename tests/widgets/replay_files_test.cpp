// SPDX-License-Identifier: GPL-3.0-or-later
// What a replay window takes in and gives out: dropped files, links to a moment, events and notes of others.
#include "app/console/action_registry.h"
#include "app/console/replay_desk.h"
#include "app/console/replay_import.h"
#include "core/review/times.h"
#include "core/util/files.h"
#include "tests/widgets/opened_recording.h"
#include "widgets/plot/lag_plots.h"

#include <QApplication>
#include <QClipboard>
#include <QDropEvent>
#include <QListWidget>
#include <QMimeData>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

using namespace tealdeck;
using namespace tealdeck::test;

namespace {

/// "time,text" lines around the beginning of the recording, by its wall clock.
std::string eventsOf(const Opened& opened) {
    const auto reader = RecordingReader::open(opened.file.toStdString());
    EXPECT_TRUE(reader.ok());
    std::int64_t begin = 0;
    EXPECT_TRUE((*reader)->read(1, 1, [&](const Event& event) {
        begin = event.wallUs;
        return false;
    }).ok());
    return "time,text,who\n" + std::to_string(begin / 1'000'000 + 5) + ",\"deploy <b>42</b>\",ci\n" + std::to_string(begin / 1'000'000 + 9) + ",page,pager\n";
}

bool act(const Opened& opened, const char* id) {
    QAction* found = opened.window->acts().find(QString::fromLatin1(id));
    EXPECT_NE(found, nullptr) << id;
    if (found == nullptr || !found->isEnabled()) {
        return false;
    }
    found->trigger();
    return true;
}

} // namespace

TEST(ReplayFiles, ADroppedFileIsHandedOnToBeOpened) {
    const Opened opened;
    QSignalSpy dropped(opened.window.get(), &MainWindow::fileDropped);
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(opened.file)});
    QDragEnterEvent enter(QPoint(10, 10), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(opened.window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(10, 10), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(opened.window.get(), &drop);
    ASSERT_EQ(dropped.size(), 1);
    EXPECT_EQ(dropped[0][0].toString(), opened.file);
    // Something from the web is no file of this machine.
    QMimeData web;
    web.setUrls({QUrl(QStringLiteral("https://example.org/a.teal"))});
    QDragEnterEvent refused(QPoint(10, 10), Qt::CopyAction, &web, Qt::LeftButton, Qt::NoModifier);
    refused.ignore();
    QApplication::sendEvent(opened.window.get(), &refused);
    EXPECT_FALSE(refused.isAccepted());
}

TEST(ReplayFiles, ALinkLeadsBackToTheMoment) {
    const Opened opened;
    opened.session.replay->seek(12'345'000);
    ASSERT_TRUE(act(opened, "replay.copy-link"));
    EXPECT_EQ(QApplication::clipboard()->text(), QStringLiteral("tealdeck --replay '%1' --at 00:00:12.345").arg(opened.file));
    EXPECT_EQ(linkTo(QStringLiteral("/a/it's; rm -rf.teal"), 0), QStringLiteral("tealdeck --replay '/a/it'\\''s; rm -rf.teal' --at 00:00:00.000"));
}

TEST(ReplayFiles, EventsOfOthersBecomeALaneOfTheirOwn) {
    const Opened opened;
    const QString events = opened.folder.filePath(QStringLiteral("deploys.csv"));
    ASSERT_TRUE(writeFileAtomically(events.toStdString(), eventsOf(opened)).ok());
    const auto evidence = readFile(opened.file.toStdString());
    auto* desk = opened.window->findChild<ReplayDesk*>();
    QSignalSpy told(desk, &ReplayDesk::told);
    desk->importEvents(events, 1500);
    ASSERT_TRUE(told.wait(20000));
    EXPECT_EQ(told[0][0].toString(), QStringLiteral("2 of 2 events are new; they lie beside the recording, which was not changed."));
    const Result<NotesFile> notes = readNotesFile(notesFileOf(opened.file.toStdString()));
    ASSERT_TRUE(notes.ok() && notes->all.size() == 2);
    EXPECT_EQ(notes->all[0].kind, "external");
    EXPECT_EQ(notes->all[0].offsetMs, 1500);
    EXPECT_NEAR(static_cast<double>(notes->all[0].fromUs), 6.5e6, 1.1e6) << "five seconds and the offset after the first record";
    EXPECT_EQ(opened.named<QListWidget>("Notes of the reviewers")->count(), 2);
    EXPECT_EQ(opened.scrubber()->data().others.size(), 2U);
    EXPECT_TRUE(opened.scrubber()->data().notes.empty());
    EXPECT_EQ(*readFile(opened.file.toStdString()), *evidence);
    // The same once more: nothing is there twice. And what is no list of events says where and why.
    told.clear();
    desk->importEvents(events, 1500);
    ASSERT_TRUE(told.wait(20000));
    EXPECT_TRUE(told[0][0].toString().startsWith(QStringLiteral("0 of 2"))) << told[0][0].toString().toStdString();
    ASSERT_TRUE(writeFileAtomically(events.toStdString(), "time,text\nyesterday,x\n").ok());
    told.clear();
    desk->importEvents(events, 0);
    ASSERT_TRUE(told.wait(20000));
    EXPECT_TRUE(told[0][0].toString().contains(QStringLiteral("Line 2"))) << told[0][0].toString().toStdString();
    EXPECT_EQ(opened.named<QListWidget>("Notes of the reviewers")->count(), 2);
}

TEST(ReplayFiles, NotesOfAnotherReviewerAreJoined) {
    const Opened opened;
    const auto reader = RecordingReader::open(opened.file.toStdString());
    ASSERT_TRUE(reader.ok());
    const Result<NotesBinding> binding = bindingTo(**reader);
    ASSERT_TRUE(binding.ok());
    ReviewNote note;
    note.kind = "fact";
    note.fromUs = note.toUs = 3'000'000;
    note.author = "dora";
    note.text = "the pool was full";
    const QString theirs = opened.folder.filePath(QStringLiteral("dora.notes"));
    ASSERT_TRUE(appendNotes(theirs.toStdString(), *binding, {note}).ok());
    auto* desk = opened.window->findChild<ReplayDesk*>();
    QSignalSpy told(desk, &ReplayDesk::told);
    desk->importNotes(theirs);
    ASSERT_TRUE(told.wait(20000));
    EXPECT_TRUE(told[0][0].toString().startsWith(QStringLiteral("1 notes were added"))) << told[0][0].toString().toStdString();
    auto* list = opened.named<QListWidget>("Notes of the reviewers");
    ASSERT_EQ(list->count(), 1);
    EXPECT_TRUE(list->item(0)->text().contains(QStringLiteral("dora: the pool was full")));
    told.clear();
    desk->importNotes(opened.file); // no file of notes at all
    ASSERT_TRUE(told.wait(20000));
    EXPECT_EQ(list->count(), 1);
    EXPECT_FALSE(told[0][0].toString().isEmpty());
}

TEST(ReplayFiles, AJumpIsDrawnAtOnceAndTheTimelineShowsItsData) {
    const Opened opened;
    auto* plots = opened.window->findChild<LagPlots*>();
    const std::int64_t end = opened.session.replay->archive().endUs();
    for (const std::int64_t to : {end / 2, end / 4, end}) {
        opened.session.replay->seek(to);
        EXPECT_LE(plots->newestDrawnUs(), to) << "the future must not be seen";
        EXPECT_GT(plots->newestDrawnUs(), to - 5'000'000) << "drawn later than the jump";
    }
    // The lanes are painted once: other data and another part of the time are another picture, the old ones again the old one.
    Scrubber scrubber;
    scrubber.resize(900, 140);
    const TimelineData data = opened.scrubber()->data();
    scrubber.setData(data);
    const QImage first = scrubber.grab().toImage();
    TimelineData fewer = data;
    fewer.statements.clear();
    scrubber.setData(fewer);
    EXPECT_NE(scrubber.grab().toImage(), first);
    scrubber.setData(data);
    EXPECT_EQ(scrubber.grab().toImage(), first);
    QWheelEvent zoom(QPointF(400, 50), QPointF(400, 50), {}, {0, 120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&scrubber, &zoom);
    EXPECT_NE(scrubber.grab().toImage(), first);
    scrubber.fit();
    EXPECT_EQ(scrubber.grab().toImage(), first);
    scrubber.resize(700, 140);
    EXPECT_EQ(scrubber.grab().toImage().width(), 700 * first.width() / 900);
}
