// SPDX-License-Identifier: GPL-3.0-or-later
// What only a window of a recording has: its wiring, its menu, reports, and the windows beside it.
#include "app/console/action_registry.h"
#include "app/console/exporter.h"
#include "app/console/main_window.h"
#include "app/console/replay_compare.h"
#include "app/console/replay_desk.h"
#include "app/console/replay_import.h"
#include "app/console/replay_reports.h"
#include "app/console/window_layout.h"
#include "widgets/events/event_panel.h"
#include "widgets/status/mode_strip.h"
#include "widgets/status/phase_rail.h"
#include "widgets/theme/theme.h"
#include "widgets/timeline/replay_bar.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QMenuBar>

namespace tealdeck {

void MainWindow::wireReplay() {
    ReplaySource* replay = m_session.replay.get();
    m_bridge->setReplay(m_session.replay);
    connect(m_desk, &ReplayDesk::told, this, &MainWindow::notify);
    connect(m_desk, &ReplayDesk::pageWanted, m_layout, &WindowLayout::raisePanel);
    connect(m_events, &EventPanel::momentChosen, replay, [replay](qlonglong timeUs) { replay->seek(timeUs); });
    connect(replay, &ReplaySource::studied, this, &MainWindow::takeStudy);
    takeStudy();
}

void MainWindow::takeStudy() {
    const review::Integrity& integrity = m_session.replay->study()->integrity;
    const bool known = !integrity.word.empty();
    m_strip->setIntegrity(!known ? tr("being verified …") : (integrity.state == review::Integrity::State::Verified ? QStringLiteral("✓ ") : QStringLiteral("✕ ")) + safeText(integrity.word),
                          safeText(integrity.sentence), !known || integrity.state == review::Integrity::State::Verified);
    m_marks.clear();
    for (const PhaseSpan& span : m_session.replay->study()->timeline.phases) {
        if (span.fromUs > 0) {
            m_marks.push_back({span.fromUs, phaseTitle(span.phase)});
        }
    }
    m_plots->setSeries(&m_bridge->series());
    m_plots->setMarks(m_marks);
    showSnapshot();
}

void MainWindow::makeReplayMenu() {
    if (!isReplay()) {
        return;
    }
    QMenu* menu = menuBar()->addMenu(tr("&Replay"));
    ReplaySource* replay = m_session.replay.get();
    m_acts->add(menu, {"replay.play", tr("&Play or pause"), {QKeySequence(Qt::CTRL | Qt::Key_Space)}, [replay] { replay->setPlaying(!replay->playing()); }});
    m_acts->add(menu, {"replay.timeline", tr("&Timeline"), {QKeySequence(Qt::CTRL | Qt::Key_T)}, [this] { m_desk->bar()->scrubber()->setFocus(Qt::ShortcutFocusReason); }});
    const auto jump = [this, replay](std::vector<std::int64_t> times, bool forward) { replay->seek(nextTime(times, replay->positionUs(), forward)); };
    m_acts->add(menu, {"replay.next-event", tr("Next &event"), {QKeySequence(Qt::Key_Period)}, [=, this] { jump(replay->study()->timeline.events, true); }});
    m_acts->add(menu, {"replay.previous-event", tr("Previous e&vent"), {QKeySequence(Qt::Key_Comma)}, [=, this] { jump(replay->study()->timeline.events, false); }});
    m_acts->add(menu, {"replay.next-alarm", tr("Next &alarm"), {QKeySequence(Qt::Key_BracketRight)}, [=, this] { jump(timesOf(replay->study()->timeline.alarms), true); }});
    m_acts->add(menu, {"replay.previous-alarm", tr("Previous a&larm"), {QKeySequence(Qt::Key_BracketLeft)}, [=, this] { jump(timesOf(replay->study()->timeline.alarms), false); }});
    m_acts->add(menu, {"replay.next-act", tr("Next &operator act"), {QKeySequence(Qt::Key_BraceRight)}, [=, this] { jump(timesOf(replay->study()->timeline.acts), true); }});
    m_acts->add(menu, {"replay.previous-act", tr("Previous operator a&ct"), {QKeySequence(Qt::Key_BraceLeft)}, [=, this] { jump(timesOf(replay->study()->timeline.acts), false); }});
    menu->addSeparator();
    m_acts->add(menu, {"replay.note", tr("&Note at this moment"), {}, [this] { m_desk->beginNote(false); }});
    m_acts->add(menu, {"replay.span", tr("Begin or end a &span"), {}, [this] { m_desk->beginNote(true); }});
    m_acts->add(menu, {"replay.reference", tr("&Reference moment"), {}, [this] { m_desk->setReference(); }});
    m_acts->add(menu, {"replay.fit", tr("&Fit the timeline"), {}, [this] { m_desk->bar()->scrubber()->fit(); }});
    menu->addSeparator();
    const auto noFile = [this] { return m_session.file.isEmpty() ? tr("This recording has no file.") : QString(); };
    m_acts->add(menu, {"replay.compare", tr("Co&mpare with another recording…"), {}, [this] { chooseSecond(); }, noFile});
    m_acts->add(menu, {"replay.events", tr("&Bring in events of others…"), {}, [this] { chooseEvents(); }, noFile});
    m_acts->add(menu, {"replay.merge", tr("Brin&g in another reviewer's notes…"), {}, [this] { chooseNotes(); }, noFile});
    m_acts->add(menu, {"replay.redact", tr("Re&dacted copy…"), {}, [this] { showRedact(); }, noFile});
    const std::tuple<const char*, QString, const char*> forms[] = {{"replay.report-html", tr("Report as &HTML…"), "html"},
                                                                   {"replay.report-pdf", tr("Report as PD&F…"), "pdf"},
                                                                   {"replay.report-md", tr("Report as Markdo&wn…"), "md"},
                                                                   {"replay.report-csv", tr("Report's data as CS&V…"), "csv"},
                                                                   {"replay.report-ndjson", tr("Report's data as NDJ&SON…"), "ndjson"}};
    QMenu* reports = menu->addMenu(tr("&Write a report"));
    for (const auto& [id, text, form] : forms) {
        m_acts->add(reports, {id, text, {}, [this, form = QString::fromLatin1(form)] { saveReport(form); }, noFile});
    }
    menu->addSeparator();
    m_acts->add(menu, {"replay.copy-position", tr("Cop&y position"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)}, [replay] { QApplication::clipboard()->setText(formatPosition(replay->positionUs())); }});
    m_acts->add(menu, {"replay.copy-link", tr("Copy lin&k to this moment"), {}, [this, replay] { QApplication::clipboard()->setText(linkTo(m_session.file, replay->positionUs())); }, noFile});
}

