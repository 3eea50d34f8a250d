// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/alarm_model.h"

#include "widgets/models/row_diff.h"
#include "widgets/theme/format.h"
#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <array>

namespace tealdeck {
namespace {

int rank(const std::string& priority) { return priority == "high" ? 0 : priority == "medium" ? 1 : 2; }

} // namespace

QString alarmMark(const std::string& priority) {
    static const std::array<QString, 3> marks = {QStringLiteral("▲"), QStringLiteral("◆"), QStringLiteral("●")};
    return marks[static_cast<std::size_t>(rank(priority))];
}

void AlarmModel::update(const std::vector<AlarmState>& alarms, std::int64_t nowUs) {
    m_nowUs = nowUs;
    std::vector<AlarmState> wanted = alarms;
    std::stable_sort(wanted.begin(), wanted.end(), [nowUs](const AlarmState& a, const AlarmState& b) {
        return std::tuple(!a.active, isShelved(a, nowUs), rank(a.priority), -a.sinceUs, a.id) <
               std::tuple(!b.active, isShelved(b, nowUs), rank(b.priority), -b.sinceUs, b.id);
    });
    const auto same = [](const AlarmState& a, const AlarmState& b) { return toJson(a) == toJson(b); };
    diffRows(m_rows, std::move(wanted), [](const AlarmState& a) { return a.id; }, same, *this);
    if (!m_rows.empty()) {
        emit dataChanged(index(0, Since), index(rowCount() - 1, Since), {Qt::DisplayRole});
    }
}

int AlarmModel::activeCount() const {
    return static_cast<int>(std::count_if(m_rows.begin(), m_rows.end(), [this](const AlarmState& a) { return a.active && !isShelved(a, m_nowUs); }));
}

int AlarmModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int AlarmModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString AlarmModel::text(const AlarmState& alarm, int column) const {
    switch (column) {
    case Priority: return alarm.active ? alarmMark(alarm.priority) + QLatin1Char(' ') + word(alarm.priority == "high" ? "HIGH" : alarm.priority == "medium" ? "MEDIUM" : "LOW") : QStringLiteral("✓ ") + word("over");
    case Since: return formatAge(m_nowUs - alarm.sinceUs);
    case Cause: return safeText(alarm.cause);
    case Response: return safeText(alarm.response);
    case Ack:
        if (isShelved(alarm, m_nowUs)) {
            return word("aside, %1 min").arg((alarm.shelvedUntilUs - m_nowUs + 59'999'999) / 60'000'000);
        }
        return alarm.acknowledgedBy.empty() ? QStringLiteral("–") : safeText(alarm.acknowledgedBy);
    default: return {};
    }
}

QVariant AlarmModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const AlarmState& alarm = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole: return text(alarm, index.column());
    case Qt::ToolTipRole: return tooltipText(text(alarm, index.column()));
    case PriorityRole: return rank(alarm.priority);
    case ActiveRole: return alarm.active && !isShelved(alarm, m_nowUs);
    case IdRole: return QString::fromStdString(alarm.id);
    case SeenRole: return !alarm.acknowledgedBy.empty();
    default: return {};
    }
}

QVariant AlarmModel::headerData(int section, Qt::Orientation orientation, int role) const {
    static const std::array<const char*, ColumnCount> names = {"Priority", "Since", "Cause", "Required response", "Ack"};
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= ColumnCount) {
        return {};
    }
    return word(names[static_cast<std::size_t>(section)]);
}

} // namespace tealdeck
