// SPDX-License-Identifier: GPL-3.0-or-later
// Every act of the window: registered once, found in a menu, in the palette and in the sheet of keys.
#include "app/console/action_gate.h"
#include "app/console/action_registry.h"
#include "app/console/command_palette.h"
#include "app/console/exporter.h"
#include "app/console/help_window.h"
#include "app/console/keys_window.h"
#include "app/console/main_window.h"
#include "app/console/recent_files.h"
#include "app/console/window_layout.h"
#include "core/util/version.h"
#include "widgets/a11y/list_table.h"
#include "widgets/checklist/checklist_panel.h"
#include "widgets/events/event_panel.h"
#include "widgets/status/hold_button.h"
#include "widgets/status/mode_strip.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QVBoxLayout>

namespace tealdeck {

void MainWindow::makeFileMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    m_acts->add(menu, {"file.new-plan", tr("&New plan…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_N)}, [this] { emit newPlanRequested(); }});
    m_acts->add(menu, {"file.edit-plan", tr("E&dit this plan…"), {}, [this] { emit editPlanRequested(m_session.plan); },
                       [this] { return m_session.plan.isEmpty() ? tr("This window was not opened from a plan.") : QString(); }});
    m_acts->add(menu, {"file.open-plan", tr("Open p&lan…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O)}, [this] { emit openPlanRequested(); }});
    m_acts->add(menu, {"file.open-recording", tr("&Open recording…"), {QKeySequence::Open}, [this] { emit openRequested(); }});
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
    makeExportMenu(menu->addMenu(tr("&Export")));
    menu->addSeparator();
    m_acts->add(menu, {"file.close", tr("&Close"), {QKeySequence::Close}, [this] { close(); }});
    m_acts->add(menu, {"file.quit", tr("&Quit"), {QKeySequence::Quit}, [] { QApplication::closeAllWindows(); }});
}

void MainWindow::makeExportMenu(QMenu* menu) {
    auto* exporter = new Exporter(this);
    connect(exporter, &Exporter::told, this, &MainWindow::notify);
    m_acts->add(menu, {"export.window-png", tr("&Window as PNG…"), {}, [this, exporter] {
                           drawNow();
                           exporter->save(tr("Save a picture"), QStringLiteral("tealdeck.png"), QStringLiteral("png"), [this] { return pngOf(*this); });
                       }});
    m_acts->add(menu, {"export.plots-png", tr("&Plots as PNG…"), {}, [this, exporter] {
                           exporter->save(tr("Save the plots"), QStringLiteral("plots.png"), QStringLiteral("png"), [this] { return m_plots->asPng(); });
                       }});
    m_acts->add(menu, {"export.plots-svg", tr("Plots as &SVG…"), {}, [this, exporter] {
                           exporter->save(tr("Save the plots"), QStringLiteral("plots.svg"), QStringLiteral("svg"), [this] { return m_plots->asSvg(); });
                       }});
    m_acts->add(menu, {"export.plots-csv", tr("Plots' &data as CSV…"), {}, [this, exporter] {
                           exporter->save(tr("Save the data"), QStringLiteral("plots.csv"), QStringLiteral("csv"), [this] { return m_plots->asCsv(); });
                       }});
    const std::tuple<const char*, QString, QString> tables[] = {{"export.checklist-csv", tr("&Checklist as CSV…"), QStringLiteral("checklistTable")},
                                                                {"export.alarms-csv", tr("&Alarms as CSV…"), QStringLiteral("alarmTable")},
                                                                {"export.events-csv", tr("&Events as CSV…"), QStringLiteral("eventTable")}};
    for (const auto& [id, text, name] : tables) {
        m_acts->add(menu, {id, text, {}, [this, exporter, name = name] {
                               exporter->save(tr("Save the table"), name + QStringLiteral(".csv"), QStringLiteral("csv"), [this, name] {
                                   const auto* table = findChild<ListTable*>(name);
                                   return table != nullptr ? tableText(*table->model(), {}, TableForm::Csv).toUtf8() : QByteArray();
                               });
                           }});
    }
}

void MainWindow::makeEditMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Edit"));
    const auto table = [] { return qobject_cast<ListTable*>(QApplication::focusWidget()); };
    const auto noTable = [table] { return table() == nullptr ? tr("Choose rows of a list first.") : QString(); };
    const std::tuple<const char*, QString, TableForm> forms[] = {{"edit.copy-text", tr("Copy rows as &text"), TableForm::Text},
                                                                 {"edit.copy-tsv", tr("Copy rows as T&SV"), TableForm::Tsv},
                                                                 {"edit.copy-sql", tr("Copy rows as S&QL"), TableForm::Sql}};
    for (const auto& [id, text, form] : forms) {
        m_acts->add(menu, {id, text, {}, [this, table, noTable, form = form] { table() != nullptr ? table()->copy(form) : notify(noTable()); }});
    }
    m_acts->add(menu, {"edit.copy-fixes", tr("Copy all &fixes as SQL"), {}, [this] {
                           const QString fixes = m_checklist->fixes();
                           QApplication::clipboard()->setText(fixes);
                           notify(fixes.isEmpty() ? tr("Nothing needs a fix.") : tr("The fixes are in the clipboard. Read them before you run them."));
                       }});
    m_acts->add(menu, {"edit.copy-plots", tr("Copy the &plots"), {}, [this] { QApplication::clipboard()->setPixmap(m_plots->grab()); }});
    m_acts->add(menu, {"edit.copy-picture", tr("Copy a picture of the &window"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_G)}, [this] {
                           drawNow();
                           QApplication::clipboard()->setPixmap(grab());
                       }});
}

void MainWindow::makeActMenu() {
    if (m_gate == nullptr) {
        return;
    }
    QMenu* menu = menuBar()->addMenu(tr("&Act"));
    m_acts->add(menu, {"act.next", tr("&Next act"), {QKeySequence(Qt::CTRL | Qt::Key_1)}, [this] { m_nextAct->prepare(m_nextAct->shownAct()); }});
    m_acts->add(menu, {"act.hold", tr("Go to &Hold"), {QKeySequence(Qt::CTRL | Qt::Key_2)}, [this] { m_nextAct->focusHold(); }});
    m_acts->add(menu, {"act.ramp", tr("&Move reads"), {QKeySequence(Qt::CTRL | Qt::Key_3)}, [this] { m_nextAct->focusRamp(); }});
    menu->addSeparator();
    const std::tuple<const char*, CommandKind, QString> acts[] = {{"act.check", CommandKind::Check, tr("Prepare: run the &checklist")},
                                                                  {"act.replicate", CommandKind::Replicate, tr("Prepare: &replicate…")},
                                                                  {"act.cutover", CommandKind::Cutover, tr("Prepare: c&ut over…")},
                                                                  {"act.rollback", CommandKind::Rollback, tr("Prepare: roll &back…")},
                                                                  {"act.finalize", CommandKind::Finalize, tr("Prepare: &finalize…")}};
    for (const auto& [id, kind, text] : acts) {
        m_acts->add(menu, {id, text, {}, [this, kind = kind] { m_nextAct->prepare(kind); },
                           [this, kind = kind] { return safeText(whyNotInPhase(m_bridge->snapshot().phase, kind)); }});
    }
    menu->addSeparator();
    m_acts->add(menu, {"act.note", tr("&Write a note"), {QKeySequence(Qt::CTRL | Qt::Key_N)}, [this] {
                           m_layout->raisePanel(m_events);
                           m_events->noteEntry()->setFocus(Qt::ShortcutFocusReason);
                       }});
    m_acts->add(menu, {"act.abort", tr("Go to &Abort"), {QKeySequence(Qt::CTRL | Qt::Key_Backspace)}, [this] { m_strip->abortButton()->setFocus(Qt::ShortcutFocusReason); }});
    connect(menu, &QMenu::aboutToShow, m_acts, &ActionRegistry::refresh);
}

void MainWindow::makeViewMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&View"));
    m_acts->add(menu, {"view.palette", tr("&Command palette…"), {QKeySequence(Qt::CTRL | Qt::Key_K), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P)}, [this] { m_palette->open(); }});
    menu->addSeparator();
    const std::tuple<const char*, ThemeName, QString> themes[] = {{"view.light", ThemeName::Light, tr("&Light theme")},
                                                                  {"view.dark", ThemeName::Dark, tr("&Dark theme")},
                                                                  {"view.high-contrast", ThemeName::HighContrast, tr("&High contrast")},
                                                                  {"view.colour-safe", ThemeName::ColourSafe, tr("Safe for c&olour blindness")}};
    for (const auto& [id, theme, text] : themes) {
        m_acts->add(menu, {id, text, {}, [this, theme = theme] { emit themeRequested(theme); }});
    }
    menu->addSeparator();
    m_acts->add(menu, {"view.zoom-in", tr("Larger &text"), {QKeySequence(Qt::CTRL | Qt::Key_Plus), QKeySequence(Qt::CTRL | Qt::Key_Equal)}, [this] { emit zoomRequested(1.1); }});
    m_acts->add(menu, {"view.zoom-out", tr("&Smaller text"), {QKeySequence(Qt::CTRL | Qt::Key_Minus)}, [this] { emit zoomRequested(1 / 1.1); }});
    m_acts->add(menu, {"view.zoom-normal", tr("&Normal text"), {QKeySequence(Qt::CTRL | Qt::Key_0)}, [this] { emit zoomRequested(0); }});
    menu->addSeparator();
    QMenu* span = menu->addMenu(tr("&Plots show"));
    const std::tuple<const char*, int, QString> spans[] = {{"plots.1min", 60, tr("&1 minute")}, {"plots.5min", 300, tr("&5 minutes")}, {"plots.30min", 1800, tr("&30 minutes")}, {"plots.2h", 7200, tr("&2 hours")}, {"plots.24h", 86400, tr("2&4 hours")}};
    for (const auto& [id, seconds, text] : spans) {
        m_acts->add(span, {id, text, {}, [this, seconds = seconds] { m_plots->setSpan(seconds * 1'000'000LL); }});
    }
    QMenu* language = menu->addMenu(tr("Lan&guage"));
    m_acts->add(language, {"language.en", QStringLiteral("&English"), {}, [this] { emit languageRequested(QStringLiteral("en")); }});
    m_acts->add(language, {"language.de", QStringLiteral("&Deutsch"), {}, [this] { emit languageRequested(QStringLiteral("de")); }});
    m_acts->add(menu, {"view.filter-events", tr("&Filter the events"), {QKeySequence::Find}, [this] {
                           m_layout->raisePanel(m_events);
                           m_events->focusFilter();
                       }});
    m_acts->add(menu, {"view.default-layout", tr("Restore default la&yout"), {}, [this] { m_layout->restoreDefault(); }});
}

void MainWindow::makeHelpMenu() {
    QMenu* menu = menuBar()->addMenu(tr("&Help"));
    m_acts->add(menu, {"help.contents", tr("&Help"), {QKeySequence(Qt::Key_F1)}, [this] { showHelp(); }});
    m_acts->add(menu, {"help.keys", tr("&Keys…"), {QKeySequence(Qt::Key_Question)}, [this] {
                           QStringList fixed{tr("Space\thold buttons: press and hold; Esc or release cancels")};
                           if (isReplay()) {
                               fixed << tr("Space\tin the timeline: play or pause") << tr("Left, Right\tin the timeline: 1 s; with Shift 0.1 s, with Ctrl 10 s") << tr("Home, End\tin the timeline: begin and end")
                                     << tr("F, M, Shift+M, R\tin the timeline: all of the time, a note, a span, a reference moment; the wheel shows a part");
                           }
                           fixed << tr("+, -\tin the plots: a shorter or longer time");
                           (new KeysWindow(*m_acts, fixed, this))->show();
                       }});
    m_acts->add(menu, {"help.about", tr("&About Tealdeck"), {}, [this] {
                           showText(tr("About Tealdeck"), tr("Tealdeck %1\nFlight deck for blue–green upgrades of PostgreSQL.\nLicence: GNU GPL, version 3 or later.\nWith Qt %2 and QCustomPlot.")
                                                              .arg(QLatin1String(VERSION), QLatin1String(qVersion())));
                       }});
}

void MainWindow::showHelp() {
    const QString topic = isReplay() ? QStringLiteral("replay") : helpTopicFor(QApplication::focusWidget());
    auto* help = qobject_cast<HelpWindow*>(m_help.data());
    if (help == nullptr) {
        help = new HelpWindow; // beside this window, not over it
        m_help = help;
    }
    help->showTopic(topic);
    help->show();
    help->raise();
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
