// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/main_window.h"

#include "app/console/action_gate.h"
#include "app/console/action_registry.h"
#include "app/console/attention.h"
#include "app/console/command_palette.h"
#include "app/console/help_window.h"
#include "app/console/notice_bar.h"
#include "app/console/rehearsal_guide.h"
#include "app/console/replay_desk.h"
#include "app/console/seen_recorder.h"
#include "app/console/sleep_guard.h"
#include "app/console/window_layout.h"
#include "widgets/alarms/alarm_panel.h"
#include "widgets/checklist/advice_facts.h"
#include "widgets/checklist/checklist_panel.h"
#include "widgets/events/event_panel.h"
#include "widgets/facts/comparison_facts.h"
#include "widgets/facts/facts_panel.h"
#include "widgets/plot/plot_facts.h"
#include "widgets/status/mode_strip.h"
#include "widgets/status/next_act_panel.h"
#include "widgets/status/phase_rail.h"
#include "widgets/theme/theme.h"
#include "widgets/timeline/replay_bar.h"
#include "widgets/topology/node_facts.h"
#include "widgets/topology/topology_view.h"

#include <QCloseEvent>
#include <QMimeData>
#include <QScrollArea>
#include <QSettings>
#include <QVBoxLayout>

namespace tealdeck {
namespace {

QScrollArea* scrolled(QWidget* widget) {
    auto* area = new QScrollArea;
    area->setProperty("panel", true);
    area->setWidgetResizable(true);
    area->setFocusPolicy(Qt::NoFocus);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setWidget(widget);
    return area;
}

} // namespace

MainWindow::MainWindow(Session session, const Clock& clock, QSettings* settings, QWidget* parent)
    : QMainWindow(parent), m_session(std::move(session)), m_bridge(std::make_unique<EngineBridge>(m_session.source, clock)), m_settings(settings) {
    setWindowTitle(isReplay() ? tr("REPLAY %1 – Tealdeck").arg(m_session.title) : tr("Tealdeck"));
    setAcceptDrops(true);
    m_acts = new ActionRegistry(this, settings);
    if (hasControls()) {
        m_gate = new ActionGate(*m_bridge, m_session.actor, this);
    }
    makePanels(clock);
    layPanels();
    wireCommands();
    if (isReplay()) {
        wireReplay();
    }
    makeFileMenu();
    makeEditMenu();
    makeActMenu();
    makeReplayMenu();
    makeViewMenu();
    makeHelpMenu();
    m_palette = new CommandPalette(*m_acts, this);
    if (!isReplay()) {
        m_attention = new Attention(this);
        m_sleepGuard = hasControls() && settings != nullptr ? new SleepGuard(this) : nullptr;
    }
    restorePlace();
    connect(m_bridge.get(), &EngineBridge::snapshotChanged, this, &MainWindow::showSnapshot);
    connect(m_bridge.get(), &EngineBridge::stateChanged, this, &MainWindow::showSourceState);
    connect(m_bridge.get(), &EngineBridge::eventsArrived, this, &MainWindow::takeMarks);
    m_tick.setInterval(250); // ages and countdowns run on while nothing arrives
    connect(&m_tick, &QTimer::timeout, this, &MainWindow::showSnapshot);
}

MainWindow::~MainWindow() = default;

void MainWindow::makePanels(const Clock& clock) {
    const bool controls = hasControls();
    m_strip = new ModeStrip(clock, controls ? ModeStrip::Controls::Abort : ModeStrip::Controls::None);
    m_strip->setReplay(isReplay());
    m_rail = new PhaseRail;
    m_notice = new NoticeBar;
    m_checklist = new ChecklistPanel(clock, controls ? ChecklistPanel::Controls::Full : ChecklistPanel::Controls::None);
    m_topology = new TopologyView;
    m_plots = new LagPlots;
    m_plots->setSeries(&m_bridge->series());
    m_nextAct = new NextActPanel(clock, controls ? NextActPanel::Controls::Full : NextActPanel::Controls::None);
    m_alarms = new AlarmPanel(controls ? AlarmPanel::Controls::Full : AlarmPanel::Controls::None);
    m_events = new EventPanel(m_bridge->events(), controls ? EventPanel::Controls::Notes : EventPanel::Controls::None);
    m_numbers = new FactsPanel(tr("Numbers of the plots"), {tr("Curve"), tr("Newest"), tr("Least shown"), tr("Greatest shown"), tr("Age")}, tr("No samples yet."));
    m_server = new FactsPanel(tr("Chosen server"), {tr("Fact"), tr("Value")}, tr("Click a server of the topology, or walk there with the arrow keys and press Enter."));
    m_comparison = new FactsPanel(tr("Comparison of the data"), {tr("Table"), tr("Result"), tr("Found"), tr("Age")},
                                  tr("The data of both sides was not compared yet. Prepare “Compare the data” on the right."));
    m_advice = new FactsPanel(tr("Advice and cost"), {tr("Question"), tr("Answer"), tr("Age")},
                              tr("Nothing is known yet: run the checklist. Costs are told when the plan has the table [cost]."));
    if (m_session.practice) {
        m_guide = new FactsPanel(tr("Practice"), {tr("Station"), tr("What to do")}, {});
    }
    const std::pair<QWidget*, const char*> topics[] = {{m_checklist, "checklist"}, {m_nextAct, "moving-writes"}, {m_alarms, "alarms"}, {m_plots, "window"}, {m_topology, "reads"}};
    for (const auto& [panel, topic] : topics) {
        setHelpTopic(panel, topic);
    }
    connect(m_topology, &TopologyView::nodeActivated, this, [this](Env env, const QString& node) {
        m_chosenNode = {env, node.toStdString()};
        showFacts(m_bridge->snapshot(), m_bridge->now());
        m_layout->raisePanel(m_server);
    });
}

void MainWindow::layPanels() {
    auto* plots = new QFrame;
    plots->setProperty("panel", true);
    auto* plotLayout = new QVBoxLayout(plots);
    plotLayout->setContentsMargins(2, 2, 2, 2);
    plotLayout->addWidget(scrolled(m_plots));
    std::vector<WindowLayout::Page> foot = {{m_events, tr("Events")}, {m_numbers, tr("Numbers")}, {m_server, tr("Server")}, {m_comparison, tr("Comparison")}, {m_advice, tr("Advice and cost")}};
    if (m_guide != nullptr) {
        foot.insert(foot.begin(), {m_guide, tr("Practice")});
    }
    if (isReplay()) {
        m_desk = new ReplayDesk(m_session.replay, m_session.file, m_session.actor, this);
        for (const auto& [widget, title] : m_desk->pages()) {
            foot.push_back({widget, title});
        }
    }
    m_layout = new WindowLayout({.checklist = {m_checklist, tr("Checklist")},
                                 .topology = {scrolled(m_topology), tr("Topology")},
                                 .plots = {plots, tr("Plots")},
                                 .alarms = {m_alarms, tr("Alarms")},
                                 .foot = foot,
                                 .nextAct = m_nextAct});
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_strip);
    layout->addWidget(m_rail);
    layout->addWidget(m_notice);
    auto* body = new QVBoxLayout;
    body->setContentsMargins(spacing::SMALL, 0, spacing::SMALL, spacing::SMALL);
    body->addWidget(m_layout);
    layout->addLayout(body, 1);
    if (isReplay()) {
        layout->addWidget(m_desk->bar());
    }
    setCentralWidget(page);
}

