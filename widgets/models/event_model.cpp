// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/event_model.h"

#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <algorithm>
#include <array>

namespace tealdeck {

EventGroup groupOf(const Event& event) {
    switch (event.kind) {
    case EventKind::Operator:
    case EventKind::Note:
    case EventKind::Prompt:
    case EventKind::Answer:
    case EventKind::SignOff: return EventGroup::Operator;
    case EventKind::Check: return EventGroup::Checks;
    case EventKind::Alarm: return EventGroup::Alarms;
    case EventKind::Topology:
    case EventKind::Traffic:
    case EventKind::Replication:
    case EventKind::Copy:
    case EventKind::Metrics:
    case EventKind::Seal: return EventGroup::Telemetry;
    case EventKind::Statement: return EventGroup::Statements;
    case EventKind::Gap:
    case EventKind::Recovered: return EventGroup::Trouble;
    case EventKind::Outcome: return member(event.body, "ok", true) ? EventGroup::Progress : EventGroup::Trouble;
    default: return EventGroup::Progress;
    }
}

EventModel::EventModel(QObject* parent, std::size_t limit) : QAbstractTableModel(parent), m_limit(limit) {}

bool EventModel::isRoutine(const Event& event) {
    switch (event.kind) {
    case EventKind::Statement: return true;
    case EventKind::Step: return member<std::string>(event.body, "state", "") != "failed"; // intent and outcome tell the same
    case EventKind::Check: {
        // The checklist is asked every few seconds: news is an answer that changed, or a first one that is not well.
        const auto id = member<std::string>(event.body, "id", "");
        const auto result = member<std::string>(event.body, "result", "");
        const std::string answer = result + member<std::string>(event.body, "override_by", "");
        const auto [known, first] = m_answers.try_emplace(id, answer);
        const bool routine = first ? result == "pass" : known->second == answer;
        known->second = answer;
        return id.empty() || routine;
    }
    default: return false;
    }
}

std::vector<EventModel::Row> EventModel::listed(std::span<const Event> events) {
    std::vector<Row> rows;
    for (const Event& e : events) {
        if (e.kind != EventKind::Metrics && e.kind != EventKind::Seal) {
            rows.push_back({e.seq, e.steadyUs, e.wallUs, e.kind, groupOf(e), isRoutine(e), safeText(e.actor), safeText(describe(e))});
        }
    }
    return rows;
}

void EventModel::clear() {
    beginResetModel();
    m_rows.clear();
    m_answers.clear();
    endResetModel();
}

void EventModel::append(std::span<const Event> events) {
    std::vector<Row> rows = listed(events);
    if (rows.empty()) {
        return;
    }
    const int first = rowCount();
    beginInsertRows({}, first, first + static_cast<int>(rows.size()) - 1);
    std::move(rows.begin(), rows.end(), std::back_inserter(m_rows));
    endInsertRows();
    dropOldest();
}

void EventModel::dropOldest() {
    if (m_rows.size() <= m_limit) {
        return;
    }
    const auto surplus = static_cast<std::ptrdiff_t>(m_rows.size() - m_limit);
    beginRemoveRows({}, 0, static_cast<int>(surplus) - 1);
    m_rows.erase(m_rows.begin(), m_rows.begin() + surplus);
    endRemoveRows();
}

int EventModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int EventModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant EventModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        switch (index.column()) {
        case Time: return formatUtcMillis(row.wallUs);
        case Kind: return QString::fromLatin1(eventKindName(row.kind));
        case Actor: return row.actor;
        case Text: return row.text;
        default: return {};
        }
    case Qt::ToolTipRole: return tooltipText(QStringLiteral("#%1 · %2 · %3\n%4").arg(row.seq).arg(formatPosition(row.steadyUs), row.actor, row.text));
    case SeqRole: return QVariant::fromValue<qulonglong>(row.seq);
    case SteadyRole: return QVariant::fromValue<qlonglong>(row.steadyUs);
    case GroupRole: return static_cast<int>(row.group);
    case RoutineRole: return row.routine;
    default: return {};
    }
}

QVariant EventModel::headerData(int section, Qt::Orientation orientation, int role) const {
    static const std::array<const char*, ColumnCount> names = {"UTC", "Kind", "Who", "What"};
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= ColumnCount) {
        return {};
    }
    return word(names[static_cast<std::size_t>(section)]);
}

} // namespace tealdeck
