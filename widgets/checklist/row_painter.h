// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QStyledItemDelegate>

#include <functional>

namespace tealdeck {

struct Tokens;

/// Draws a table's cells as plain text, in the colour that the owner decides for the row; normal rows stay neutral.
class RowPainter final : public QStyledItemDelegate {
    Q_OBJECT
  public:
    struct Look {
        QColor ink;          ///< invalid: the normal text colour
        bool strong = false;
        bool hatched = false; ///< stale or unknown
        QString second;       ///< a second, smaller line; only used where rows are tall enough
    };
    using Choose = std::function<Look(const QModelIndex&, const Tokens&)>;
    RowPainter(Choose choose, QObject* parent) : QStyledItemDelegate(parent), m_choose(std::move(choose)) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

  protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;

  private:
    void paintTwoLines(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Look& look) const;
    Choose m_choose;
};

} // namespace tealdeck
