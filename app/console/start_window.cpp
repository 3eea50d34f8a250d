// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/start_window.h"

#include "app/console/lab_runner.h"
#include "app/console/recent_files.h"
#include "app/console/scroll_page.h"
#include "widgets/theme/theme.h"

#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QVBoxLayout>

namespace tealdeck {

StartWindow::StartWindow(QWidget* parent) : QWidget(parent), m_status(plainLabel({})), m_again(new QVBoxLayout) {
    setWindowTitle(tr("Tealdeck"));
    setAcceptDrops(true);
    setMinimumSize(640, 480);
    auto* frame = new QVBoxLayout(this);
    frame->setContentsMargins(0, 0, 0, 0);
    auto* page = new QWidget;
    frame->addWidget(new ScrollPage(page));
    auto* outer = new QVBoxLayout(page);
    outer->setContentsMargins(40, 32, 40, 32);
    outer->setSpacing(spacing::MEDIUM);
    QLabel* title = plainLabel(tr("Tealdeck"));
    title->setFont(scaledFont(font(), 2.2, QFont::DemiBold));
    outer->addWidget(title);
    QLabel* what = plainLabel(tr("Upgrade PostgreSQL from BLUE to GREEN under your eyes, and look at it again afterwards."));
    what->setWordWrap(true);
    outer->addWidget(what);
    m_status->setWordWrap(true);
    m_status->hide();
    outer->addWidget(m_status);
    outer->addLayout(m_again);
    auto* row = new QHBoxLayout;
    auto* plan = new QPushButton(tr("Open a plan…"));
    auto* recording = new QPushButton(tr("Open a recording…"));
    auto* fresh = new QPushButton(tr("New plan…"));
    fresh->setAccessibleName(tr("New plan"));
    connect(fresh, &QPushButton::clicked, this, &StartWindow::newPlanRequested);
    plan->setProperty("primary", true);
    plan->setAccessibleName(tr("Open a plan"));
    recording->setAccessibleName(tr("Open a recording"));
    connect(plan, &QPushButton::clicked, this, &StartWindow::openPlanRequested);
    connect(recording, &QPushButton::clicked, this, &StartWindow::openRecordingRequested);
    row->addWidget(fresh);
    row->addWidget(plan);
    row->addWidget(recording);
    row->addStretch(1);
    outer->addLayout(row);
    addLab(outer);
    addRecent(outer);
    outer->addStretch(1);
}

void StartWindow::addLab(QVBoxLayout* layout) {
    layout->addWidget(headingLabel(tr("NO SERVERS AT HAND? PRACTISE ON THIS MACHINE")));
    m_lab = new LabRunner;
    layout->addWidget(m_lab);
    connect(m_lab, &LabRunner::ready, this, &StartWindow::labReady);
}

void StartWindow::addRecent(QVBoxLayout* layout) {
    const QStringList files = recentFiles();
    layout->addWidget(headingLabel(tr("RECENT")));
    if (files.isEmpty()) {
        layout->addWidget(plainLabel(tr("Nothing yet. You can also drop a plan or a recording here.")));
    }
    for (const QString& file : files) {
        auto* button = new QPushButton(QString(file).replace('&', QLatin1String("&&")));
        button->setAccessibleName(tr("Open %1").arg(file));
        connect(button, &QPushButton::clicked, this, [this, file] { emit fileChosen(file); });
        layout->addWidget(button, 0, Qt::AlignLeft);
    }
}

void StartWindow::showProblem(const QString& text) {
    QPalette colours = m_status->palette();
    colours.setColor(QPalette::WindowText, tokensFor(palette()).high);
    m_status->setPalette(colours);
    m_status->setText(QStringLiteral("✕ ") + text);
    m_status->show();
}

void StartWindow::offerAgain(const QString& plan) {
    QLabel* what = plainLabel(tr("The last window on %1 ended unexpectedly. Its engine knows nothing of that.").arg(plan));
    what->setWordWrap(true);
    auto* button = new QPushButton(tr("Come back to it"));
    button->setAccessibleName(tr("Open %1").arg(plan));
    button->setProperty("primary", true);
    connect(button, &QPushButton::clicked, this, [this, plan] { emit fileChosen(plan); });
    m_again->addWidget(what);
    m_again->addWidget(button, 0, Qt::AlignLeft);
}

void StartWindow::showBusy(const QString& text) {
    m_status->setPalette(palette());
    m_status->setText(text);
    m_status->show();
}

void StartWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls() && event->mimeData()->urls().first().isLocalFile()) {
        event->acceptProposedAction();
    }
}

void StartWindow::dropEvent(QDropEvent* event) { emit fileChosen(event->mimeData()->urls().first().toLocalFile()); }

} // namespace tealdeck
