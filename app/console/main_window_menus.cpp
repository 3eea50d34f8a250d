// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/action_gate.h"
#include "app/console/main_window.h"
#include "app/console/recent_files.h"
#include "core/util/version.h"
#include "widgets/checklist/checklist_panel.h"
#include "widgets/events/event_panel.h"
#include "widgets/status/hold_button.h"
#include "widgets/status/mode_strip.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/theme/theme.h"
#include "widgets/timeline/replay_bar.h"

#include <QApplication>
#include <QClipboard>
#include <QDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QScrollArea>
#include <QVBoxLayout>

namespace tealdeck {
namespace {

QAction* add(QMenu* menu, const QString& text, const QKeySequence& keys, QObject* context, std::function<void()> act) {
    QAction* action = menu->addAction(text);
    action->setShortcut(keys);
    QObject::connect(action, &QAction::triggered, context, std::move(act));
    return action;
}

} // namespace

void MainWindow::makeFileMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    add(menu, tr("&Open recording…"), QKeySequence::Open, this, [this] { emit openRequested(); });
    QMenu* recent = menu->addMenu(tr("Open &recent"));
    connect(recent, &QMenu::aboutToShow, this, [this, recent] {
        recent->clear();
        const QStringList files = recentFiles();
        for (const QString& file : files) {
            connect(recent->addAction(QString(file).replace('&', QLatin1String("&&"))), &QAction::triggered, this, [this, file] { emit recentRequested(file); });
        }
        if (files.isEmpty()) {
            recent->addAction(tr("Nothing opened yet"))->setEnabled(false);
        }
    });
    menu->addSeparator();
    add(menu, tr("Copy &picture of the window"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P), this, [this] {
        drawNow();
        QApplication::clipboard()->setPixmap(grab());
    });
    menu->addSeparator();
    add(menu, tr("&Close"), QKeySequence::Close, this, [this] { close(); });
    add(menu, tr("&Quit"), QKeySequence::Quit, this, [] { QApplication::closeAllWindows(); });
}

void MainWindow::makeActMenu() {
    if (m_gate == nullptr) {
        return;
    }
    QMenu* menu = menuBar()->addMenu(tr("&Act"));
    add(menu, tr("&Next act"), QKeySequence(Qt::CTRL | Qt::Key_1), this, [this] { m_nextAct->prepare(m_nextAct->shownAct()); });
    add(menu, tr("Go to &Hold"), QKeySequence(Qt::CTRL | Qt::Key_2), this, [this] { m_nextAct->focusHold(); });
    add(menu, tr("&Move reads"), QKeySequence(Qt::CTRL | Qt::Key_3), this, [this] { m_nextAct->focusRamp(); });
    menu->addSeparator();
    const std::pair<CommandKind, QString> acts[] = {{CommandKind::Check, tr("Run the &checklist")},   {CommandKind::Replicate, tr("Prepare: &replicate…")},
                                                    {CommandKind::Cutover, tr("Prepare: c&ut over…")},
                                                    {CommandKind::Rollback, tr("Prepare: roll &back…")}, {CommandKind::Finalize, tr("Prepare: &finalize…")}};
    for (const auto& [kind, text] : acts) {
        const CommandKind which = kind;
        QAction* action = add(menu, text, {}, this, [this, which] { m_nextAct->prepare(which); });
        connect(menu, &QMenu::aboutToShow, action, [this, action, which] {
            const std::string reason = whyNotInPhase(m_bridge->snapshot().phase, which);
            action->setEnabled(reason.empty());
            action->setToolTip(tooltipText(safeText(reason)));
        });
    }
    menu->setToolTipsVisible(true);
    menu->addSeparator();
    add(menu, tr("&Write a note"), QKeySequence(Qt::CTRL | Qt::Key_N), this, [this] { m_events->noteEntry()->setFocus(Qt::ShortcutFocusReason); });
    add(menu, tr("Go to &Abort"), QKeySequence(Qt::CTRL | Qt::Key_Backspace), this, [this] { m_strip->abortButton()->setFocus(Qt::ShortcutFocusReason); });
}

