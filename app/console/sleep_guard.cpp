// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/sleep_guard.h"

#include <QStandardPaths>

namespace tealdeck {

SleepGuard::SleepGuard(QObject* parent) : QObject(parent), m_program(QStandardPaths::findExecutable(QStringLiteral("systemd-inhibit"))) {
    m_process.setStandardOutputFile(QProcess::nullDevice());
    m_process.setStandardErrorFile(QProcess::nullDevice());
}

SleepGuard::~SleepGuard() {
    setAwake(false);
}

void SleepGuard::setAwake(bool wanted) {
    if (wanted && !awake() && !m_tried && !m_program.isEmpty()) {
        m_tried = true;
        // "cat" ends when its input does: the lock can't outlive this program, however that dies.
        m_process.start(m_program, {QStringLiteral("--what=sleep:idle"), QStringLiteral("--who=Tealdeck"),
                                    QStringLiteral("--why=An upgrade is live"), QStringLiteral("--mode=block"), QStringLiteral("cat")});
    } else if (!wanted && awake()) {
        m_tried = false;
        m_process.closeWriteChannel();
        m_process.terminate();
        m_process.waitForFinished(500);
    }
}

} // namespace tealdeck
