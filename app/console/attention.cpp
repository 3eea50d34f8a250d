// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/attention.h"

#include "widgets/theme/theme.h"

#include <QApplication>
#include <QSystemTrayIcon>
#include <QWidget>

namespace tealdeck {

Attention::Attention(QWidget* window) : QObject(window), m_window(window) {}

void Attention::update(const Snapshot& snapshot, std::int64_t nowUs) {
    if (snapshot.seq == 0) {
        return;
    }
    std::set<std::string> standing;
    for (const AlarmState& alarm : standingAlarms(snapshot.alarms, nowUs)) {
        if (alarm.priority != "high") {
            continue;
        }
        standing.insert(alarm.id);
        if (!m_first && !m_standing.contains(alarm.id) && alarm.acknowledgedBy.empty()) {
            call(alarm);
        }
    }
    m_standing = std::move(standing);
    m_first = false;
}

void Attention::call(const AlarmState& alarm) {
    const QString cause = safeText(alarm.cause);
    QApplication::beep();
    QApplication::alert(m_window);
    if (QSystemTrayIcon::isSystemTrayAvailable() && QSystemTrayIcon::supportsMessages()) {
        if (m_tray == nullptr) {
            m_tray = new QSystemTrayIcon(QApplication::windowIcon(), this);
            m_tray->setToolTip(tr("Tealdeck"));
            m_tray->show();
        }
        m_tray->showMessage(tr("Tealdeck: high alarm"), cause, QSystemTrayIcon::Critical);
    }
    emit called(cause);
}

} // namespace tealdeck