void MainWindow::makeReplayMenu() {
    if (!isReplay()) {
        return;
    }
    QMenu* menu = menuBar()->addMenu(tr("&Replay"));
    ReplaySource* replay = m_session.replay.get();
    add(menu, tr("&Play or pause"), QKeySequence(Qt::CTRL | Qt::Key_Space), this, [replay] { replay->setPlaying(!replay->playing()); });
    add(menu, tr("&Timeline"), QKeySequence(Qt::CTRL | Qt::Key_T), this, [this] { m_replayBar->scrubber()->setFocus(Qt::ShortcutFocusReason); });
    const auto jump = [this, replay](std::vector<std::int64_t> times, bool forward) { replay->seek(nextTime(times, replay->positionUs(), forward)); };
    add(menu, tr("Next &event"), QKeySequence(Qt::Key_Period), this, [=, this] { jump(m_session.archive->timeline().events, true); });
    add(menu, tr("Previous e&vent"), QKeySequence(Qt::Key_Comma), this, [=, this] { jump(m_session.archive->timeline().events, false); });
    add(menu, tr("Next &alarm"), QKeySequence(Qt::Key_BracketRight), this, [=, this] { jump(timesOf(m_session.archive->timeline().alarms), true); });
    add(menu, tr("Previous a&larm"), QKeySequence(Qt::Key_BracketLeft), this, [=, this] { jump(timesOf(m_session.archive->timeline().alarms), false); });
    add(menu, tr("Next &operator act"), QKeySequence(Qt::Key_BraceRight), this, [=, this] { jump(timesOf(m_session.archive->timeline().acts), true); });
    add(menu, tr("Previous opera&tor act"), QKeySequence(Qt::Key_BraceLeft), this, [=, this] { jump(timesOf(m_session.archive->timeline().acts), false); });
    menu->addSeparator();
    add(menu, tr("Copy &position"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), this, [replay] { QApplication::clipboard()->setText(formatPosition(replay->positionUs())); });
}

void MainWindow::makeViewMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&View"));
    add(menu, tr("&Light theme"), {}, this, [this] { emit themeRequested(ThemeName::Light); });
    add(menu, tr("&Dark theme"), {}, this, [this] { emit themeRequested(ThemeName::Dark); });
    menu->addSeparator();
    add(menu, tr("Larger &text"), QKeySequence::ZoomIn, this, [this] { emit zoomRequested(1.1); });
    add(menu, tr("&Smaller text"), QKeySequence::ZoomOut, this, [this] { emit zoomRequested(1 / 1.1); });
    add(menu, tr("&Normal text"), QKeySequence(Qt::CTRL | Qt::Key_0), this, [this] { emit zoomRequested(0); });
    menu->addSeparator();
    QMenu* span = menu->addMenu(tr("&Plots show"));
    const std::pair<int, QString> spans[] = {{60, tr("1 minute")}, {300, tr("5 minutes")}, {1800, tr("30 minutes")}, {7200, tr("2 hours")}, {86400, tr("24 hours")}};
    for (const auto& [seconds, text] : spans) {
        add(span, text, {}, this, [this, seconds = seconds] { m_plots->setSpan(seconds * 1'000'000LL); });
    }
    add(menu, tr("&Filter the events"), QKeySequence::Find, this, [this] { m_events->focusFilter(); });
    add(menu, tr("Restore default la&yout"), {}, this, [this] { restoreDefaultLayout(); });
}

void MainWindow::makeHelpMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Help"));
    add(menu, tr("&Keys"), QKeySequence(Qt::Key_F1), this, [this] {
        QStringList lines;
        for (const QAction* top : menuBar()->actions()) {
            for (const QAction* action : top->menu()->actions()) {
                if (!action->shortcut().isEmpty()) {
                    lines << QStringLiteral("%1\t%2").arg(action->shortcut().toString(QKeySequence::NativeText), QString(action->text()).remove('&'));
                }
            }
        }
        if (isReplay()) {
            lines << tr("In the timeline:\tSpace play or pause, ←/→ 1 s (Shift 0.1 s, Ctrl 10 s), Home, End");
        }
        lines << tr("Hold buttons:\tpress and hold Space; Esc cancels");
        showText(tr("Keys"), lines.join('\n'));
    });
    add(menu, tr("&About Tealdeck"), {}, this, [this] {
        showText(tr("About Tealdeck"), tr("Tealdeck %1\nFlight deck for blue–green upgrades of PostgreSQL.\nLicence: GNU GPL, version 3 or later.\nWith Qt %2 and QCustomPlot.")
                                           .arg(QLatin1String(VERSION), QLatin1String(qVersion())));
    });
}

void MainWindow::showText(const QString& title, const QString& text) {
    auto* window = new QDialog(this); // shown, not executed: nothing stops while it is open
    window->setAttribute(Qt::WA_DeleteOnClose);
    window->setWindowTitle(title);
    auto* layout = new QVBoxLayout(window);
    QLabel* label = plainLabel(text);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    layout->addWidget(label);
    window->show();
}

} // namespace tealdeck
