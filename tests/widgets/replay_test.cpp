// SPDX-License-Identifier: GPL-3.0-or-later
// The replay window by keyboard, on a real recording from a file.
#include "app/console/main_window.h"
#include "app/console/replay_desk.h"
#include "app/console/replay_pdf.h"
#include "core/review/report.h"
#include "tests/widgets/manual_clock.h"
#include "widgets/timeline/replay_bar.h"

#include <QComboBox>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeWidget>
#include <QWheelEvent>
#include <gtest/gtest.h>

using namespace tealdeck;

namespace {

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

Snapshot playedTo(const ReplayArchive& archive, std::size_t count) {
    Snapshot played;
    for (std::size_t from = 0; from < count; from += 500) {
        for (const Event& event : archive.events(from, std::min(count, from + 500))) {
            apply(played, event);
        }
    }
    return played;
}

} // namespace

TEST(ReplayFile, JumpingEqualsPlaying) {
    for (const char* name : {"rollback-after-incident", "aborted-cutover", "clean-upgrade", "version-1"}) {
        const auto archive = openArchive(std::string(TEALDECK_SOURCE_DIR "/tests/data/") + name + ".teal");
        ASSERT_TRUE(archive.ok()) << archive.error().text();
        const std::size_t all = (*archive)->countAt((*archive)->endUs());
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, all / 7, all / 3, all / 2, all - 1, all}) {
            ASSERT_EQ(toJson((*archive)->snapshotAfter(count)), toJson(playedTo(**archive, count))) << name << ' ' << count;
        }
    }
}