void MainWindow::restorePlace() {
    if (m_settings != nullptr) {
        const QString group = isReplay() ? QStringLiteral("replay/") : QStringLiteral("live/");
        restoreGeometry(m_settings->value(group + QStringLiteral("geometry")).toByteArray());
        m_layout->restore(m_settings->value(group + QStringLiteral("panels")).toByteArray());
    }
}

void MainWindow::keepPlace() {
    if (m_settings != nullptr) {
        const QString group = isReplay() ? QStringLiteral("replay/") : QStringLiteral("live/");
        m_settings->setValue(group + QStringLiteral("geometry"), saveGeometry());
        m_settings->setValue(group + QStringLiteral("panels"), m_layout->save());
    }
}

void MainWindow::wireCommands() {
    if (m_gate == nullptr) {
        return;
    }
    auto* seen = new SeenRecorder(*m_gate, *m_bridge, *m_nextAct, this);
    seen->watchAbort(m_strip->abortButton());
    connect(m_layout, &WindowLayout::sightChanged, seen, [this, seen] { seen->showPage(m_layout->inSight()); });
    seen->showPage(m_layout->inSight());
    connect(m_nextAct, &NextActPanel::commandRequested, m_gate, &ActionGate::request);
    connect(m_strip, &ModeStrip::abortRequested, m_gate, [this] { m_gate->request(CommandKind::Abort); });
    connect(m_checklist, &ChecklistPanel::overrideRequested, m_gate, [this](const Json& args) { m_gate->request(CommandKind::Override, args); });
    connect(m_alarms, &AlarmPanel::acknowledgeRequested, m_gate,
            [this](const QString& alarm) { m_gate->request(CommandKind::Acknowledge, {{"alarm", alarm.toStdString()}}); });
    connect(m_alarms, &AlarmPanel::shelveRequested, m_gate, [this](const QString& alarm, int minutes, const QString& reason) {
        m_gate->request(CommandKind::Shelve, {{"alarm", alarm.toStdString()}, {"minutes", minutes}, {"reason", reason.toStdString()}});
    });
    connect(m_checklist, &ChecklistPanel::signOffRequested, m_gate, [this](const Json& args) { m_gate->request(CommandKind::SignOff, args); });
    connect(m_events, &EventPanel::noteWritten, m_gate, [this](const QString& text) { m_gate->request(CommandKind::Note, {{"text", text.toStdString()}}); });
    connect(m_gate, &ActionGate::answered, this, [this](CommandKind kind, bool accepted, const QString& text) {
        m_nextAct->showReply(accepted, text);
        if (!accepted && kind != CommandKind::Note) {
            notify(text);
        }
    });
}

