// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QStringList>

namespace tealdeck {

/// Plans and recordings that were opened, newest first, as long as they exist.
QStringList recentFiles();
void rememberFile(const QString& file);

} // namespace tealdeck
