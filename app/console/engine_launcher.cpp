// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/engine_launcher.h"

#include "core/util/json.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tealdeck {
namespace {

/// Whether somebody listens; a local connect answers at once.
bool answers(const QString& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const QByteArray name = path.toLocal8Bit();
    if (name.isEmpty() || static_cast<std::size_t>(name.size()) >= sizeof(address.sun_path)) {
        return false;
    }
    std::memcpy(address.sun_path, name.constData(), static_cast<std::size_t>(name.size()));
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool connected = fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    if (fd >= 0) {
        ::close(fd);
    }
    return connected;
}

QString findEngine() {
    const QString beside = QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("tealdeck-engine"));
    return QFileInfo(beside).isExecutable() ? beside : QStandardPaths::findExecutable(QStringLiteral("tealdeck-engine"));
}

} // namespace

EngineLauncher::EngineLauncher(QObject* parent) : QObject(parent), m_program(findEngine()) {}

void EngineLauncher::open(const QString& plan) {
    m_plan = QFileInfo(plan).absoluteFilePath();
    if (!QFileInfo::exists(m_plan)) {
        emit failed(tr("There is no plan %1. Give the path of an existing TOML file.").arg(m_plan));
        return;
    }
    if (m_program.isEmpty()) {
        emit failed(tr("The program tealdeck-engine is missing: neither beside this program nor in PATH. Install Tealdeck as a whole."));
        return;
    }
    run({QStringLiteral("--where"), m_plan}, &EngineLauncher::takeWhere);
}

void EngineLauncher::run(const QStringList& arguments, void (EngineLauncher::*then)(const QByteArray& output)) {
    auto* process = new QProcess(this);
    connect(process, &QProcess::errorOccurred, this, [this, process](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            emit failed(tr("%1 could not be started: %2").arg(m_program, process->errorString()));
            process->deleteLater();
        }
    });
    connect(process, &QProcess::finished, this, [this, process, then](int code, QProcess::ExitStatus status) {
        process->deleteLater();
        if (status != QProcess::NormalExit || code != 0) {
            const QString said = QString::fromUtf8(process->readAllStandardError()).trimmed();
            emit failed(said.isEmpty() ? tr("%1 ended with code %2 and said nothing.").arg(m_program).arg(code) : said);
            return;
        }
        (this->*then)(process->readAllStandardOutput());
    });
    process->start(m_program, arguments);
}

void EngineLauncher::takeWhere(const QByteArray& output) {
    const auto json = parseJson(output.trimmed().toStdString());
    m_socket = json ? QString::fromStdString(member<std::string>(*json, "socket", "")) : QString();
    if (m_socket.isEmpty()) {
        emit failed(tr("%1 --where did not name a socket. The programs are of different versions.").arg(m_program));
    } else if (answers(m_socket)) {
        emit ready(m_socket);
    } else {
        run({QStringLiteral("--daemon"), m_plan}, &EngineLauncher::takeStarted);
    }
}

void EngineLauncher::takeStarted(const QByteArray&) { emit ready(m_socket); }

} // namespace tealdeck
