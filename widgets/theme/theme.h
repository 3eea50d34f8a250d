// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/theme/tokens.h"

#include <QFont>
#include <QString>

class QApplication;
class QLabel;
class QWidget;

namespace tealdeck {

/// Palette, style and the small style sheet for the whole program. `zoom` scales the font (1 = 10 pt).
void applyTheme(QApplication& application, ThemeName theme, double zoom = 1.0);

/// A font of the widget's own size times the factor; custom painting must follow the zoom.
QFont scaledFont(const QFont& base, double factor, int weight = QFont::Normal);

/// A label that never reads its text as HTML: names come from servers.
QLabel* plainLabel(const QString& text, QWidget* parent = nullptr);
/// A small heading in capitals over a panel.
QLabel* headingLabel(const QString& text, QWidget* parent = nullptr);

/// Plain text from outside, safe in tooltips (which guess at HTML) and one-line cells: controls and bidi overrides become visible.
QString safeText(const std::string& utf8);
/// Wraps plain text so that a tooltip shows it literally.
QString tooltipText(const QString& plain);

} // namespace tealdeck