TEST(ReplayWindow, EveryKeyDoesWhatItSays) {
    const Opened opened;
    Scrubber* scrubber = opened.scrubber();
    const TimelineData& timeline = opened.session.replay->study()->timeline;
    ASSERT_FALSE(timeline.alarms.empty());
    ASSERT_FALSE(timeline.acts.empty());
    EXPECT_FALSE(timeline.statements.empty());
    EXPECT_FALSE(timeline.lag.empty());
    QTest::keyClick(scrubber, Qt::Key_Right, Qt::ControlModifier);
    EXPECT_EQ(opened.at(), 10'000'000);
    QTest::keyClick(scrubber, Qt::Key_Left);
    EXPECT_EQ(opened.at(), 9'000'000);
    QTest::keyClick(scrubber, Qt::Key_Right, Qt::ShiftModifier);
    EXPECT_EQ(opened.at(), 9'100'000);
    QTest::keyClick(scrubber, Qt::Key_Period);
    EXPECT_EQ(opened.at(), nextTime(timeline.events, 9'100'000, true));
    QTest::keyClick(scrubber, Qt::Key_Comma);
    EXPECT_LE(opened.at(), 9'100'000);
    QTest::keyClick(scrubber, Qt::Key_End);
    EXPECT_EQ(opened.at(), opened.session.replay->archive().endUs());
    QTest::keyClick(scrubber, Qt::Key_Home);
    EXPECT_EQ(opened.at(), 0);
    QTest::keyClick(scrubber, Qt::Key_BracketRight);
    EXPECT_EQ(opened.at(), timeline.alarms.front().timeUs);
    QTest::keyClick(scrubber, Qt::Key_BraceRight);
    const std::int64_t act = opened.at();
    EXPECT_GT(act, timeline.alarms.front().timeUs);
    QTest::keyClick(scrubber, Qt::Key_BraceLeft);
    EXPECT_LT(opened.at(), act);
    QTest::keyClick(scrubber, Qt::Key_Space);
    EXPECT_TRUE(opened.session.replay->playing());
    QTest::keyClick(scrubber, Qt::Key_Space);
    EXPECT_FALSE(opened.session.replay->playing());
    QWheelEvent wheel({400, 20}, scrubber->mapToGlobal(QPointF(400, 20)), {}, {0, 480}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(scrubber, &wheel);
    EXPECT_LT(scrubber->viewToUs() - scrubber->viewFromUs(), timeline.endUs);
    QTest::keyClick(scrubber, Qt::Key_F);
    EXPECT_EQ(scrubber->viewToUs(), timeline.endUs);
}

TEST(ReplayWindow, AReferenceShowsWhatIsDifferent) {
    const Opened opened;
    auto* tree = opened.named<QTreeWidget>("What is different from the reference moment");
    QTest::keyClick(opened.scrubber(), Qt::Key_R);
    QTest::keyClick(opened.scrubber(), Qt::Key_End);
    QStringList fields;
    for (int i = 0; i < tree->topLevelItemCount(); ++i) {
        fields << tree->topLevelItem(i)->text(0) + QLatin1Char('=') + tree->topLevelItem(i)->text(2);
    }
    EXPECT_TRUE(fields.contains("phase=rolled-back")) << fields.join('\n').left(2000).toStdString();
}

TEST(ReplayWindow, DecisionsFollowThePosition) {
    const Opened opened;
    QTest::keyClick(opened.scrubber(), Qt::Key_End);
    const QString card = opened.window->findChild<ReplayDesk*>()->cardText();
    EXPECT_TRUE(card.contains("anna: rollback")) << card.toStdString();
    EXPECT_TRUE(card.contains("orders were slow")) << card.toStdString();
    EXPECT_TRUE(card.contains("What was known:"));
    QTest::keyClick(opened.scrubber(), Qt::Key_Home);
    EXPECT_TRUE(opened.window->findChild<ReplayDesk*>()->cardText().isEmpty());
}

TEST(ReplayWindow, NotesAreWrittenBesideTheEvidence) {
    const Opened opened;
    QFile evidence(opened.file);
    ASSERT_TRUE(evidence.open(QIODevice::ReadOnly));
    const QByteArray before = evidence.readAll();
    opened.session.replay->seek(10'000'000);
    QTest::keyClick(opened.scrubber(), Qt::Key_M, Qt::ShiftModifier);
    opened.session.replay->seek(20'000'000);
    QTest::keyClick(opened.scrubber(), Qt::Key_M);
    auto* text = opened.named<QLineEdit>("Text of the note");
    QTest::keyClicks(text, "the <b>lag</b> grew here");
    QTest::keyClick(text, Qt::Key_Return);
    const Result<NotesFile> notes = readNotesFile(notesFileOf(opened.file.toStdString()));
    ASSERT_TRUE(notes.ok()) << notes.error().text();
    ASSERT_EQ(notes->all.size(), 1U);
    EXPECT_EQ(notes->all[0].fromUs, 10'000'000);
    EXPECT_EQ(notes->all[0].toUs, 20'000'000);
    EXPECT_EQ(notes->all[0].author, "carl");
    EXPECT_EQ(opened.named<QListWidget>("Notes of the reviewers")->count(), 1);
    EXPECT_EQ(opened.scrubber()->data().notes.size(), 1U);
    evidence.seek(0);
    EXPECT_EQ(evidence.readAll(), before);
    EXPECT_EQ(review::gatherReport({opened.file.toStdString(), {}, {}})->notes.size(), 1U) << "and it is in the report";
}

TEST(ReplayWindow, TheVerdictIsAlwaysInSight) {
    const Opened opened("clean-upgrade");
    auto* bar = opened.window->findChild<ReplayBar*>();
    EXPECT_EQ(bar->verdict(), QStringLiteral("✓ VERIFIED"));
    QFile file(opened.file);
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
    ASSERT_TRUE(file.resize(file.size() / 2));
    const auto study = studyRecording(opened.file.toStdString());
    opened.session.replay->takeStudy(study);
    EXPECT_TRUE(bar->verdict().startsWith(QStringLiteral("✕ "))) << bar->verdict().toStdString();
}

TEST(ReplaySource, SkipsIdleTimeAndLoops) {
    test::ManualClock clock;
    const auto archive = openArchive(TEALDECK_SOURCE_DIR "/tests/data/rollback-after-incident.teal");
    ASSERT_TRUE(archive.ok());
    ReplaySource source(*archive, clock);
    source.takeStudy(studyRecording(TEALDECK_SOURCE_DIR "/tests/data/rollback-after-incident.teal"));
    source.start({[](const SessionStart&) {}, [](const std::vector<Event>&) {}, [](SourceState, const std::string&) {}});
    source.setSkipIdle(true);
    source.setLoop(true);
    source.setPlaying(true);
    std::int64_t last = 0;
    bool looped = false;
    for (int i = 0; i < 20'000 && !looped; ++i) {
        clock.advanceMs(100);
        source.advance();
        looped = source.positionUs() < last;
        if (!looped && source.positionUs() - last > 1'500'000) {
            EXPECT_LE(nextTime(source.study()->timeline.events, source.positionUs(), true) - source.positionUs(), 1'000'001) << "stops before what comes next";
        }
        last = source.positionUs();
    }
    EXPECT_TRUE(looped);
    EXPECT_TRUE(source.playing());
}

TEST(ReplayReport, APdfHasPagesAndIsNeverWrittenOverAFile) {
    const Opened opened;
    const QString pdf = opened.folder.filePath(QStringLiteral("r.pdf"));
    EXPECT_EQ(writePdfReport(opened.file, pdf), 0);
    QFile file(pdf);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const QByteArray bytes = file.readAll();
    EXPECT_TRUE(bytes.startsWith("%PDF-1."));
    EXPECT_GT(bytes.count("/Type /Page"), 3);
    EXPECT_TRUE(bytes.contains("/FontFile")) << "fonts are embedded";
    EXPECT_EQ(bytes.count("/Subtype /Image"), 0) << "plots are vectors";
    EXPECT_EQ(writePdfReport(opened.file, pdf), 2);
    EXPECT_EQ(writePdfReport(QStringLiteral("/nowhere"), opened.folder.filePath(QStringLiteral("s.pdf"))), 2);
}
