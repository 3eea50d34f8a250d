// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/models/diff_model.h"

namespace tealdeck {

/// How a check stands at a moment; the order is the order of the list: what blocks comes first.
enum class CheckStanding { Fails, Unknown, Stale, Warns, Overridden, Passes };

CheckStanding standingOf(const CheckState& check, std::int64_t nowUs);
QString standingWord(CheckStanding standing); ///< "FAILS", "UNKNOWN", "STALE", "warns", "overridden", "ok"
QString standingMark(CheckStanding standing); ///< a shape that differs for each: colour is never alone
/// The question with what it is asked of: "blue/shop: Are there large objects?"
QString questionOf(const CheckState& check);
bool standsInTheWay(CheckStanding standing);

/// The checklist: what blocks first, then by family and id.
class CheckModel final : public DiffModel {
    Q_OBJECT
  public:
    enum Column { State, Question, Expected, Actual, Age, Who, ColumnCount };
    enum Role { StandingRole = Qt::UserRole + 1, IdRole };
    using DiffModel::DiffModel;

    /// Takes the checks of a snapshot. Rows move only when a standing changes, not when ages do.
    void update(const std::vector<CheckState>& checks, std::int64_t nowUs);
    /// nullptr for a row that is not there.
    [[nodiscard]] const CheckState* check(int row) const;
    /// -1 when there is none with this id.
    [[nodiscard]] int rowOf(const std::string& id) const;
    /// "3 in the way, 1 warns, 20 ok"
    [[nodiscard]] QString summary() const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    struct Row {
        CheckState check;
        CheckStanding standing;
    };
    [[nodiscard]] QString text(const Row& row, int column) const;
    std::vector<Row> m_rows;
    std::int64_t m_nowUs = 0;
};

} // namespace tealdeck
