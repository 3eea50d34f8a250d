// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QLabel>
#include <QStyleFactory>

namespace tealdeck {
namespace {

QString styleSheet(const Tokens& t) {
    QString css = QStringLiteral(R"(
QToolTip { color: @text; background: @raised; border: 1px solid @mark; padding: 4px; }
QFrame[panel="true"] { background: @surface; border: 1px solid @line; border-radius: 4px; }
QLabel[heading="true"] { color: @muted; font-weight: 600; letter-spacing: 0.5px; }
QLabel[muted="true"] { color: @muted; }
QPushButton { background: @raised; color: @text; border: 1px solid @mark; border-radius: 4px; padding: 4px 10px; }
QPushButton:hover { border-color: @text; }
QPushButton:pressed, QPushButton:checked { background: @selection; color: @onSelection; }
QPushButton:disabled { color: @muted; border: 1px dashed @line; background: @window; }
QPushButton:focus, QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus { border: 2px solid @focus; }
QPushButton[primary="true"]:enabled { background: @selection; color: @onSelection; font-weight: 600; border-color: @selection; }
QLineEdit, QComboBox, QPlainTextEdit { background: @surface; color: @text; border: 1px solid @mark; border-radius: 4px; padding: 3px 6px; }
QLineEdit:disabled { color: @muted; border: 1px dashed @line; }
QTableView, QTreeView, QListView { background: @surface; alternate-background-color: @window; border: none; gridline-color: @line; }
QHeaderView::section { background: @surface; color: @muted; border: none; border-bottom: 1px solid @line; padding: 3px 6px; }
QTabBar::tab { background: @window; color: @muted; border: 1px solid @line; padding: 4px 10px; }
QTabBar::tab:selected { background: @surface; color: @text; }
QSplitter::handle { background: @window; }
QMenuBar { background: @window; } QMenuBar::item:selected { background: @raised; }
QMenu { background: @surface; border: 1px solid @mark; } QMenu::item:selected { background: @selection; color: @onSelection; }
QMenu::item:disabled { color: @muted; }
QScrollArea { border: none; background: transparent; }
)");
    const std::pair<const char*, QColor> names[] = {
        {"@onSelection", t.onSelection}, {"@selection", t.selection}, {"@surface", t.surface}, {"@raised", t.raised}, {"@window", t.window},
        {"@muted", t.muted},             {"@focus", t.focus},         {"@line", t.line},       {"@mark", t.mark},     {"@text", t.text}};
    for (const auto& [name, colour] : names) {
        css.replace(QLatin1String(name), colour.name());
    }
    return css;
}

} // namespace

void applyTheme(QApplication& application, ThemeName theme, double zoom) {
    application.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    QFont font(QStringList{QStringLiteral("Inter"), QStringLiteral("DejaVu Sans"), QStringLiteral("sans-serif")}, -1);
    font.setPointSizeF(9.75 * zoom);
    application.setFont(font);
    application.setPalette(paletteFor(theme));
    application.setStyleSheet(styleSheet(tokens(theme)));
}

QFont scaledFont(const QFont& base, double factor, int weight) {
    QFont font = base;
    if (base.pointSizeF() > 0) {
        font.setPointSizeF(base.pointSizeF() * factor);
    } else {
        font.setPixelSize(qRound(base.pixelSize() * factor));
    }
    font.setWeight(static_cast<QFont::Weight>(weight));
    return font;
}

QLabel* plainLabel(const QString& text, QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setText(text);
    return label;
}

QLabel* headingLabel(const QString& text, QWidget* parent) {
    QLabel* label = plainLabel(text, parent);
    label->setProperty("heading", true);
    return label;
}

QString safeText(const std::string& utf8) {
    QString text = QString::fromStdString(utf8);
    for (QChar& c : text) {
        const ushort u = c.unicode();
        const bool bidi = (u >= 0x202A && u <= 0x202E) || (u >= 0x2066 && u <= 0x2069) || u == 0x200E || u == 0x200F;
        if (u == '\n' || u == '\t') {
            c = QChar(0x23CE); // shown, not obeyed
        } else if (u < 0x20 || u == 0x7F || bidi) {
            c = QChar(0xFFFD);
        }
    }
    return text;
}

QString tooltipText(const QString& plain) { return QStringLiteral("<span>%1</span>").arg(plain.toHtmlEscaped().replace('\n', QLatin1String("<br>"))); }

} // namespace tealdeck
