// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/start_window.h"

#include "app/console/recent_files.h"
#include "widgets/theme/theme.h"

#include <QDragEnterEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QVBoxLayout>

namespace tealdeck {

StartWindow::StartWindow(QWidget* parent) : QWidget(parent), m_status(plainLabel({})) {
    setWindowTitle(tr("Tealdeck"));
    setAcceptDrops(true);
    setMinimumSize(640, 480);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(40, 32, 40, 32);
    outer->setSpacing(spacing::MEDIUM);
    QLabel* title = plainLabel(tr("Tealdeck"));
    title->setFont(scaledFont(font(), 2.2, QFont::DemiBold));
    outer->addWidget(title);
    outer->addWidget(plainLabel(tr("Upgrade PostgreSQL from BLUE to GREEN under your eyes, and look at it again afterwards.")));
    m_status->setWordWrap(true);
    m_status->hide();
    outer->addWidget(m_status);
    auto* row = new QHBoxLayout;
    auto* plan = new QPushButton(tr("Open a plan…"));
    auto* recording = new QPushButton(tr("Open a recording…"));
    plan->setProperty("primary", true);
    plan->setAccessibleName(tr("Open a plan"));
    recording->setAccessibleName(tr("Open a recording"));
    connect(plan, &QPushButton::clicked, this, &StartWindow::openPlanRequested);
    connect(recording, &QPushButton::clicked, this, &StartWindow::openRecordingRequested);
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
    QLabel* commands = plainLabel(QStringLiteral("tealctl lab up --dir ~/tealdeck-lab --blue 15 --green 18 --replicas 1 --schema shop\n"
                                                 "tealctl lab load --dir ~/tealdeck-lab --seconds 600 --clients 8 &\n"
                                                 "tealdeck --plan ~/tealdeck-lab/plan.toml"));
    commands->setFont(QFont(QStringLiteral("DejaVu Sans Mono"), font().pointSize()));
    commands->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    commands->setAccessibleName(tr("Commands that start the practice lab"));
    commands->setMargin(spacing::MEDIUM);
    commands->setProperty("panel", true);
    layout->addWidget(commands);
    layout->addWidget(plainLabel(tr("It starts real servers, a pooler and a balancer on this machine alone; “tealctl lab down” ends them.")));
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
