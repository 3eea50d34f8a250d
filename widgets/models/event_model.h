// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/event.h"

#include <QAbstractTableModel>

#include <deque>
#include <map>
#include <span>
#include <string>

namespace tealdeck {

/// What people filter by.
/// Telemetry repeats every second: it is shown only when asked for.
enum class EventGroup { Main, Operator, Progress, Checks, Alarms, Statements, Trouble, Telemetry, All };
EventGroup groupOf(const Event& event);

/// The event list, oldest first, without the stream of metrics.
class EventModel final : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { Time, Kind, Actor, Text, ColumnCount };
    enum Role { SeqRole = Qt::UserRole + 1, SteadyRole, GroupRole, RoutineRole };
    explicit EventModel(QObject* parent = nullptr, std::size_t limit = 50'000);

    void clear();
    /// Beyond the limit the oldest rows go (the recording keeps them).
    void append(std::span<const Event> events);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    struct Row {
        std::uint64_t seq;
        std::int64_t steadyUs;
        std::int64_t wallUs;
        EventKind kind;
        EventGroup group;
        bool routine; ///< says nothing new: not in the main list
        QString actor;
        QString text;
    };
    std::vector<Row> listed(std::span<const Event> events);
    bool isRoutine(const Event& event);
    void dropOldest();
    std::size_t m_limit;
    std::deque<Row> m_rows;
    std::map<std::string, std::string> m_answers; ///< of the checks, as far as listed
};

} // namespace tealdeck
