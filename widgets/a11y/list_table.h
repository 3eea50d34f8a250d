// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QTableView>

namespace tealdeck {

/// The look and the keys that all lists share: whole rows, no grid, Tab leaves the table, Ctrl+C copies the rows as tab-separated text.
class ListTable final : public QTableView {
    Q_OBJECT
  public:
    explicit ListTable(const QString& accessibleName, QWidget* parent = nullptr);
    [[nodiscard]] QString selectedAsTsv() const;

  protected:
    void keyPressEvent(QKeyEvent* event) override;
};

} // namespace tealdeck
