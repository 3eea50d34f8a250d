// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/engine_bridge.h"
#include "app/console/session.h"
#include "widgets/plot/lag_plots.h"
#include "widgets/theme/tokens.h"

#include <QMainWindow>
#include <QPointer>

#include <functional>

class QMenu;
class QSettings;

namespace tealdeck {

class ActionGate;
class ActionRegistry;
class AlarmPanel;
class Attention;
class ChecklistPanel;
class CommandPalette;
class EventPanel;
class FactsPanel;
class LagPlots;
class ModeStrip;
class NextActPanel;
class NoticeBar;
class PhaseRail;
class ReplayCompare;
class ReplayDesk;
class SleepGuard;
class TopologyView;
class WindowLayout;

/// One session in one window: wiring only. The same panels show an engine and a recording; a recording's have no controls.
class MainWindow final : public QMainWindow {
    Q_OBJECT
  public:
    /// `settings` keeps places, sizes and keys; nullptr: nothing is kept. Must outlive the window.
    MainWindow(Session session, const Clock& clock, QSettings* settings = nullptr, QWidget* parent = nullptr);
    ~MainWindow() override;

    void start();
    /// Everything drawn as of now: for pictures.
    void drawNow();
    void notify(const QString& text);
    [[nodiscard]] EngineBridge& bridge() { return *m_bridge; }
    [[nodiscard]] ActionRegistry& acts() { return *m_acts; }
    [[nodiscard]] CommandPalette* palettePopup() const { return m_palette; }
    [[nodiscard]] WindowLayout* panels() const { return m_layout; }
    [[nodiscard]] NextActPanel* nextAct() const { return m_nextAct; }
    /// nullptr in replay and for observers.
    [[nodiscard]] ActionGate* gate() const { return m_gate; }
    [[nodiscard]] const std::shared_ptr<ReplaySource>& replay() const { return m_session.replay; }
    /// Replay of a file: opens a window that lays another recording beside it.
    ReplayCompare* compareWith(const QString& second);
    [[nodiscard]] bool isReplay() const { return m_session.replay != nullptr; }

  signals:
    void engineWanted(const QString& plan); ///< the engine is lost and a person wants another one
    void sessionOver(); ///< the deployment is finished and its engine has gone
    void openRequested();
    void openPlanRequested();
    void newPlanRequested();
    void editPlanRequested(const QString& plan);
    void themeRequested(ThemeName theme);
    void zoomRequested(double factor); ///< 0: back to normal
    void languageRequested(const QString& language);
    void recentRequested(const QString& file);
    void fileDropped(const QString& file);

  protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    [[nodiscard]] bool hasControls() const { return !m_session.observer && m_session.source->commands() != nullptr; }
    void makePanels(const Clock& clock);
    void layPanels();
    void wireCommands();
    void wireReplay();
    void takeStudy();
    void askForFile(const QString& title, const QString& filter, const std::function<void(const QString&)>& use);
    void chooseSecond();
    void chooseEvents();
    void chooseNotes();
    void showRedact();
    void saveReport(const QString& form);
    void makeFileMenu();
    void makeExportMenu(QMenu* menu);
    void makeEditMenu();
    void makeActMenu();
    void makeViewMenu();
    void makeReplayMenu();
    void makeHelpMenu();
    void showHelp();
    void restorePlace();
    void keepPlace();
    void showSnapshot();
    void showFacts(const Snapshot& snapshot, const ViewTime& now);
    void showSourceState();
    void takeMarks(const std::vector<Event>& events);
    void showText(const QString& title, const QString& text);
    [[nodiscard]] bool quitNeedsAsking() const;

    Session m_session;
    std::unique_ptr<EngineBridge> m_bridge;
    ActionGate* m_gate = nullptr;
    ModeStrip* m_strip = nullptr;
    PhaseRail* m_rail = nullptr;
    NoticeBar* m_notice = nullptr;
    ChecklistPanel* m_checklist = nullptr;
    TopologyView* m_topology = nullptr;
    LagPlots* m_plots = nullptr;
    NextActPanel* m_nextAct = nullptr;
    AlarmPanel* m_alarms = nullptr;
    EventPanel* m_events = nullptr;
    FactsPanel* m_numbers = nullptr; ///< the plots as a table
    FactsPanel* m_comparison = nullptr; ///< of the data, and of the schema
    FactsPanel* m_advice = nullptr;  ///< strategy and cost
    FactsPanel* m_guide = nullptr;   ///< practice only
    FactsPanel* m_server = nullptr;  ///< the chosen server's sheet
    std::optional<std::pair<Env, std::string>> m_chosenNode;
    ReplayDesk* m_desk = nullptr; ///< replay only
    WindowLayout* m_layout = nullptr;
    ActionRegistry* m_acts = nullptr;
    CommandPalette* m_palette = nullptr;
    Attention* m_attention = nullptr;  ///< live only
    SleepGuard* m_sleepGuard = nullptr; ///< live with controls only
    QPointer<QWidget> m_help;
    QSettings* m_settings = nullptr;
    std::uint64_t m_actsSeq = ~std::uint64_t{0}; ///< gate number for which the acts were asked whether they can be done
    QTimer m_tick;
    std::vector<PlotMark> m_marks;
    bool m_lost = false;
    bool m_closeConfirmed = false;
};

} // namespace tealdeck
