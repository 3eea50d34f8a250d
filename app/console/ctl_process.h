// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/util/json.h"

#include <QObject>
#include <QProcess>
#include <QStringList>

namespace tealdeck {

/// One call of tealctl as a child process that answers with a JSON object on standard output; lines on standard error are progress.
/// Never waits. Ends its child when it is destroyed.
class CtlProcess final : public QObject {
    Q_OBJECT
  public:
    explicit CtlProcess(QObject* parent = nullptr);
    ~CtlProcess() override;
    /// `program` empty: tealctl beside this program, or in PATH.
    void start(const QStringList& arguments, const QString& program = {});
    /// Asks it to end (SIGTERM); finished() follows.
    void cancel();
    [[nodiscard]] bool running() const { return m_process.state() != QProcess::NotRunning; }

  signals:
    void progress(const QString& line);
    /// `problem` is empty when it ended with 0; `answer` is the object when there is one, also beside a problem.
    void finished(const Json& answer, const QString& problem);

  private:
    void readProgress(bool all);
    void end(int code, QProcess::ExitStatus status);
    QProcess m_process;
    QByteArray m_errors; ///< not yet a whole line
    QString m_lastLine;
    bool m_cancelled = false;
};

} // namespace tealdeck
