// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/lab_runner.h"

#include "app/console/ctl_process.h"
#include "widgets/theme/theme.h"

#include <QDir>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

namespace tealdeck {

LabRunner::LabRunner(QWidget* parent)
    : QWidget(parent), m_process(new CtlProcess(this)), m_folder(new QLineEdit(QDir::home().filePath(QStringLiteral("tealdeck-lab")))),
      m_start(new QPushButton(tr("Start the practice lab"))), m_cancel(new QPushButton(tr("Cancel"))), m_busy(new QProgressBar),
      m_said(plainLabel({})) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    QLabel* what = plainLabel(tr("Real servers, a pooler and a balancer on this machine alone: PostgreSQL 15 as BLUE, 18 as GREEN, a "
                                 "replica each, with a shop's data and clients. "
                                 "The first start fetches what is missing and takes a minute or two."));
    what->setWordWrap(true);
    layout->addWidget(what);
    auto* row = new QHBoxLayout;
    m_folder->setAccessibleName(tr("Folder of the lab"));
    m_start->setAccessibleName(m_start->text());
    m_start->setProperty("primary", true);
    m_cancel->setAccessibleName(tr("Cancel the start of the lab"));
    row->addWidget(m_folder, 1);
    row->addWidget(m_start);
    row->addWidget(m_cancel);
    layout->addLayout(row);
    m_busy->setRange(0, 0);
    m_busy->setTextVisible(false);
    m_busy->setFixedHeight(6);
    m_busy->setAccessibleName(tr("The lab is starting"));
    layout->addWidget(m_busy);
    m_said->setWordWrap(true);
    layout->addWidget(m_said);
    connect(m_start, &QPushButton::clicked, this, &LabRunner::start);
    connect(m_cancel, &QPushButton::clicked, this, &LabRunner::cancel);
    connect(m_process, &CtlProcess::progress, this, &LabRunner::tell);
    connect(m_process, &CtlProcess::finished, this, &LabRunner::take);
    refresh();
}

QString LabRunner::said() const {
    return m_said->text();
}

void LabRunner::start() {
    const QString folder = m_folder->text().trimmed();
    if (QFileInfo::exists(QDir(folder).filePath(QStringLiteral("plan.toml")))) {
        tell(tr("The lab of %1 is there already.").arg(folder));
        emit ready(QDir(folder).filePath(QStringLiteral("plan.toml")), folder);
        return;
    }
    m_ours = !QFileInfo::exists(folder);
    m_work = Work::Up;
    tell(tr("Starting …"));
    refresh();
    m_process->start({QStringLiteral("lab"), QStringLiteral("up"), QStringLiteral("--json"), QStringLiteral("--dir"), folder,
                      QStringLiteral("--blue"), QStringLiteral("15"), QStringLiteral("--green"), QStringLiteral("18"),
                      QStringLiteral("--replicas"), QStringLiteral("1"), QStringLiteral("--schema"), QStringLiteral("shop")},
                     m_program);
}

void LabRunner::cancel() {
    if (m_work == Work::Up) {
        tell(tr("Cancelling: what was started is ended again …"));
        m_process->cancel();
    }
}

void LabRunner::take(const Json& answer, const QString& problem) {
    const Work done = m_work;
    m_work = Work::None;
    const QString plan = QString::fromStdString(member<std::string>(answer, "plan", ""));
    if (done == Work::Up && problem.isEmpty() && !plan.isEmpty()) {
        tell(tr("✓ The lab is up."));
        emit ready(plan, m_folder->text().trimmed());
    } else if (done == Work::Up) {
        tell(QStringLiteral("✕ ") +
             (problem.isEmpty() ? tr("tealctl did not name the lab's plan. The programs are of different versions.") : problem));
        if (m_ours && QFileInfo::exists(m_folder->text().trimmed())) {
            m_work = Work::Down;
            m_process->start({QStringLiteral("lab"), QStringLiteral("down"), QStringLiteral("--dir"), m_folder->text().trimmed(),
                              QStringLiteral("--remove")},
                             m_program);
        }
    } else if (done == Work::Down && !problem.isEmpty()) {
        tell(tr("✕ Not all of it could be ended: %1").arg(problem));
    }
    refresh();
}

void LabRunner::tell(const QString& text) {
    m_said->setText(text);
    m_said->setVisible(!text.isEmpty());
}

void LabRunner::refresh() {
    const bool idle = m_work == Work::None;
    m_start->setEnabled(idle);
    m_start->setToolTip(idle ? QString() : tr("It is starting or ending already."));
    m_folder->setEnabled(idle);
    m_folder->setToolTip(m_start->toolTip());
    m_cancel->setVisible(m_work == Work::Up);
    m_busy->setVisible(!idle);
}

} // namespace tealdeck
