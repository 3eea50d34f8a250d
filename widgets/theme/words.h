// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QCoreApplication>

namespace tealdeck {

/// A text that is no part of a widget, or a constant of core, in the language of the window.
inline QString word(const char* english) {
    return QCoreApplication::translate("words", english);
}

} // namespace tealdeck
