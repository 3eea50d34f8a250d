// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/recent_files.h"

#include <QFileInfo>
#include <QSettings>

#include <algorithm>

namespace tealdeck {
namespace {

constexpr int KEPT = 8;
const auto KEY = QStringLiteral("recent");

} // namespace

QStringList recentFiles() {
    QStringList files = QSettings().value(KEY).toStringList();
    files.erase(std::remove_if(files.begin(), files.end(), [](const QString& file) { return !QFileInfo::exists(file); }), files.end());
    return files;
}

void rememberFile(const QString& file) {
    QStringList files = recentFiles();
    const QString path = QFileInfo(file).absoluteFilePath();
    files.removeAll(path);
    files.prepend(path);
    QSettings().setValue(KEY, QStringList(files.mid(0, KEPT)));
}

} // namespace tealdeck
