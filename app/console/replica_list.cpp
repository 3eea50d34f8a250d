// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/replica_list.h"

#include "widgets/theme/theme.h"

#include <QCheckBox>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <set>

namespace tealdeck {
namespace {

constexpr int LONGEST_NAME = 32; // as plan files allow it

/// As a plan may call a server: small letters, digits, _ and -.
QString planName(const QString& told) {
    QString name;
    for (const QChar c : told.toLower().left(LONGEST_NAME)) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        name += fits ? c : QChar('_');
    }
    return name.isEmpty() ? QStringLiteral("replica") : name;
}

} // namespace

ReplicaList::ReplicaList(const QString& side, QWidget* parent)
    : QWidget(parent), m_side(side), m_grid(new QGridLayout), m_head(plainLabel(tr("Replicas: none yet. Testing the connection finds them."))) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    m_head->setWordWrap(true);
    layout->addWidget(m_head);
    layout->addLayout(m_grid);
    m_grid->setColumnStretch(1, 1);
    m_another = new QPushButton(tr("Add a replica"));
    m_another->setAccessibleName(QStringLiteral("%1: %2").arg(side, m_another->text()));
    connect(m_another, &QPushButton::clicked, this, [this] {
        add(freeName(QStringLiteral("replica")), {}, 0);
        m_rows.back().host->setFocus(Qt::OtherFocusReason);
        emit changed();
    });
    layout->addWidget(m_another, 0, Qt::AlignLeft);
}

QString ReplicaList::freeName(const QString& wanted) const {
    const auto taken = [this](const QString& name) {
        return name == QLatin1String("primary") || std::any_of(m_rows.begin(), m_rows.end(), [&](const Row& row) { return row.name == name; });
    };
    QString name = wanted;
    for (int number = 2; taken(name); ++number) {
        const QString tail = QStringLiteral("-%1").arg(number);
        name = wanted.left(LONGEST_NAME - tail.size()) + tail;
    }
    return name;
}

void ReplicaList::add(const QString& name, const QString& host, int port) {
    Row row{new QCheckBox(QString(name).replace('&', QLatin1String("&&"))), new QLineEdit(host), new QSpinBox, new QLineEdit, name};
    row.use->setChecked(true);
    row.host->setPlaceholderText(tr("Host"));
    row.port->setRange(0, 65535);
    row.port->setSpecialValueText(tr("port?"));
    row.port->setValue(port);
    row.zone->setPlaceholderText(tr("Zone"));
    const std::pair<QWidget*, QString> named[] = {{row.use, tr("use it")}, {row.host, tr("Host")}, {row.port, tr("Port")}, {row.zone, tr("Zone")}};
    const int line = m_grid->rowCount();
    int column = 0;
    // Tab goes on where one is: what comes later stands before the button, not behind the whole window.
    QWidget* before = m_rows.empty() ? static_cast<QWidget*>(m_another) : m_rows.back().zone;
    for (const auto& [widget, what] : named) {
        widget->setAccessibleName(tr("%1: replica %2: %3").arg(m_side, name, what));
        m_grid->addWidget(widget, line, column++);
        setTabOrder(before, widget);
        before = widget;
    }
    setTabOrder(before, m_another);
    connect(row.use, &QCheckBox::toggled, this, &ReplicaList::changed);
    connect(row.host, &QLineEdit::textChanged, this, &ReplicaList::changed);
    connect(row.port, &QSpinBox::valueChanged, this, &ReplicaList::changed);
    m_rows.push_back(row);
    m_head->setText(tr("Replicas. A primary does not know on which port they listen: see whether it is right."));
}

void ReplicaList::offer(const Json& found, const QString& primaryHost, int primaryPort) {
    std::set<QString> matched; // two of one name on one machine are two
    for (const Json& replica : found) {
        const QString told = planName(QString::fromStdString(member<std::string>(replica, "name", "")));
        const QString address = safeText(member<std::string>(replica, "address", ""));
        const QString host = address.isEmpty() ? primaryHost : address; // through a Unix socket: on the primary's own machine
        const auto here = std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& row) {
            return matched.count(row.name) == 0 && row.host->text().trimmed() == host && (row.name == told || row.name.startsWith(told + QLatin1Char('-')));
        });
        if (here != m_rows.end()) {
            matched.insert(here->name);
            continue;
        }
        // Beside the primary it can't have the primary's port; elsewhere that is the likeliest.
        add(freeName(told), host, host == primaryHost ? 0 : primaryPort);
        matched.insert(m_rows.back().name);
    }
    emit changed();
}

std::vector<PlanDraft::Replica> ReplicaList::chosen() const {
    std::vector<PlanDraft::Replica> all;
    for (const Row& row : m_rows) {
        if (row.use->isChecked()) {
            all.push_back({row.name, row.host->text().trimmed(), row.port->value(), row.zone->text().trimmed()});
        }
    }
    return all;
}

QString ReplicaList::problem() const {
    for (const PlanDraft::Replica& replica : chosen()) {
        if (replica.host.isEmpty()) {
            return tr("Name the host of replica %1 of %2, or leave it out.").arg(replica.name, m_side);
        }
        if (replica.port == 0) {
            return tr("Give the port of replica %1 of %2: its primary does not know it.").arg(replica.name, m_side);
        }
    }
    return {};
}

} // namespace tealdeck
