// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/window_layout.h"

#include <QDataStream>
#include <QEvent>
#include <QHBoxLayout>
#include <QIODevice>
#include <QSplitter>
#include <QTabBar>

#include <algorithm>

namespace tealdeck {
namespace {

constexpr quint32 STATE_VERSION = 1;

QSplitter* splitter(Qt::Orientation orientation) {
    auto* made = new QSplitter(orientation);
    made->setChildrenCollapsible(false);
    made->setHandleWidth(6);
    return made;
}

QTabWidget* tabs(const QString& name) {
    auto* made = new QTabWidget;
    made->setDocumentMode(true);
    made->setAccessibleName(name);
    made->tabBar()->setAccessibleName(name);
    made->setUsesScrollButtons(true);
    return made;
}

} // namespace

WindowLayout::WindowLayout(Panels panels, QWidget* parent)
    : QWidget(parent), m_panels(std::move(panels)), m_columns(splitter(Qt::Horizontal)), m_centre(splitter(Qt::Vertical)),
      m_rows(splitter(Qt::Vertical)), m_foot(splitter(Qt::Horizontal)), m_footTabs(tabs(tr("Lists"))),
      m_narrowColumns(splitter(Qt::Horizontal)), m_tabs(tabs(tr("Panels"))) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_rows);
    layout->addWidget(m_narrowColumns);
    m_narrowColumns->addWidget(m_tabs);
    m_narrowColumns->hide();
    m_rows->addWidget(m_columns);
    m_rows->addWidget(m_foot);
    for (QSplitter* each : {m_columns, m_centre, m_rows, m_foot, m_narrowColumns}) {
        connect(each, &QSplitter::splitterMoved, this, [this] { m_touched = true; });
    }
    for (QTabWidget* each : {m_footTabs, m_tabs}) {
        connect(each, &QTabWidget::currentChanged, this, &WindowLayout::sightChanged);
    }
    layWide();
}

void WindowLayout::layWide() {
    m_columns->addWidget(m_panels.checklist.widget);
    m_centre->addWidget(m_panels.topology.widget);
    m_centre->addWidget(m_panels.plots.widget);
    m_columns->addWidget(m_centre);
    m_columns->addWidget(m_panels.nextAct);
    m_foot->addWidget(m_panels.alarms.widget);
    for (const Page& page : m_panels.foot) {
        m_footTabs->addTab(page.widget, page.title);
    }
    m_foot->addWidget(m_footTabs);
    for (QWidget* widget : {m_panels.checklist.widget, m_panels.topology.widget, m_panels.plots.widget, m_panels.alarms.widget}) {
        widget->show(); // behind a tab it was hidden
    }
    m_narrowColumns->hide();
    m_rows->show();
}

void WindowLayout::layNarrow() {
    std::vector<Page> pages = {m_panels.checklist, m_panels.topology, m_panels.plots, m_panels.alarms};
    pages.insert(pages.end(), m_panels.foot.begin(), m_panels.foot.end());
    for (const Page& page : pages) {
        m_tabs->addTab(page.widget, page.title);
    }
    m_narrowColumns->addWidget(m_panels.nextAct);
    m_rows->hide();
    m_narrowColumns->show();
}

void WindowLayout::choose() {
    const int em = fontMetrics().height();
    const bool narrow = width() < em * 54 || height() < em * 30;
    if (narrow != m_narrow) {
        m_narrow = narrow;
        narrow ? layNarrow() : layWide();
        m_touched = false;
    }
    if (!m_touched) {
        restoreDefault();
    }
}

void WindowLayout::restoreDefault() {
    m_touched = false;
    const int em = fontMetrics().height();
    const int across = std::max(300, width() - 12);
    if (m_narrow) {
        const int act = std::clamp(across * 36 / 100, em * 12, em * 26);
        m_narrowColumns->setSizes({across - act, act});
        return;
    }
    const int side = std::clamp(across * 27 / 100, em * 15, em * 28);
    const int act = std::clamp(across * 21 / 100, em * 15, em * 23);
    m_columns->setSizes({side, across - side - act, act});
    const int down = std::max(300, height() - 6);
    const int foot = std::clamp(down * 22 / 100, em * 7, em * 16);
    m_rows->setSizes({down - foot, foot});
    m_centre->setSizes({(down - foot) * 55 / 100, (down - foot) * 45 / 100});
    m_foot->setSizes({across * 45 / 100, across * 55 / 100});
}

QByteArray WindowLayout::save() const {
    QByteArray bytes;
    QDataStream stream(&bytes, QIODevice::WriteOnly);
    stream << STATE_VERSION << m_touched << m_narrow << m_columns->saveState() << m_centre->saveState() << m_rows->saveState()
           << m_foot->saveState() << m_narrowColumns->saveState() << m_footTabs->currentIndex();
    return bytes;
}

bool WindowLayout::restore(const QByteArray& state) {
    QDataStream stream(state);
    quint32 version = 0;
    bool touched = false;
    bool narrow = false;
    QByteArray columns, centre, rows, foot, narrowColumns;
    int tab = 0;
    stream >> version >> touched >> narrow >> columns >> centre >> rows >> foot >> narrowColumns >> tab;
    if (version != STATE_VERSION || stream.status() != QDataStream::Ok) {
        return false;
    }
    m_footTabs->setCurrentIndex(std::clamp(tab, 0, std::max(0, m_footTabs->count() - 1)));
    choose();
    if (!touched || narrow != m_narrow) {
        return true; // the default fits every size
    }
    const bool all = m_narrow ? m_narrowColumns->restoreState(narrowColumns)
                              : m_columns->restoreState(columns) && m_centre->restoreState(centre) && m_rows->restoreState(rows) &&
                                    m_foot->restoreState(foot);
    m_touched = all;
    if (!all) {
        restoreDefault();
    }
    return all;
}

void WindowLayout::raisePanel(QWidget* panel) {
    for (QTabWidget* each : {m_tabs, m_footTabs}) {
        for (int i = 0; i < each->count(); ++i) {
            if (each->widget(i) == panel || each->widget(i)->isAncestorOf(panel)) {
                each->setCurrentIndex(i);
            }
        }
    }
}

QString WindowLayout::inSight() const {
    const QTabWidget* front = m_narrow ? m_tabs : m_footTabs;
    const QString page = front->tabText(front->currentIndex());
    return m_narrow ? tr("%1, alone in a narrow window").arg(page) : tr("all panels, and of the lists: %1").arg(page);
}

QSize WindowLayout::minimumSizeHint() const {
    // What the narrow form needs: the wide one is left before it gets too tight.
    const int em = fontMetrics().height();
    return {em * 24, em * 11};
}

void WindowLayout::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    QMetaObject::invokeMethod(this, &WindowLayout::choose, Qt::QueuedConnection); // moving panels inside of a resize would resize again
}

void WindowLayout::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange) {
        QMetaObject::invokeMethod(this, &WindowLayout::choose, Qt::QueuedConnection);
    }
    QWidget::changeEvent(event);
}

} // namespace tealdeck
