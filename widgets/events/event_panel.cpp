// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/events/event_panel.h"

#include "widgets/a11y/list_table.h"
#include "widgets/checklist/row_painter.h"
#include "widgets/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace tealdeck {

void EventFilter::setGroup(EventGroup group) {
    m_group = group;
    invalidateFilter();
}

void EventFilter::setWords(const QString& words) {
    m_words = words.split(' ', Qt::SkipEmptyParts);
    invalidateFilter();
}

bool EventFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
    const QModelIndex index = sourceModel()->index(row, 0, parent);
    const auto group = static_cast<EventGroup>(index.data(EventModel::GroupRole).toInt());
    const bool wanted = m_group == EventGroup::All || (m_group == EventGroup::Main ? group != EventGroup::Telemetry && !index.data(EventModel::RoutineRole).toBool() : group == m_group);
    if (!wanted) {
        return false;
    }
    return std::all_of(m_words.begin(), m_words.end(), [&](const QString& word) {
        for (int column = EventModel::Kind; column < EventModel::ColumnCount; ++column) {
            if (index.siblingAtColumn(column).data().toString().contains(word, Qt::CaseInsensitive)) {
                return true;
            }
        }
        return false;
    });
}

EventPanel::EventPanel(EventModel* model, Controls controls, QWidget* parent) : QFrame(parent) {
    setProperty("panel", true);
    m_filter.setSourceModel(model);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(spacing::SMALL, spacing::TINY, spacing::TINY, spacing::TINY);
    layout->setSpacing(spacing::TINY);
    makeFilter();
    makeTable();
    if (controls == Controls::Notes) {
        makeNotes();
    }
}

void EventPanel::makeFilter() {
    auto* row = new QHBoxLayout;
    row->addWidget(headingLabel(tr("EVENTS")));
    row->addStretch(1);
    m_group = new QComboBox;
    m_group->setAccessibleName(tr("Kind of events"));
    m_group->addItems({tr("Main"), tr("Operator"), tr("Progress"), tr("Checks"), tr("Alarms"), tr("Statements"), tr("Trouble"), tr("Telemetry"), tr("All")});
    connect(m_group, &QComboBox::currentIndexChanged, this, [this](int index) { m_filter.setGroup(static_cast<EventGroup>(index)); });
    m_words = new QLineEdit;
    m_words->setAccessibleName(tr("Words that the events must contain"));
    m_words->setPlaceholderText(tr("Filter"));
    m_words->setClearButtonEnabled(true);
    m_words->setMaximumWidth(220);
    connect(m_words, &QLineEdit::textChanged, &m_filter, &EventFilter::setWords);
    row->addWidget(m_group);
    row->addWidget(m_words);
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
}

void EventPanel::makeTable() {
    m_table = new ListTable(tr("Events"));
    m_table->setObjectName(QStringLiteral("eventTable"));
    m_table->setModel(&m_filter);
    m_table->horizontalHeader()->hide();
    m_table->setItemDelegate(new RowPainter(
        [](const QModelIndex& index, const Tokens& t) {
            RowPainter::Look look;
            const auto group = static_cast<EventGroup>(index.data(EventModel::GroupRole).toInt());
            look.strong = group == EventGroup::Operator && index.column() == EventModel::Text;
            look.ink = index.column() != EventModel::Text ? t.muted : group == EventGroup::Trouble ? t.high : QColor();
            return look;
        },
        m_table));
    const int em = fontMetrics().height();
    m_table->setColumnWidth(EventModel::Time, fontMetrics().horizontalAdvance(QStringLiteral("00:00:00.000")) + em);
    m_table->setColumnWidth(EventModel::Kind, em * 6);
    m_table->setColumnWidth(EventModel::Actor, em * 5);
    m_table->verticalHeader()->setDefaultSectionSize(em + 4);
    connect(m_table, &QTableView::activated, this, [this](const QModelIndex& index) { emit momentChosen(index.data(EventModel::SteadyRole).toLongLong()); });
    // Whoever scrolled up wants to read: only who is at the end follows it.
    connect(&m_filter, &QAbstractItemModel::rowsAboutToBeInserted, this, [this] {
        const QScrollBar* bar = m_table->verticalScrollBar();
        m_follow = m_follow || bar->value() >= bar->maximum() - 1;
    });
    connect(&m_filter, &QAbstractItemModel::rowsInserted, this, [this] {
        if (m_follow) {
            QMetaObject::invokeMethod(
                this,
                [this] {
                    m_table->scrollToBottom();
                    m_follow = false;
                },
                Qt::QueuedConnection);
        }
    });
    static_cast<QVBoxLayout*>(layout())->addWidget(m_table, 1);
}

void EventPanel::makeNotes() {
    auto* row = new QHBoxLayout;
    m_note = new QLineEdit;
    m_note->setAccessibleName(tr("Note for the record"));
    m_note->setPlaceholderText(tr("Write a note into the record and press Enter"));
    m_note->setMaxLength(2000);
    auto* add = new QPushButton(tr("Add note"));
    add->setAccessibleName(tr("Add the note to the record"));
    const auto write = [this] {
        if (!m_note->text().trimmed().isEmpty()) {
            emit noteWritten(m_note->text().trimmed());
            m_note->clear();
        }
    };
    connect(m_note, &QLineEdit::returnPressed, this, write);
    connect(add, &QPushButton::clicked, this, write);
    row->addWidget(m_note, 1);
    row->addWidget(add);
    static_cast<QVBoxLayout*>(layout())->addLayout(row);
}

void EventPanel::focusFilter() { m_words->setFocus(Qt::ShortcutFocusReason); }

} // namespace tealdeck
