// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/engine_bridge.h"
#include "app/console/session.h"
#include "widgets/plot/lag_plots.h"
#include "widgets/theme/tokens.h"

#include <QMainWindow>

class QSplitter;

namespace tealdeck {

class ActionGate;
class AlarmPanel;
class ChecklistPanel;
class EventPanel;
class LagPlots;
class ModeStrip;
class NextActPanel;
class NoticeBar;
class PhaseRail;
class ReplayBar;
class TopologyView;

/// One session in one window: wiring only. The same panels show an engine and a recording; a recording's have no controls.
class MainWindow final : public QMainWindow {
    Q_OBJECT
  public:
    MainWindow(Session session, const Clock& clock, QWidget* parent = nullptr);
    ~MainWindow() override;

    void start();
    /// Everything drawn as of now: for pictures.
    void drawNow();
    void notify(const QString& text);
    /// Layout as first seen, in proportion to the window.
    void restoreDefaultLayout();
    [[nodiscard]] EngineBridge& bridge() { return *m_bridge; }
    [[nodiscard]] NextActPanel* nextAct() const { return m_nextAct; }
    /// nullptr in replay and for observers.
    [[nodiscard]] ActionGate* gate() const { return m_gate; }
    [[nodiscard]] const std::shared_ptr<ReplaySource>& replay() const { return m_session.replay; }
    [[nodiscard]] bool isReplay() const { return m_session.replay != nullptr; }

  signals:
    void engineWanted(const QString& plan); ///< the engine is lost and a person wants another one
    void sessionOver(); ///< the deployment is finished and its engine has gone
    void openRequested();
    void themeRequested(ThemeName theme);
    void zoomRequested(double factor); ///< 0: back to normal
    void recentRequested(const QString& file);
    void fileDropped(const QString& file);

  protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    [[nodiscard]] bool hasControls() const { return !m_session.observer && m_session.source->commands() != nullptr; }
    void makePanels(const Clock& clock);
    void layPanels();
    void wireCommands();
    void wireReplay();
    void makeFileMenu();
    void makeActMenu();
    void makeViewMenu();
    void makeReplayMenu();
    void makeHelpMenu();
    void showSnapshot();
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
    ReplayBar* m_replayBar = nullptr;
    QSplitter* m_columns = nullptr;
    QSplitter* m_centre = nullptr;
    QSplitter* m_rows = nullptr;
    QSplitter* m_foot = nullptr;
    QTimer m_tick;
    std::vector<PlotMark> m_marks;
    bool m_layoutTouched = false;
    bool m_lost = false;
    bool m_closeConfirmed = false;
};

} // namespace tealdeck
