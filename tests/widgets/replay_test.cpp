// SPDX-License-Identifier: GPL-3.0-or-later
// The replay window by keyboard, on a real recording from a file.
#include "app/console/main_window.h"
#include "app/console/replay_compare.h"
#include "app/console/replay_desk.h"
#include "app/console/replay_pdf.h"
#include "app/console/replay_reports.h"
#include "core/recording/salvage.h"
#include "core/review/report.h"
#include "tests/core/random_events.h"
#include "tests/core/recording_fixture.h"
#include "tests/widgets/audit.h"
#include "tests/widgets/manual_clock.h"
#include "tests/widgets/opened_recording.h"
#include "tests/widgets/replay_fixture.h"
#include "tests/widgets/scripted_upgrade.h"
#include "widgets/status/mode_strip.h"
#include "widgets/timeline/replay_bar.h"

#include <QComboBox>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>
#include <QTreeWidget>
#include <QWheelEvent>
#include <gtest/gtest.h>

using namespace tealdeck;
using namespace tealdeck::test;

namespace {

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
    auto* strip = opened.window->findChild<ModeStrip*>();
    EXPECT_EQ(strip->integrity(), QStringLiteral("✓ VERIFIED"));
    EXPECT_TRUE(strip->accessibleDescription().contains("VERIFIED; ")) << strip->accessibleDescription().toStdString();
    const auto verdict = [&] {
        opened.session.replay->takeStudy(studyRecording(opened.file.toStdString()));
        return strip->integrity();
    };
    QFile file(opened.file);
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
    const std::filesystem::path whole = opened.folder.filePath("whole.teal").toStdString();
    std::filesystem::copy_file(opened.file.toStdString(), whole);
    testing_recording::change(opened.file.toStdString(), "UPDATE record SET wall_us=0 WHERE seq=40");
    EXPECT_EQ(verdict(), QStringLiteral("✕ BROKEN at record 40"));
    EXPECT_TRUE(strip->toolTip().contains("record 40")) << strip->toolTip().toStdString();
    std::filesystem::copy_file(whole, opened.file.toStdString(), std::filesystem::copy_options::overwrite_existing);
    ASSERT_TRUE(file.resize(file.size() / 2));
    EXPECT_TRUE(verdict().startsWith(QStringLiteral("✕ "))) << verdict().toStdString();
    const std::filesystem::path saved = opened.folder.filePath("saved.teal").toStdString();
    ASSERT_TRUE(salvageRecording(opened.file.toStdString(), saved).ok());
    opened.session.replay->takeStudy(studyRecording(saved));
    EXPECT_EQ(strip->integrity(), QStringLiteral("✕ SALVAGED"));
    opened.session.replay->takeStudy(studyRecording(TEALDECK_SOURCE_DIR "/tests/data/rollback-after-incident.teal"));
    EXPECT_TRUE(strip->integrity().startsWith(QStringLiteral("✕ NOT FINISHED after seal "))) << strip->integrity().toStdString();
    opened.window->resize(opened.window->minimumSizeHint());
    EXPECT_TRUE(strip->accessibleDescription().contains("NOT FINISHED")) << "there is no size without it";
}

TEST(ReplayWindow, ShowsWhatTheOperatorSaw) {
    std::vector<Event> events = test::scriptedUpgrade();
    const std::int64_t end = events.back().steadyUs;
    const auto add = [&](EventKind kind, Json body) {
        const Event& last = events.back();
        events.push_back({last.seq + 1, last.steadyUs + 1'000'000, last.wallUs + 1'000'000, kind, "anna", std::move(body)});
    };
    add(EventKind::ViewChange, {{"page", "all panels, and of the lists: <b>Events</b>"}});
    add(EventKind::Prompt, {{"text", "ARMED, 20 s left. Pauses the writes."}, {"command", "rollback"}, {"armed_ms", 20000}, {"gates", {{{"text", "lag"}, {"value", "0.2"}, {"age_s", 0.5}}}}});
    add(EventKind::Answer, {{"text", "began to hold “HOLD 1.5 s”"}, {"withdrawn", false}, {"hold", {{"state", "begun"}, {"needed_ms", 1500}, {"held_ms", 0}}}});
    add(EventKind::Note, {{"text", "later"}});
    MainWindow window(test::replayOf(events), Clock::system());
    window.show();
    window.start();
    auto* desk = window.findChild<ReplayDesk*>();
    EXPECT_TRUE(desk->seenText().isEmpty());
    window.replay()->seek(end + 3'750'000);
    const QString seen = desk->seenText();
    EXPECT_TRUE(seen.contains("anna looked at: all panels, and of the lists: <b>Events</b>")) << seen.toStdString();
    EXPECT_TRUE(seen.contains("armed for 18.2 s more: “ARMED, 20 s left. Pauses the writes.”")) << seen.toStdString();
    EXPECT_TRUE(seen.contains("shown: lag 0.2 (0.5 s old)")) << seen.toStdString();
    EXPECT_TRUE(seen.contains("0.8 s of 1.5 s (50 %)")) << seen.toStdString();
}