/// A file that is there, in the folder of the recording; nothing waits for the answer.
void MainWindow::askForFile(const QString& title, const QString& filter, const std::function<void(const QString&)>& use) {
    auto* dialog = new QFileDialog(this, title, QFileInfo(m_session.file).path(), filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setModal(false);
    connect(dialog, &QFileDialog::fileSelected, this, use);
    dialog->show();
}

void MainWindow::chooseSecond() {
    askForFile(tr("Compare with which recording?"), tr("Recordings (*.teal)"), [this](const QString& file) { compareWith(file); });
}

void MainWindow::chooseEvents() {
    askForFile(tr("Bring in which events?"), tr("Events (*.csv *.ndjson *.jsonl *.json);;All files (*)"), [this](const QString& file) {
        auto* ask = new QInputDialog(this);
        ask->setAttribute(Qt::WA_DeleteOnClose);
        ask->setModal(false);
        ask->setWindowTitle(tr("Their clock"));
        ask->setInputMode(QInputDialog::IntInput);
        ask->setIntRange(-86'400'000, 86'400'000);
        ask->setLabelText(tr("Milliseconds to add to their times, because their clock was not the one of this recording:"));
        connect(ask, &QInputDialog::intValueSelected, m_desk, [this, file](int offsetMs) { m_desk->importEvents(file, offsetMs); });
        ask->show();
    });
}

void MainWindow::chooseNotes() {
    askForFile(tr("Bring in whose notes?"), tr("Notes of a reviewer (*.notes);;All files (*)"), [this](const QString& file) { m_desk->importNotes(file); });
}

ReplayCompare* MainWindow::compareWith(const QString& second) {
    auto* window = new ReplayCompare(m_session.file, second, this);
    auto* exporter = new Exporter(window);
    connect(exporter, &Exporter::told, this, &MainWindow::notify);
    connect(window, &ReplayCompare::saveWanted, exporter,
            [exporter](const QString& format, const std::function<QByteArray()>& what) { exporter->save(tr("Save the comparison"), QStringLiteral("comparison.") + format, format, what); });
    window->show();
    return window;
}

void MainWindow::showRedact() {
    auto* window = new ReplayRedact(m_session.file, this);
    connect(window, &ReplayRedact::fileWanted, window, [this, window] {
        auto* dialog = new QFileDialog(window, tr("Where does the redacted copy go?"), QFileInfo(m_session.file).path(), tr("Recordings (*.teal)"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setOption(QFileDialog::DontConfirmOverwrite); // nothing is written over
        dialog->setDefaultSuffix(QStringLiteral("teal"));
        dialog->setModal(false);
        connect(dialog, &QFileDialog::fileSelected, window, &ReplayRedact::write);
        dialog->show();
    });
    window->show();
}

void MainWindow::saveReport(const QString& form) {
    notify(tr("The report is being made …"));
    makeReportBytes(this, m_session.file, form, [this, form](const QByteArray& bytes, const QString& problem) {
        if (!problem.isEmpty()) {
            notify(problem);
            return;
        }
        auto* exporter = new Exporter(this);
        connect(exporter, &Exporter::told, this, &MainWindow::notify);
        connect(exporter, &Exporter::told, exporter, &QObject::deleteLater);
        exporter->save(tr("Save the report"), QFileInfo(m_session.file).completeBaseName() + QLatin1Char('.') + form, form, [bytes] { return bytes; });
    });
}

} // namespace tealdeck
