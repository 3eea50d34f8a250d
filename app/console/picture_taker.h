// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/console/main_window.h"

#include <QObject>

#include <set>

namespace tealdeck {

/// Saves pictures of a window at the main moments of a session: each change of phase, each finished switch, each arming.
class PictureTaker final : public QObject {
    Q_OBJECT
  public:
    PictureTaker(MainWindow& window, QString folder, QObject* parent = nullptr);
    /// A last one, and the list of all on standard output, a path a line.
    void finish();
    static bool save(MainWindow& window, const QString& file);

  private:
    void look();
    void takeLater(const QString& name, int afterMs);
    void take(const QString& name);
    MainWindow& m_window;
    QString m_folder;
    QStringList m_files;
    std::optional<Phase> m_phase;
    std::size_t m_switches = 0;
    std::set<QString> m_waiting;
};

} // namespace tealdeck
