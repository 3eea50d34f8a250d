// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/a11y/table_text.h"

#include <QTableView>

namespace tealdeck {

/// The look and the keys that all lists share: whole rows, no grid, Tab leaves the table, Ctrl+C and the context menu
/// copy the chosen rows.
class ListTable final : public QTableView {
    Q_OBJECT
  public:
    explicit ListTable(const QString& accessibleName, QWidget* parent = nullptr);
    /// The chosen rows; all when none is chosen.
    [[nodiscard]] QString asText(TableForm form) const;
    void copy(TableForm form) const;

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
};

} // namespace tealdeck