void MainWindow::start() {
    m_bridge->start();
    if (!isReplay()) {
        m_tick.start();
    }
    showSourceState();
    showSnapshot();
    // Never on Abort or Arm: a key pressed by mistake must do nothing.
    m_desk != nullptr ? m_desk->bar()->scrubber()->setFocus() : m_topology->setFocus();
}

void MainWindow::showSnapshot() {
    const Snapshot& snapshot = m_bridge->snapshot();
    const ViewTime now = m_bridge->now();
    m_strip->update(snapshot, now);
    m_rail->update(snapshot, now);
    m_checklist->update(snapshot, now);
    m_topology->update(snapshot, now);
    m_plots->update(snapshot, now);
    if (isReplay() && !m_session.replay->playing() && m_plots->isVisible()) {
        m_plots->drawNow(); // a jump is seen whole at once; what plays may lag behind by a tenth of a second
    }
    m_nextAct->update(snapshot, now);
    m_alarms->update(snapshot, now);
    showFacts(snapshot, now);
    if (m_attention != nullptr) {
        m_attention->update(snapshot, now.steadyUs);
    }
    if (snapshot.gateSeq != m_actsSeq) {
        m_actsSeq = snapshot.gateSeq;
        m_acts->refresh();
    }
    if (!isReplay() && !snapshot.session.deployment.empty()) {
        const QString title = tr("%1 – Tealdeck").arg(safeText(snapshot.session.deployment));
        if (title != windowTitle()) {
            setWindowTitle(title);
        }
    }
}

void MainWindow::showFacts(const Snapshot& snapshot, const ViewTime& now) {
    if (m_numbers->isVisible()) {
        m_numbers->show({}, plotFacts(m_bridge->series(), now, m_plots->span()));
    }
    if (m_comparison->isVisible()) {
        m_comparison->show(comparisonSummary(snapshot.comparison, now), comparisonFacts(snapshot, now));
    }
    if (m_advice->isVisible()) {
        m_advice->show({}, adviceFacts(snapshot, now));
    }
    if (m_guide != nullptr) {
        m_guide->show(tr("A rehearsal on servers that nobody needs. Do one station after the other:"), rehearsalFacts(snapshot));
    }
    if (m_chosenNode) {
        m_server->show({}, nodeFacts(snapshot, m_chosenNode->first, m_chosenNode->second, now));
    }
}

