// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/plan_wizard.h"

#include "app/console/ctl_process.h"
#include "app/console/plan_editor.h"
#include "app/console/replica_list.h"
#include "app/console/scroll_page.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QCloseEvent>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace tealdeck {

PlanWizard::PlanWizard(QWidget* parent)
    : QWidget(parent, Qt::Window), m_steps(new QListWidget), m_pages(new QStackedWidget), m_back(new QPushButton(tr("Back"))),
      m_next(new QPushButton(tr("Next"))), m_why(plainLabel({})) {
    setWindowTitle(tr("New plan – Tealdeck"));
    setAttribute(Qt::WA_DeleteOnClose);
    auto* columns = new QHBoxLayout(this);
    m_steps->setAccessibleName(tr("Steps of the plan"));
    columns->addWidget(m_steps);
    auto* right = new QVBoxLayout;
    columns->addLayout(right, 1);
    right->addWidget(m_pages, 1);
    m_why->setWordWrap(true);
    right->addWidget(m_why);
    auto* row = new QHBoxLayout;
    row->addStretch(1);
    for (QPushButton* button : {m_back, m_next}) {
        button->setAccessibleName(button->text());
        row->addWidget(button);
    }
    m_next->setProperty("primary", true);
    right->addLayout(row);
    addPage(tr("1 Servers"), makeServers());
    addPage(tr("2 Databases"), makeDatabases());
    addPage(tr("3 Routers"), makeRouters());
    addPage(tr("4 Budgets"), makeBudgets());
    m_editor = new PlanEditor;
    addPage(tr("5 Review and save"), m_editor);
    m_steps->setFixedWidth(m_steps->sizeHintForColumn(0) + 2 * m_steps->frameWidth() + spacing::MEDIUM);
    connect(m_editor, &PlanEditor::openWanted, this, &PlanWizard::openWanted);
    connect(m_steps, &QListWidget::currentRowChanged, this, &PlanWizard::goTo);
    connect(m_back, &QPushButton::clicked, this, [this] { step(-1); });
    connect(m_next, &QPushButton::clicked, this, [this] { step(1); });
    goTo(Servers);
    resize(fontMetrics().height() * 62, fontMetrics().height() * 44);
}

void PlanWizard::addPage(const QString& title, QWidget* page) {
    m_steps->addItem(title);
    m_pages->addWidget(new ScrollPage(page));
}

int PlanWizard::page() const {
    return m_pages->currentIndex();
}

void PlanWizard::goTo(int page) {
    if (page < 0 || page >= PageCount) {
        return;
    }
    if (page == Review && m_editor->file().isEmpty() && (m_editor->text() == m_written || m_editor->text().isEmpty())) {
        m_written = planText(draft());
        m_editor->setText(m_written, {});
    }
    m_pages->setCurrentIndex(page);
    const QSignalBlocker quiet(m_steps);
    m_steps->setCurrentRow(page);
    refresh();
}

void PlanWizard::step(int by) {
    goTo(page() + by);
}

void PlanWizard::edit(const QString& text, const QString& file) {
    setWindowTitle(tr("%1 – Plan – Tealdeck").arg(file));
    m_editor->setText(text, file);
    m_steps->hide(); // the steps would begin another plan
    m_back->hide();
    m_next->hide();
    m_pages->setCurrentIndex(Review);
    m_why->hide();
}

QString PlanWizard::whyNotNext() const {
    const PlanDraft d = draft();
    switch (page()) {
    case Servers:
        return d.name.isEmpty()                                  ? tr("Give the deployment a name of small letters, digits and _.")
               : d.blue.host.isEmpty() || d.green.host.isEmpty() ? tr("Name the host of both primaries.")
               : !m_blue.replicas->problem().isEmpty()           ? m_blue.replicas->problem()
                                                                 : m_green.replicas->problem();
    case Databases:
        return d.databases.isEmpty() ? tr("Choose at least one database.") : QString();
    default:
        return {};
    }
}

void PlanWizard::refresh() {
    m_back->setEnabled(page() > 0);
    m_back->setToolTip(page() > 0 ? QString() : tr("This is the first step."));
    const QString reason = page() == Review ? QString() : whyNotNext();
    m_next->setVisible(page() != Review);
    m_next->setEnabled(reason.isEmpty());
    m_next->setToolTip(reason);
    m_next->setAccessibleDescription(reason);
    m_why->setText(reason);
}

