// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QPushButton;
class QTimer;

namespace tealdeck {

/// A plan as text with live validation: each problem with its line, key and remedy; a click on it goes there.
class PlanEditor final : public QWidget {
    Q_OBJECT
  public:
    explicit PlanEditor(QWidget* parent = nullptr);
    void setText(const QString& text, const QString& file);
    [[nodiscard]] QString text() const;
    [[nodiscard]] QString file() const { return m_file; }
    [[nodiscard]] bool valid() const { return m_problem.isEmpty(); }
    [[nodiscard]] bool changed() const { return m_saved != text(); }
    [[nodiscard]] QString problem() const { return m_problem; } ///< empty: it is a plan
    [[nodiscard]] QPlainTextEdit* entry() const { return m_text; }
    /// Writes the file; the reason when it cannot.
    QString saveAs(const QString& file);

  signals:
    void saved(const QString& file);
    void openWanted(const QString& file); ///< the saved plan is to be opened in a window

  private:
    void check();
    void save(bool askForName);
    QPlainTextEdit* m_text;
    QLabel* m_status;
    QPushButton* m_goTo;
    QPushButton* m_save;
    QPushButton* m_open;
    QTimer* m_later;
    QString m_file;
    QString m_saved;
    QString m_problem;
    int m_line = 0;
    bool m_openAfterwards = false;
};

} // namespace tealdeck