TEST(ReplayWindow, ComparesWithAnotherRecordingAsTheCommandLineDoes) {
    const Opened opened("clean-upgrade");
    const std::string other = TEALDECK_SOURCE_DIR "/tests/data/rollback-after-incident.teal";
    ReplayCompare* compare = opened.window->compareWith(QString::fromStdString(other));
    QSignalSpy compared(compare, &ReplayCompare::compared);
    ASSERT_TRUE(compare->document() || compared.wait(60'000));
    ASSERT_TRUE(compare->document());
    const auto a = review::gatherReport({opened.file.toStdString(), {}, {}});
    const auto b = review::gatherReport({other, {}, {}});
    EXPECT_EQ(review::toMarkdown(*compare->document()), review::toMarkdown(review::makeComparison(*a, *b, review::DEFAULT_ANCHOR)));
    const QString shown = compare->findChild<QTextBrowser*>()->toPlainText();
    EXPECT_TRUE(shown.contains("Durations side by side")) << shown.left(500).toStdString();
    EXPECT_GT(shown.count(QChar::ObjectReplacementCharacter), 1) << "plots";
    compare->setAnchor("switch:cutover");
    EXPECT_EQ(review::toHtml(*compare->document()), review::toHtml(review::makeComparison(*a, *b, "switch:cutover")));
    QByteArray saved;
    QObject::connect(compare, &ReplayCompare::saveWanted, [&](const QString& format, const std::function<QByteArray()>& what) { saved = format == "md" ? what() : saved; });
    for (QPushButton* button : compare->findChildren<QPushButton*>()) {
        ASSERT_TRUE(button->isEnabled());
        if (button->text().contains("Markdown")) {
            button->setFocus();
            emit button->clicked();
        }
    }
    EXPECT_EQ(saved.toStdString(), review::toMarkdown(*compare->document()));
    for (QFileDialog* dialog : opened.window->findChildren<QFileDialog*>()) {
        dialog->reject();
    }
}

TEST(ReplayWindow, AComparisonWithNoRecordingSaysSo) {
    const Opened opened("clean-upgrade");
    ReplayCompare* compare = opened.window->compareWith("/nowhere.teal");
    QSignalSpy compared(compare, &ReplayCompare::compared);
    ASSERT_TRUE(compared.wait(60'000));
    EXPECT_FALSE(compare->document());
    QStringList texts;
    for (const QLabel* label : compare->findChildren<QLabel*>()) {
        texts << label->text();
    }
    EXPECT_TRUE(texts.join('|').contains("/nowhere.teal")) << texts.join('|').toStdString();
}

TEST(ReplayWindow, ReportsAreThoseOfTheCommandLine) {
    const Opened opened;
    for (const char* form : {"md", "csv", "ndjson", "html", "pdf"}) {
        QByteArray bytes;
        QString problem = "not called";
        makeReportBytes(opened.window.get(), opened.file, form, [&](const QByteArray& made, const QString& why) {
            bytes = made;
            problem = why;
        });
        ASSERT_TRUE(QTest::qWaitFor([&] { return problem != "not called"; }, 60'000)) << form;
        EXPECT_TRUE(problem.isEmpty()) << problem.toStdString();
        const auto wanted = review::reportAs(*review::gatherReport({opened.file.toStdString(), {}, {}}), form);
        // When it was made is in it.
        EXPECT_TRUE(wanted ? static_cast<std::size_t>(bytes.size()) == wanted->size() : bytes.startsWith("%PDF-")) << form;
    }
}

TEST(ReplayWindow, ARedactedCopyVerifiesAndSaysWhatIsGone) {
    const Opened opened("clean-upgrade");
    ReplayRedact redact(opened.file);
    redact.setAttribute(Qt::WA_DeleteOnClose, false);
    QSignalSpy written(&redact, &ReplayRedact::written);
    const QString copy = opened.folder.filePath("public.teal");
    redact.write(copy);
    ASSERT_TRUE(written.wait(60'000));
    EXPECT_TRUE(written[0][0].toBool()) << redact.said().toStdString();
    EXPECT_TRUE(redact.said().contains("records have no body")) << redact.said().toStdString();
    EXPECT_EQ(studyRecording(copy.toStdString())->integrity.state, review::Integrity::State::Verified);
    redact.write(copy);
    ASSERT_TRUE(written.wait(60'000));
    EXPECT_FALSE(written[1][0].toBool()) << "never over a file";
}

TEST(ReplayWindow, EveryFocusableWidgetHasANameAndLabelsArePlain) {
    const Opened opened;
    ReplayCompare* compare = opened.window->compareWith(opened.file);
    QSignalSpy compared(compare, &ReplayCompare::compared);
    ASSERT_TRUE(compared.wait(60'000));
    ReplayRedact redact(opened.file);
    redact.setAttribute(Qt::WA_DeleteOnClose, false);
    redact.show();
    test::auditNames(*opened.window);
    test::auditNames(*compare);
    test::auditNames(redact);
}

/// A file that somebody made to do harm: markup, formulas, bidi, bodies of every wrong shape, times from nowhere, a long name.
TEST(ReplayWindow, AHostileRecordingIsOnlyShown) {
    const testing_recording::Folder folder;
    const std::filesystem::path path = folder.path / "evil.teal";
    const std::string evil = "=cmd|'/c calc'!A1 <img src=x onerror=alert(1)><b>x</b> \u202Egnp.\n" + std::string(100'000, 'A');
    testing_random::Random random(7);
    {
        auto writer = RecordingWriter::create(path, {{"deployment", evil.substr(0, 200)}, {"recording_id", "r"}, {"plan_sha256", "00"}, {"tool", "test"}});
        ASSERT_TRUE(writer.ok());
        for (std::uint64_t seq = 1; seq <= 600; ++seq) {
            Event event = testing_random::randomEvent(random, seq);
            event.seq = (*writer)->lastSeq() + 1;
            event.steadyUs = static_cast<std::int64_t>(seq) * 100'000;
            if (random() % 3 == 0) {
                const Json shapes[] = {nullptr, Json::array({1, nullptr, evil}), evil, {{"id", evil}, {"name", evil}, {"text", evil}, {"gates", Json::array({evil, nullptr, {{"value", evil}}})}, {"values", {{evil, 1e308}}}}};
                event.body = shapes[random() % 4];
                event.actor = random() % 2 == 0 ? "<b>eve</b>" : "=1+1";
            }
            static_cast<void>((*writer)->append(event)); // some shapes are refused, which is right
        }
        ASSERT_TRUE((*writer)->close().ok());
    }
    auto archive = openArchive(path);
    ASSERT_TRUE(archive.ok()) << archive.error().text();
    Session session = replaySession(*archive, QStringLiteral("evil.teal"), Clock::system(), QString::fromStdString(path.string()), QStringLiteral("carl"));
    session.replay->takeStudy(studyRecording(path));
    MainWindow window(session, Clock::system());
    window.resize(1600, 1000);
    window.show();
    window.start();
    for (int part = 0; part <= 20; ++part) {
        session.replay->seek((*archive)->endUs() * part / 20);
        window.drawNow();
        QCoreApplication::processEvents();
        static_cast<void>(window.grab());
    }
    test::auditNames(window);
    for (const QPlainTextEdit* text : window.findChildren<QPlainTextEdit*>()) {
        EXPECT_FALSE(text->toPlainText().contains(QChar(0x202E)));
    }
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
