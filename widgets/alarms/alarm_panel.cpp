// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/alarms/alarm_panel.h"

#include "widgets/a11y/list_table.h"
#include "widgets/checklist/row_painter.h"
#include "widgets/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QItemSelectionModel>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace tealdeck {

AlarmPanel::AlarmPanel(Controls controls, QWidget* parent)
    : QFrame(parent), m_heading(headingLabel(tr("ALARMS"))), m_empty(plainLabel(tr("✓ No alarm."))), m_table(new ListTable(tr("Alarms"))) {
    setProperty("panel", true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(spacing::SMALL, spacing::TINY, spacing::TINY, spacing::TINY);
    layout->setSpacing(spacing::TINY);
    auto* top = new QHBoxLayout;
    top->addWidget(m_heading);
    top->addStretch(1);
    layout->addLayout(top);
    m_empty->setProperty("muted", true);
    layout->addWidget(m_empty);
    layout->addWidget(m_table, 1);
    layout->addStretch(0);
    m_table->setModel(&m_model);
    m_table->setObjectName(QStringLiteral("alarmTable"));
    if (controls == Controls::Full) {
        makeControls(top);
        layout->addWidget(makeShelf());
        connect(m_table->selectionModel(), &QItemSelectionModel::currentChanged, this, [this] { showButtons(); });
        showButtons();
    }
    m_table->setItemDelegate(new RowPainter(
        [](const QModelIndex& index, const Tokens& t) {
            RowPainter::Look look;
            const bool active = index.data(AlarmModel::ActiveRole).toBool();
            if (!active) {
                look.ink = t.muted;
            } else if (index.column() == AlarmModel::Priority) {
                const int rank = index.data(AlarmModel::PriorityRole).toInt();
                look.ink = rank == 0 ? t.high : rank == 1 ? t.medium : t.low;
                look.strong = true;
            }
            return look;
        },
        m_table));
    const int em = fontMetrics().height();
    m_table->setColumnWidth(AlarmModel::Priority, em * 6);
    m_table->setColumnWidth(AlarmModel::Since, em * 4);
    m_table->setColumnWidth(AlarmModel::Ack, em * 4);
    m_table->horizontalHeader()->setStretchLastSection(false);
    m_table->horizontalHeader()->setSectionResizeMode(AlarmModel::Cause, QHeaderView::Stretch);
    m_table->horizontalHeader()->setSectionResizeMode(AlarmModel::Response, QHeaderView::Stretch);
}

void AlarmPanel::makeControls(QHBoxLayout* top) {
    m_ack = new QPushButton(tr("Acknowledge"));
    m_ack->setAccessibleName(tr("Acknowledge the chosen alarm"));
    m_aside = new QPushButton(tr("Put aside…"));
    m_aside->setAccessibleName(tr("Put the chosen alarm aside"));
    m_aside->setCheckable(true);
    top->addWidget(m_ack);
    top->addWidget(m_aside);
    connect(m_ack, &QPushButton::clicked, this, [this] {
        const QModelIndex chosen = m_table->currentIndex();
        if (chosen.isValid()) {
            emit acknowledgeRequested(chosen.data(AlarmModel::IdRole).toString());
        }
    });
    connect(m_aside, &QPushButton::toggled, this, [this](bool open) {
        m_shelf->setVisible(open);
        if (open) {
            m_reason->setFocus(Qt::OtherFocusReason);
        }
    });
}

QWidget* AlarmPanel::makeShelf() {
    m_shelf = new QWidget;
    auto* row = new QHBoxLayout(m_shelf);
    row->setContentsMargins(0, 0, 0, 0);
    m_minutes = new QComboBox;
    m_minutes->setAccessibleName(tr("For how long"));
    for (const int minutes : {15, 30, 60, 120, 480}) {
        m_minutes->addItem(tr("%1 min").arg(minutes), minutes);
    }
    m_reason = new QLineEdit;
    m_reason->setAccessibleName(tr("Why the alarm is put aside"));
    m_reason->setPlaceholderText(tr("Reason (kept in the recording)"));
    m_reason->setMaxLength(500);
    m_shelve = new QPushButton(tr("Put aside"));
    m_shelve->setAccessibleName(tr("Put the alarm aside for that time"));
    row->addWidget(m_minutes);
    row->addWidget(m_reason, 1);
    row->addWidget(m_shelve);
    connect(m_shelve, &QPushButton::clicked, this, &AlarmPanel::shelve);
    connect(m_reason, &QLineEdit::returnPressed, this, &AlarmPanel::shelve);
    connect(m_reason, &QLineEdit::textChanged, this, &AlarmPanel::showButtons);
    m_shelf->hide();
    return m_shelf;
}

QString AlarmPanel::whyNotShelve() const {
    const QModelIndex chosen = m_table->currentIndex();
    return !chosen.isValid()                                    ? tr("Choose an alarm first.")
           : !chosen.data(AlarmModel::ActiveRole).toBool()      ? tr("That alarm asks for nothing now.")
           : m_reason->text().trimmed().isEmpty()               ? tr("Give a reason first.")
                                                                : QString();
}

void AlarmPanel::shelve() {
    if (!whyNotShelve().isEmpty()) {
        return;
    }
    emit shelveRequested(m_table->currentIndex().data(AlarmModel::IdRole).toString(), m_minutes->currentData().toInt(), m_reason->text().trimmed());
    m_reason->clear();
    m_aside->setChecked(false);
}

void AlarmPanel::update(const Snapshot& snapshot, const ViewTime& now) {
    m_model.update(snapshot.alarms, now.steadyUs);
    const int active = m_model.activeCount();
    m_heading->setText(active == 0 ? tr("ALARMS") : tr("ALARMS: %1 ACTIVE").arg(active));
    m_empty->setVisible(m_model.rowCount() == 0);
    m_table->setVisible(m_model.rowCount() > 0);
    showButtons();
}

void AlarmPanel::showButtons() {
    if (m_ack == nullptr) {
        return;
    }
    const QModelIndex chosen = m_table->currentIndex();
    const bool seen = chosen.isValid() && chosen.data(AlarmModel::SeenRole).toBool();
    const bool active = chosen.isValid() && chosen.data(AlarmModel::ActiveRole).toBool();
    m_ack->setVisible(m_model.rowCount() > 0);
    m_ack->setEnabled(active && !seen);
    m_ack->setToolTip(!chosen.isValid() ? tr("Choose an alarm first.")
                      : !active         ? tr("That alarm asks for nothing now.")
                      : seen            ? tr("Somebody has seen that alarm already.")
                                        : tr("Says under your name that the alarm was seen."));
    m_ack->setAccessibleDescription(m_ack->toolTip());
    m_aside->setVisible(m_model.rowCount() > 0);
    m_aside->setEnabled(active || m_aside->isChecked());
    m_aside->setToolTip(!chosen.isValid() ? tr("Choose an alarm first.") : !active ? tr("That alarm asks for nothing now.") : tr("For a while, with a reason; then it comes back by itself."));
    m_aside->setAccessibleDescription(m_aside->toolTip());
    const QString reason = whyNotShelve();
    m_shelve->setEnabled(reason.isEmpty());
    m_shelve->setToolTip(reason);
    m_shelve->setAccessibleDescription(reason);
}

} // namespace tealdeck
