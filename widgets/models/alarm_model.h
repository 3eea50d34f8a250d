// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/models/diff_model.h"

namespace tealdeck {

QString alarmMark(const std::string& priority); ///< "▲" high, "◆" medium, "●" low: shape and word, not colour alone

/// Alarms: those that stand first, then those put aside, then those that are over; high before low, newest first.
class AlarmModel final : public DiffModel {
    Q_OBJECT
  public:
    enum Column { Priority, Since, Cause, Response, Ack, ColumnCount };
    enum Role { PriorityRole = Qt::UserRole + 1, ActiveRole, IdRole, SeenRole }; ///< ActiveRole: asks for attention
    using DiffModel::DiffModel;

    void update(const std::vector<AlarmState>& alarms, std::int64_t nowUs);
    [[nodiscard]] int activeCount() const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    [[nodiscard]] QString text(const AlarmState& alarm, int column) const;
    std::vector<AlarmState> m_rows;
    std::int64_t m_nowUs = 0;
};

} // namespace tealdeck