void PlanWizard::test(ServerForm& form) {
    if (form.asking) {
        return;
    }
    QStringList arguments{QStringLiteral("plan"),
                          QStringLiteral("probe"),
                          QStringLiteral("--json"),
                          QStringLiteral("--host"),
                          form.host->text().trimmed(),
                          QStringLiteral("--port"),
                          QString::number(form.port->value()),
                          QStringLiteral("--user"),
                          form.user->text().trimmed(),
                          QStringLiteral("--sslmode"),
                          form.sslmode->currentText()};
    const std::pair<const char*, QLineEdit*> files[] = {{"--passfile", form.passfile}, {"--sslrootcert", form.sslrootcert}};
    for (const auto& [option, entry] : files) {
        if (!entry->text().trimmed().isEmpty()) {
            arguments << QLatin1String(option) << entry->text().trimmed();
        }
    }
    form.asking = true;
    form.test->setToolTip(tr("The server is being asked."));
    form.found->setText(tr("Asking %1 …").arg(form.host->text()));
    auto* process = new CtlProcess(this);
    connect(process, &CtlProcess::finished, this, [this, process, &form](const Json& answer, const QString& problem) {
        process->deleteLater();
        takeProbe(form, answer, problem);
    });
    process->start(arguments, m_program);
}

void PlanWizard::takeProbe(ServerForm& form, const Json& answer, const QString& problem) {
    form.asking = false;
    form.test->setToolTip({});
    if (!problem.isEmpty()) {
        form.found->setText(QStringLiteral("✕ ") + problem);
        return;
    }
    QStringList lines;
    lines << tr("✓ PostgreSQL %1, %2, TLS %3")
                 .arg(safeText(member<std::string>(answer, "version", "?")), safeText(member<std::string>(answer, "role", "?")),
                      member<bool>(answer, "tls", false) ? tr("on") : tr("off"));
    if (member<std::string>(answer, "role", "") != "primary") {
        lines << tr("△ This is a replica: name its primary.");
    }
    if (&form == &m_blue && member<std::string>(answer, "wal_level", "") != "logical") {
        lines << tr("△ wal_level is %1; BLUE needs logical, which takes a restart.")
                     .arg(safeText(member<std::string>(answer, "wal_level", "?")));
    }
    const Json none = Json::array();
    const Json& databases = answer.contains("databases") && answer["databases"].is_array() ? answer["databases"] : none;
    const Json& replicas = answer.contains("replicas") && answer["replicas"].is_array() ? answer["replicas"] : none;
    lines << tr("%1 databases, %2 replicas").arg(databases.size()).arg(replicas.size());
    form.found->setText(lines.join('\n'));
    form.replicas->offer(replicas, form.host->text().trimmed(), form.port->value());
    if (&form == &m_blue) {
        offerDatabases(databases);
    }
}

void PlanWizard::offerDatabases(const Json& databases) {
    const QStringList chosen = draft().databases;
    m_databases->clear();
    for (const Json& database : databases) {
        const std::string name = member<std::string>(database, "name", "");
        const bool known = database.is_object() && database.contains("bytes") && database["bytes"].is_number();
        auto* item = new QListWidgetItem(
            known ? QStringLiteral("%1    %2").arg(safeText(name), formatBytes(database["bytes"].get<double>())) : safeText(name),
            m_databases);
        item->setData(Qt::UserRole, QString::fromStdString(name));
        item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
        item->setCheckState(chosen.contains(QString::fromStdString(name)) ? Qt::Checked : Qt::Unchecked);
    }
    refresh();
}

void PlanWizard::closeEvent(QCloseEvent* event) {
    const bool work = m_editor->file().isEmpty() ? !draft().name.isEmpty() && m_editor->file().isEmpty() : m_editor->changed();
    if (work && !m_discard) {
        event->ignore();
        m_discard = true; // asked in the window itself; a second time closes it
        m_why->show();
        m_why->setText(tr("This plan is not saved. Close the window again to discard it."));
        return;
    }
    event->accept();
}

} // namespace tealdeck
