// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/alarms/alarm_panel.h"

#include "widgets/a11y/list_table.h"
#include "widgets/checklist/row_painter.h"
#include "widgets/theme/theme.h"

#include <QHeaderView>
#include <QHBoxLayout>
#include <QItemSelectionModel>
#include <QLabel>
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
    if (controls == Controls::Full) {
        m_ack = new QPushButton(tr("Acknowledge"));
        m_ack->setAccessibleName(tr("Acknowledge the chosen alarm"));
        top->addWidget(m_ack);
        connect(m_ack, &QPushButton::clicked, this, [this] {
            const QModelIndex chosen = m_table->currentIndex();
            if (chosen.isValid()) {
                emit acknowledgeRequested(chosen.data(AlarmModel::IdRole).toString());
            }
        });
        connect(m_table->selectionModel(), &QItemSelectionModel::currentChanged, this, [this] { showButton(); });
        showButton();
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

void AlarmPanel::update(const Snapshot& snapshot, const ViewTime& now) {
    m_model.update(snapshot.alarms, now.steadyUs);
    const int active = m_model.activeCount();
    m_heading->setText(active == 0 ? tr("ALARMS") : tr("ALARMS: %1 ACTIVE").arg(active));
    m_empty->setVisible(m_model.rowCount() == 0);
    m_table->setVisible(m_model.rowCount() > 0);
    showButton();
}

void AlarmPanel::showButton() {
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
}

} // namespace tealdeck
