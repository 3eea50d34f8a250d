// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QFrame>
#include <QPointer>

class QAction;
class QLineEdit;
class QListWidget;

namespace tealdeck {

class ActionRegistry;

/// Every act of the window by a few letters of its name. Not modal: a click elsewhere or Esc closes it. It never arms nor holds: acts that
/// need a confirmation only bring the focus there.
class CommandPalette final : public QFrame {
    Q_OBJECT
  public:
    CommandPalette(ActionRegistry& registry, QWidget* window);
    void open();
    [[nodiscard]] QLineEdit* entry() const { return m_entry; }
    [[nodiscard]] QListWidget* list() const { return m_list; }

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void showMatches();
    void run();
    void leave();
    ActionRegistry& m_registry;
    QLineEdit* m_entry;
    QListWidget* m_list;
    QPointer<QWidget> m_before; ///< who had the focus
};

} // namespace tealdeck
