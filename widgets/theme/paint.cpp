// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/paint.h"

#include <QLineF>
#include <QPainter>

#include <cmath>

namespace tealdeck {

Qt::BrushStyle envHatch(Env env) { return env == Env::Blue ? Qt::BDiagPattern : Qt::FDiagPattern; }

QString envLetter(Env env) { return env == Env::Blue ? QStringLiteral("B") : QStringLiteral("G"); }

QString envName(Env env) { return env == Env::Blue ? QStringLiteral("BLUE") : QStringLiteral("GREEN"); }

void paintEnvBadge(QPainter& painter, const QRectF& box, Env env, const Tokens& t) {
    painter.save();
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.env(env));
    painter.drawRoundedRect(box, 3, 3);
    const QRectF edge(box.left(), box.bottom() - box.height() * 0.22, box.width(), box.height() * 0.22);
    QColor stripes = t.surface;
    painter.setBrush(QBrush(stripes, envHatch(env)));
    painter.drawRect(edge);
    QFont font = painter.font();
    font.setBold(true);
    font.setPixelSize(std::max(9, static_cast<int>(box.height() * 0.66)));
    painter.setFont(font);
    painter.setPen(t.surface);
    painter.drawText(box.adjusted(0, -box.height() * 0.12, 0, -box.height() * 0.12), Qt::AlignCenter, envLetter(env));
    painter.restore();
}

void paintStaleHatch(QPainter& painter, const QRectF& box, const Tokens& t) {
    painter.save();
    painter.setClipRect(box, Qt::IntersectClip);
    QColor colour = t.hatch;
    colour.setAlphaF(0.55F);
    painter.setPen(QPen(colour, 1));
    for (double x = box.left() - box.height(); x < box.right(); x += 8) {
        painter.drawLine(QPointF(x, box.bottom()), QPointF(x + box.height(), box.top()));
    }
    painter.restore();
}

void paintArrow(QPainter& painter, const QPointF& from, const QPointF& to, double head) {
    const QLineF line(from, to);
    if (line.length() < 0.5) {
        return;
    }
    const QPointF along = (to - from) / line.length();
    const QPointF across(-along.y(), along.x());
    const QPointF neck = to - along * head;
    painter.drawLine(from, neck);
    painter.save();
    painter.setBrush(painter.pen().color());
    painter.setPen(Qt::NoPen);
    painter.drawPolygon(QPolygonF({to, neck + across * head * 0.55, neck - across * head * 0.55}));
    painter.restore();
}

void paintElided(QPainter& painter, const QRectF& box, int flags, const QString& text) {
    painter.drawText(box, flags | Qt::TextSingleLine, painter.fontMetrics().elidedText(text, Qt::ElideRight, static_cast<int>(std::floor(box.width()))));
}

} // namespace tealdeck
