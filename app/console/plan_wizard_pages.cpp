// SPDX-License-Identifier: GPL-3.0-or-later
// What the wizard asks on each page, and the draft made of it.
#include "app/console/plan_wizard.h"
#include "app/console/replica_list.h"
#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QGroupBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

namespace tealdeck {
namespace {

QLineEdit* entry(QFormLayout* form, const QString& label, const QString& hint = {}, const QString& value = {}) {
    auto* edit = new QLineEdit(value);
    edit->setAccessibleName(label);
    edit->setPlaceholderText(hint);
    form->addRow(plainLabel(label), edit);
    return edit;
}

QSpinBox* whole(QFormLayout* form, const QString& label, int low, int high, int value, const QString& suffix = {}) {
    auto* box = new QSpinBox;
    box->setRange(low, high);
    box->setValue(value);
    box->setSuffix(suffix);
    box->setAccessibleName(label);
    form->addRow(plainLabel(label), box);
    return box;
}

QDoubleSpinBox* number(QFormLayout* form, const QString& label, double low, double high, double value, const QString& suffix) {
    auto* box = new QDoubleSpinBox;
    box->setRange(low, high);
    box->setDecimals(1);
    box->setValue(value);
    box->setSuffix(suffix);
    box->setAccessibleName(label);
    form->addRow(plainLabel(label), box);
    return box;
}

QLabel* told(QVBoxLayout* layout, const QString& text) {
    QLabel* label = plainLabel(text);
    label->setWordWrap(true);
    layout->addWidget(label);
    return label;
}

QStringList words(const QString& text) {
    QStringList all;
    for (const QString& word : text.split(',', Qt::SkipEmptyParts)) {
        all << word.trimmed();
    }
    all.removeAll(QString());
    return all;
}

} // namespace

QWidget* PlanWizard::makeServer(ServerForm& f, const QString& side, const QString& what) {
    auto* box = new QGroupBox(QStringLiteral("%1 – %2").arg(side, what));
    auto* form = new QFormLayout(box);
    const auto named = [&side](QWidget* widget) {
        widget->setAccessibleName(QStringLiteral("%1: %2").arg(side, widget->accessibleName()));
    };
    f.host = entry(form, tr("Host"), tr("name, address, or folder of a socket"));
    f.port = whole(form, tr("Port"), 1, 65535, 5432);
    f.user = entry(form, tr("Role"), {}, QStringLiteral("tealdeck"));
    f.passfile = entry(form, tr("Password file"), tr("empty: ~/.pgpass"));
    f.sslmode = new QComboBox;
    f.sslmode->addItems({QStringLiteral("verify-full"), QStringLiteral("verify-ca"), QStringLiteral("require"), QStringLiteral("prefer"),
                         QStringLiteral("disable")});
    f.sslmode->setAccessibleName(tr("TLS"));
    form->addRow(plainLabel(tr("TLS")), f.sslmode);
    f.sslrootcert = entry(form, tr("Root certificate"), tr("file of the authority"));
    f.zone = entry(form, tr("Zone"), tr("availability zone, as you name it"));
    f.test = new QPushButton(tr("Test the connection"));
    f.test->setAccessibleName(f.test->text());
    f.found = plainLabel(tr("Not asked yet."));
    f.found->setWordWrap(true);
    form->addRow(f.test);
    form->addRow(f.found);
    f.replicas = new ReplicaList(side);
    form->addRow(f.replicas);
    connect(f.replicas, &ReplicaList::changed, this, &PlanWizard::refresh);
    for (QWidget* widget : {static_cast<QWidget*>(f.host), static_cast<QWidget*>(f.port), static_cast<QWidget*>(f.user),
                            static_cast<QWidget*>(f.passfile), static_cast<QWidget*>(f.sslmode), static_cast<QWidget*>(f.sslrootcert),
                            static_cast<QWidget*>(f.zone), static_cast<QWidget*>(f.test)}) {
        named(widget);
    }
    connect(f.host, &QLineEdit::textChanged, this, &PlanWizard::refresh);
    connect(f.test, &QPushButton::clicked, this, [this, &f] { test(f); });
    return box;
}

QWidget* PlanWizard::makeServers() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    told(layout, tr("The two primaries. Passwords stay where they are: a password file, a certificate or the peer method; the plan only "
                    "names them."));
    auto* form = new QFormLayout;
    m_name = entry(form, tr("Name of the deployment"), tr("such as shop"));
    m_replicationUser = entry(form, tr("Role of the feed"), tr("by which the servers reach each other"), QStringLiteral("tealdeck_repl"));
    m_replicationPassfile = entry(form, tr("Its password file on the servers"), tr("absolute path on both hosts; empty: none"));
    m_replicationRootcert = entry(form, tr("Its root certificate on the servers"), tr("absolute path on both hosts; empty: that of the servers' user"));
    layout->addLayout(form);
    auto* sides = new QHBoxLayout;
    sides->addWidget(makeServer(m_blue, QStringLiteral("BLUE"), tr("today's production")));
    sides->addWidget(makeServer(m_green, QStringLiteral("GREEN"), tr("the new version, empty")));
    layout->addLayout(sides);
    layout->addStretch(1);
    connect(m_name, &QLineEdit::textChanged, this, &PlanWizard::refresh);
    return page;
}

