// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>

#include <gtest/gtest.h>
#include <set>

namespace tealdeck::test {

/// In each menu every letter leads to one entry.
inline void expectDistinctMnemonics(const QMainWindow& window) {
    const auto look = [](const QList<QAction*>& actions, const std::string& where) {
        std::set<QChar> letters;
        for (const QAction* action : actions) {
            const QString text = QString(action->text()).remove(QStringLiteral("&&"));
            if (const auto at = text.indexOf('&'); at >= 0 && at + 1 < text.size()) {
                EXPECT_TRUE(letters.insert(text[at + 1].toLower()).second) << where << ": " << text.toStdString();
            }
        }
    };
    look(window.menuBar()->actions(), "menu bar");
    for (const QMenu* menu : window.menuBar()->findChildren<QMenu*>()) {
        look(menu->actions(), menu->title().toStdString());
    }
}

} // namespace tealdeck::test