void MainWindow::showSourceState() {
    const Phase phase = m_bridge->snapshot().phase;
    const bool over = phase == Phase::Finalized || phase == Phase::Aborted;
    // An engine ends by itself when its deployment is over: that is no loss.
    const SourceState state = m_bridge->state() == SourceState::Lost && over ? SourceState::Ended : m_bridge->state();
    if (state == SourceState::Ended && m_bridge->state() == SourceState::Lost) {
        emit sessionOver();
    }
    m_strip->setSource(state, m_bridge->stateDetail());
    if (m_sleepGuard != nullptr) {
        m_sleepGuard->setAwake(state == SourceState::Live && !over);
    }
    if (m_gate == nullptr) {
        return;
    }
    const QString detail = m_bridge->stateDetail().isEmpty() ? QString() : QLatin1Char(' ') + m_bridge->stateDetail();
    QString refusal;
    if (state != SourceState::Live) {
        refusal = state == SourceState::Ended ? tr("The deployment is over and its engine has ended.")
                  : state == SourceState::Connecting ? tr("The engine is not connected yet.%1").arg(detail)
                                                     : tr("The engine is lost: what is shown is old. This window asks for it again and again; if it has ended, it has to be started again.%1").arg(detail);
    } else if (!m_bridge->driver()) {
        refusal = tr("Another console drives this deployment; this one observes. When that one is closed, open the plan again to drive.");
    }
    m_nextAct->setRefusal(refusal);
    if (state == SourceState::Lost && !m_lost && !m_session.plan.isEmpty()) {
        m_notice->tell(tr("The engine is lost. The servers stay as they are; an engine that starts again reads from them where things stand."),
                       {{tr("Start the engine"), [this] { emit engineWanted(m_session.plan); }}});
    } else if (state == SourceState::Live && m_lost) {
        m_notice->tell(tr("The engine is back."));
    }
    m_lost = state == SourceState::Lost || (m_lost && state != SourceState::Live); // connecting again is still lost
}

void MainWindow::takeMarks(const std::vector<Event>& events) {
    if (isReplay()) {
        return; // the archive gave them all at once
    }
    bool added = false;
    for (const Event& event : events) {
        const auto phase = event.kind == EventKind::Phase ? phaseFromName(member<std::string>(event.body, "phase", "")) : std::nullopt;
        if (phase && (m_marks.empty() || m_marks.back().text != phaseTitle(*phase)) && (m_marks.empty() || event.steadyUs > m_marks.back().timeUs)) {
            m_marks.push_back({event.steadyUs, phaseTitle(*phase)});
            added = event.steadyUs > 0;
        }
    }
    if (added) {
        m_plots->setMarks(m_marks);
    }
}

void MainWindow::drawNow() {
    showSnapshot();
    m_plots->drawNow();
}

void MainWindow::notify(const QString& text) { m_notice->tell(text); }

bool MainWindow::quitNeedsAsking() const {
    const Phase phase = m_bridge->snapshot().phase;
    return hasControls() && !m_closeConfirmed && m_bridge->state() == SourceState::Live && phase != Phase::Plan && phase != Phase::Finalized && phase != Phase::Aborted;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (!quitNeedsAsking()) {
        keepPlace();
        if (m_help) {
            m_help->close();
        }
        event->accept();
        return;
    }
    event->ignore();
    const auto leave = [this] {
        m_closeConfirmed = true;
        close();
    };
    m_notice->tell(tr("The engine goes on without this window. Open the plan again to come back to it."), {{tr("Close the window"), leave}, {tr("Stay"), {}}});
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls() && event->mimeData()->urls().first().isLocalFile()) {
        event->acceptProposedAction();
    }
}

void MainWindow::dropEvent(QDropEvent* event) {
    if (event->mimeData()->hasUrls()) {
        emit fileDropped(event->mimeData()->urls().first().toLocalFile());
    }
}

} // namespace tealdeck
