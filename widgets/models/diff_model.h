// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAbstractTableModel>

namespace tealdeck {

/// A table whose rows change one by one, as diffRows() asks.
class DiffModel : public QAbstractTableModel {
  public:
    using QAbstractTableModel::QAbstractTableModel;

    template <class Act>
    void diffRemove(int row, Act act) {
        beginRemoveRows({}, row, row);
        act();
        endRemoveRows();
    }
    template <class Act>
    void diffInsert(int row, Act act) {
        beginInsertRows({}, row, row);
        act();
        endInsertRows();
    }
    template <class Act>
    void diffMove(int from, int to, Act act) {
        beginMoveRows({}, from, from, {}, to); // always upwards: rows before `to` are final
        act();
        endMoveRows();
    }
    void diffChanged(int row) { emit dataChanged(index(row, 0), index(row, columnCount({}) - 1)); }
};

} // namespace tealdeck
