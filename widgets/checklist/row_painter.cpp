// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/checklist/row_painter.h"

#include "widgets/theme/paint.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QPainter>

namespace tealdeck {

void RowPainter::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const Tokens& t = tokensFor(option.palette);
    const Look look = m_choose(index, t);
    const double line = QFontMetricsF(option.font).height();
    if (!look.second.isEmpty() && option.rect.height() > line * 1.9) {
        paintTwoLines(painter, option, index, look);
    } else {
        QStyledItemDelegate::paint(painter, option, index);
    }
    if (look.hatched && !(option.state & QStyle::State_Selected)) {
        painter->save();
        painter->setOpacity(0.6);
        paintStaleHatch(*painter, option.rect, t);
        painter->restore();
    }
}

void RowPainter::paintTwoLines(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index, const Look& look) const {
    const Tokens& t = tokensFor(option.palette);
    QStyleOptionViewItem styled = option;
    initStyleOption(&styled, index);
    const QString first = styled.text;
    styled.text.clear();
    const QStyle* style = option.widget != nullptr ? option.widget->style() : QApplication::style();
    style->drawControl(QStyle::CE_ItemViewItem, &styled, painter, option.widget);
    const bool selected = option.state & QStyle::State_Selected;
    const QRectF inner = QRectF(option.rect).adjusted(4, 2, -4, -2);
    painter->save();
    painter->setFont(styled.font);
    painter->setPen(selected ? t.onSelection : styled.palette.color(QPalette::Text));
    paintElided(*painter, QRectF(inner.left(), inner.top(), inner.width(), inner.height() / 2), Qt::AlignLeft | Qt::AlignVCenter, first);
    painter->setFont(scaledFont(option.font, 0.88));
    painter->setPen(selected ? t.onSelection : t.muted);
    paintElided(*painter, QRectF(inner.left(), inner.center().y(), inner.width(), inner.height() / 2), Qt::AlignLeft | Qt::AlignVCenter, look.second);
    painter->restore();
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
