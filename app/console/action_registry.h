// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QAction>
#include <QKeySequence>
#include <QObject>

#include <functional>
#include <vector>

class QMenu;
class QSettings;

namespace tealdeck {

/// Every act of a window, once: id, text, keys. Menus, command palette, shortcuts editor and cheat sheet are made from it.
class ActionRegistry final : public QObject {
    Q_OBJECT
  public:
    /// `settings` keeps the operator's own keys; nullptr: only the defaults. Must outlive this.
    ActionRegistry(QWidget* window, QSettings* settings);

    struct Act {
        const char* id;           ///< "view.zoom-in": kept in settings, never translated
        QString text;             ///< as in the menu, with its mnemonic
        QList<QKeySequence> keys; ///< the defaults
        std::function<void()> run;
        std::function<QString()> whyNot = {}; ///< why it can't be done now; empty: it can
    };
    QAction* add(QMenu* menu, Act act);

    /// Asks every act whether it can be done now; disabled ones tell why in their tooltip.
    void refresh();
    [[nodiscard]] const std::vector<QAction*>& actions() const { return m_actions; }
    [[nodiscard]] QAction* find(const QString& id) const; ///< nullptr: none
    [[nodiscard]] QList<QKeySequence> defaults(const QAction* action) const;

    /// Why the act may not have these keys: another has them or their beginning, or they are needed for holding, leaving and walking.
    /// Empty: it may.
    [[nodiscard]] QString conflict(const QAction* action, const QKeySequence& keys) const;
    /// Gives the act these keys (empty: none) and keeps them. Returns the conflict, and changes nothing when there is one.
    QString setKeys(QAction* action, const QKeySequence& keys);
    void resetKeys(QAction* action);

  signals:
    void keysChanged();

  private:
    void keep(QAction* action);
    QWidget* m_window;
    QSettings* m_settings;
    std::vector<QAction*> m_actions;
    std::vector<std::pair<QAction*, std::function<QString()>>> m_reasons;
};

/// "Larger text": without the mnemonic.
QString plainActionText(const QAction* action);
/// "View": the menu that holds it.
QString actionMenu(const QAction* action);
/// "Ctrl++, Ctrl+=" as this desktop writes keys.
QString actionKeys(const QAction* action);

} // namespace tealdeck