QWidget* PlanWizard::makeDatabases() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    told(layout, tr("Which databases move. All that share transactions must move together; the first one also holds Tealdeck's own tables. "
                    "The list is what BLUE said when its connection was tested."));
    m_databases = new QListWidget;
    m_databases->setAccessibleName(tr("Databases of BLUE"));
    layout->addWidget(m_databases, 1);
    auto* form = new QFormLayout;
    m_otherDatabases = entry(form, tr("Others"), tr("names, separated by commas"));
    layout->addLayout(form);
    connect(m_databases, &QListWidget::itemChanged, this, &PlanWizard::refresh);
    connect(m_otherDatabases, &QLineEdit::textChanged, this, &PlanWizard::refresh);
    return page;
}

QWidget* PlanWizard::makeRouters() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    told(layout, tr("What stands between clients and servers. Without a pooler clients are cut off at the switch; without a balancer there "
                    "is no ramp of the reads."));
    m_hasPooler = new QCheckBox(tr("A PgBouncer before the writes"));
    m_hasPooler->setAccessibleName(m_hasPooler->text());
    layout->addWidget(m_hasPooler);
    auto* pooler = new QWidget;
    auto* form = new QFormLayout(pooler);
    m_poolerHost = entry(form, tr("Host of its console"), tr("address or folder of a socket"));
    m_poolerPort = whole(form, tr("Port of its console"), 1, 65535, 6432);
    m_poolerUser = entry(form, tr("Its administrator"), {}, QStringLiteral("pgbouncer"));
    m_poolerPassfile = entry(form, tr("Password file for it"), tr("empty: ~/.pgpass"));
    m_poolerFile = entry(form, tr("Its databases file"), tr("the %include file that holds only [databases]"));
    layout->addWidget(pooler);
    m_hasBalancer = new QCheckBox(tr("A HAProxy before the reads"));
    m_hasBalancer->setAccessibleName(m_hasBalancer->text());
    layout->addWidget(m_hasBalancer);
    auto* balancer = new QWidget;
    auto* readForm = new QFormLayout(balancer);
    m_balancerSocket = entry(readForm, tr("Its runtime socket"), tr("level admin"));
    m_balancerBackend = entry(readForm, tr("Its backend"), tr("that holds both sides' servers"));
    m_balancerBlue = entry(readForm, tr("Servers of BLUE in it"), tr("names, separated by commas"));
    m_balancerGreen = entry(readForm, tr("Servers of GREEN in it"), tr("names, separated by commas"));
    layout->addWidget(balancer);
    layout->addStretch(1);
    pooler->hide();
    balancer->hide();
    connect(m_hasPooler, &QCheckBox::toggled, pooler, &QWidget::setVisible);
    connect(m_hasBalancer, &QCheckBox::toggled, balancer, &QWidget::setVisible);
    return page;
}

QWidget* PlanWizard::makeBudgets() {
    auto* page = new QWidget;
    auto* layout = new QVBoxLayout(page);
    told(layout, tr("How much the clients may feel, and how long the way back stays open."));
    auto* form = new QFormLayout;
    const PlanDraft d;
    m_budget = whole(form, tr("Longest write pause"), 100, 600'000, d.budgetMs, tr(" ms"));
    m_hold = number(form, tr("Each ramp step is held for"), 0.1, 86'400, d.holdSeconds, tr(" s"));
    m_maxLag = number(form, tr("Reads go back above a lag of"), 0.1, 3'600, d.maxLagSeconds, tr(" s"));
    m_window = number(form, tr("Rollback window"), 0, 8'760, d.windowHours, tr(" h"));
    layout->addLayout(form);
    layout->addStretch(1);
    return page;
}

PlanDraft PlanWizard::draft() const {
    PlanDraft d;
    d.name = m_name->text().trimmed();
    d.replicationUser = m_replicationUser->text().trimmed();
    d.replicationPassfile = m_replicationPassfile->text().trimmed();
    d.replicationRootcert = m_replicationRootcert->text().trimmed();
    const auto server = [](const ServerForm& f) {
        return PlanDraft::Server{
            f.host->text().trimmed(),     f.port->value(),          f.user->text().trimmed(),        QStringLiteral("postgres"),
            f.passfile->text().trimmed(), f.sslmode->currentText(), f.sslrootcert->text().trimmed(), f.zone->text().trimmed(),
            f.replicas->chosen()};
    };
    d.blue = server(m_blue);
    d.green = server(m_green);
    for (int row = 0; m_databases != nullptr && row < m_databases->count(); ++row) {
        if (m_databases->item(row)->checkState() == Qt::Checked) {
            d.databases << m_databases->item(row)->data(Qt::UserRole).toString();
        }
    }
    if (m_otherDatabases != nullptr) {
        d.databases << words(m_otherDatabases->text());
    }
    d.databases.removeDuplicates();
    if (m_hasPooler != nullptr && m_hasPooler->isChecked()) {
        d.pooler = PlanDraft::Pooler{m_poolerHost->text().trimmed(), m_poolerPort->value(), m_poolerUser->text().trimmed(),
                                     m_poolerPassfile->text().trimmed(), m_poolerFile->text().trimmed()};
    }
    if (m_hasBalancer != nullptr && m_hasBalancer->isChecked()) {
        d.balancer = PlanDraft::Balancer{m_balancerSocket->text().trimmed(), m_balancerBackend->text().trimmed(),
                                         words(m_balancerBlue->text()), words(m_balancerGreen->text())};
    }
    if (m_budget != nullptr) {
        d.budgetMs = m_budget->value();
        d.holdSeconds = m_hold->value();
        d.maxLagSeconds = m_maxLag->value();
        d.windowHours = m_window->value();
    }
    return d;
}

} // namespace tealdeck
