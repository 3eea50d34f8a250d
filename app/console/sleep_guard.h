// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QProcess>

namespace tealdeck {

/// Keeps the machine awake while a live session runs: through systemd-inhibit, which holds logind's lock as long as it runs. Without that
/// program nothing happens; the upgrade itself does not depend on it, because the engine runs elsewhere or goes on after a sleep.
class SleepGuard final : public QObject {
    Q_OBJECT
  public:
    explicit SleepGuard(QObject* parent = nullptr);
    ~SleepGuard() override;
    void setAwake(bool awake);
    /// Another program than systemd-inhibit: for tests.
    void setProgram(const QString& program) { m_program = program; }
    [[nodiscard]] bool awake() const { return m_process.state() != QProcess::NotRunning; }

  private:
    QString m_program;
    QProcess m_process;
    bool m_tried = false; ///< a desktop that refuses once refuses always
};

} // namespace tealdeck
