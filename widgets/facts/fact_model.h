// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/models/diff_model.h"

#include <QStringList>

#include <string>
#include <vector>

namespace tealdeck {

/// One line of facts: what, and its cells. The key stays the same while the line means the same.
struct Fact {
    std::string key;
    QStringList cells;
    bool stale = false;  ///< too old or unknown: drawn hatched
    bool strong = false; ///< asks for attention
};

/// A small table of facts that change while it is looked at.
class FactModel final : public DiffModel {
    Q_OBJECT
  public:
    enum Role { StaleRole = Qt::UserRole + 1, StrongRole };
    explicit FactModel(QStringList headers, QObject* parent = nullptr) : DiffModel(parent), m_headers(std::move(headers)) {}
    void update(std::vector<Fact> facts);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    QStringList m_headers;
    std::vector<Fact> m_rows;
};

} // namespace tealdeck
