// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

#include <QObject>

#include <set>
#include <string>

class QSystemTrayIcon;
class QWidget;

namespace tealdeck {

/// Calls a person who looks elsewhere: a new high alarm sounds once, marks the window in the task bar and, where the desktop has a tray,
/// shows a notification.
class Attention final : public QObject {
    Q_OBJECT
  public:
    explicit Attention(QWidget* window);
    void update(const Snapshot& snapshot, std::int64_t nowUs);

  signals:
    void called(const QString& cause);

  private:
    void call(const AlarmState& alarm);
    QWidget* m_window;
    QSystemTrayIcon* m_tray = nullptr;
    std::set<std::string> m_standing; ///< high alarms that were called already
    bool m_first = true;              ///< those that stand when the window opens are seen anyway
};

} // namespace tealdeck
