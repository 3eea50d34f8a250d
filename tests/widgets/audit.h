// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <gtest/gtest.h>

namespace tealdeck::test {

/// Whoever can have the focus has a name for the screen reader, and labels obey no markup.
inline void auditNames(QWidget& root) {
    for (QWidget* widget : root.findChildren<QWidget*>()) {
        const bool internal = widget->objectName().startsWith("qt_") || qobject_cast<QMenuBar*>(widget) != nullptr;
        const bool partOfAnother = widget->parentWidget()->inherits("QComboBoxPrivateContainer") || qobject_cast<QComboBox*>(widget->parentWidget()) != nullptr || qobject_cast<QLabel*>(widget) != nullptr;
        if (widget->focusPolicy() == Qt::NoFocus || internal || partOfAnother || widget->isWindow()) {
            continue;
        }
        EXPECT_FALSE(widget->accessibleName().isEmpty()) << widget->metaObject()->className() << ' ' << widget->objectName().toStdString() << " in "
                                                         << widget->parentWidget()->metaObject()->className();
    }
    for (const QLabel* label : root.findChildren<QLabel*>()) {
        EXPECT_EQ(label->textFormat(), Qt::PlainText) << label->text().toStdString();
    }
}

} // namespace tealdeck::test
