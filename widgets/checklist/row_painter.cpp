// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/checklist/row_painter.h"

#include "widgets/theme/paint.h"

#include <QPainter>

namespace tealdeck {

void RowPainter::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const Tokens& t = tokensFor(option.palette);
    QStyledItemDelegate::paint(painter, option, index);
    if (m_choose(index, t).hatched && !(option.state & QStyle::State_Selected)) {
        painter->save();
        painter->setOpacity(0.6);
        paintStaleHatch(*painter, option.rect, t);
        painter->restore();
    }
}

void RowPainter::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const {
    QStyledItemDelegate::initStyleOption(option, index);
    const Look look = m_choose(index, tokensFor(option->palette));
    option->font.setBold(look.strong);
    if (look.ink.isValid()) {
        option->palette.setColor(QPalette::Text, look.ink);
    }
}

} // namespace tealdeck
