// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/theme/tokens.h"

#include <QRectF>
#include <QString>

class QPainter;

namespace tealdeck {

/// Blue hatches rise to the right, green ones fall: told apart without any colour.
Qt::BrushStyle envHatch(Env env);
QString envLetter(Env env); ///< "B", "G"
QString envName(Env env);   ///< "BLUE", "GREEN"

/// The identity badge: a filled square with the letter and a hatched edge.
void paintEnvBadge(QPainter& painter, const QRectF& box, Env env, const Tokens& t);
/// Wide diagonal stripes over a value that is stale or unknown; the text below stays readable.
void paintStaleHatch(QPainter& painter, const QRectF& box, const Tokens& t);
/// A straight arrow with a filled head at `to`.
void paintArrow(QPainter& painter, const QPointF& from, const QPointF& to, double head = 7);
/// One line, elided at the right when it does not fit.
void paintElided(QPainter& painter, const QRectF& box, int flags, const QString& text);

} // namespace tealdeck
