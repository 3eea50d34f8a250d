// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;

namespace tealdeck {

class CtlProcess;

/// Starts the practice lab as a child process with progress and cancel, then hands its plan over. What a cancelled start left is removed.
class LabRunner final : public QWidget {
    Q_OBJECT
  public:
    explicit LabRunner(QWidget* parent = nullptr);
    /// Another tealctl than the installed one: for tests.
    void setProgram(const QString& program) { m_program = program; }
    [[nodiscard]] QLineEdit* folder() const { return m_folder; }
    [[nodiscard]] QPushButton* startButton() const { return m_start; }
    [[nodiscard]] QPushButton* cancelButton() const { return m_cancel; }
    [[nodiscard]] QString said() const;

  signals:
    void ready(const QString& plan, const QString& folder);

  private:
    enum class Work { None, Up, Down };
    void start();
    void cancel();
    void take(const Json& answer, const QString& problem);
    void tell(const QString& text);
    void refresh();
    QString m_program;
    CtlProcess* m_process;
    Work m_work = Work::None;
    bool m_ours = false; ///< the folder was not there before: it may be removed
    QLineEdit* m_folder;
    QPushButton* m_start;
    QPushButton* m_cancel;
    QProgressBar* m_busy;
    QLabel* m_said;
};

} // namespace tealdeck
