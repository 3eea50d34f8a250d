// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QDialog>

class QAction;
class QKeySequenceEdit;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableWidget;

namespace tealdeck {

class ActionRegistry;

/// The cheat sheet, made from the acts themselves, and the place to change their keys. Never modal.
class KeysWindow final : public QDialog {
    Q_OBJECT
  public:
    /// `fixed` are lines "keys<TAB>what they do" of widgets whose keys are not to be changed.
    KeysWindow(ActionRegistry& registry, QStringList fixed, QWidget* parent);
    /// The whole sheet as tab-separated lines.
    [[nodiscard]] QString sheet() const;
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] QKeySequenceEdit* editor() const { return m_keys; }
    [[nodiscard]] QLabel* problem() const { return m_problem; }

  private:
    void fill();
    void filter(const QString& words);
    void showChosen();
    void take();
    [[nodiscard]] QAction* chosen() const;
    ActionRegistry& m_registry;
    QStringList m_fixed;
    QLineEdit* m_words;
    QTableWidget* m_table;
    QKeySequenceEdit* m_keys;
    QPushButton* m_default;
    QLabel* m_problem;
};

} // namespace tealdeck
