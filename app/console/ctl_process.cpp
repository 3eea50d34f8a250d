// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/ctl_process.h"

#include "widgets/theme/theme.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

namespace tealdeck {
namespace {

QString findCtl() {
    const QString beside = QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("tealctl"));
    return QFileInfo(beside).isExecutable() ? beside : QStandardPaths::findExecutable(QStringLiteral("tealctl"));
}

} // namespace

CtlProcess::CtlProcess(QObject* parent) : QObject(parent) {
    connect(&m_process, &QProcess::readyReadStandardError, this, [this] { readProgress(false); });
    connect(&m_process, &QProcess::finished, this, &CtlProcess::end);
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            emit finished(Json::object(), tr("%1 could not be started: %2").arg(m_process.program(), m_process.errorString()));
        }
    });
}

CtlProcess::~CtlProcess() {
    m_process.disconnect(this);
    if (running()) {
        m_process.terminate();
        m_process.waitForFinished(2000); // only when a window is torn down in the middle of it
    }
}

void CtlProcess::start(const QStringList& arguments, const QString& program) {
    const QString ctl = program.isEmpty() ? findCtl() : program;
    if (ctl.isEmpty()) {
        emit finished(Json::object(),
                      tr("The program tealctl is missing: neither beside this program nor in PATH. Install Tealdeck as a whole."));
        return;
    }
    m_errors.clear();
    m_lastLine.clear();
    m_cancelled = false;
    m_process.start(ctl, arguments);
    m_process.closeWriteChannel();
}

void CtlProcess::cancel() {
    m_cancelled = true;
    m_process.terminate();
}

void CtlProcess::readProgress(bool all) {
    m_errors += m_process.readAllStandardError();
    if (all && !m_errors.isEmpty() && !m_errors.endsWith('\n')) {
        m_errors += '\n';
    }
    for (qsizetype end = m_errors.indexOf('\n'); end >= 0; end = m_errors.indexOf('\n')) {
        const QString line = safeText(m_errors.left(end).trimmed().toStdString());
        m_errors.remove(0, end + 1);
        if (!line.isEmpty()) {
            m_lastLine = line;
            emit progress(line);
        }
    }
}

void CtlProcess::end(int code, QProcess::ExitStatus status) {
    readProgress(true);
    const std::optional<Json> answer = parseJson(m_process.readAllStandardOutput().trimmed().toStdString());
    QString problem;
    if (m_cancelled) {
        problem = tr("Cancelled.");
    } else if (status != QProcess::NormalExit) {
        problem = tr("tealctl ended unexpectedly. %1").arg(m_lastLine);
    } else if (code != 0) {
        const std::string said = answer ? member<std::string>(*answer, "error", "") : "";
        problem = !said.empty()           ? safeText(said)
                  : !m_lastLine.isEmpty() ? m_lastLine
                                          : tr("tealctl ended with code %1 and said nothing.").arg(code);
    }
    emit finished(answer.value_or(Json::object()), problem);
}

} // namespace tealdeck
