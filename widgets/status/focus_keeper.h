// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QApplication>
#include <QPointer>
#include <QWidget>

namespace tealdeck {

/// When a widget with the focus is hidden or disabled, Qt gives the focus to whatever comes next, which may be anywhere in the window.
/// Held over such a change this brings the focus to a near place where a key pressed by mistake does nothing.
class FocusKeeper {
  public:
    FocusKeeper(const QWidget* area, QWidget* refuge) : m_refuge(refuge) {
        QWidget* focused = QApplication::focusWidget();
        m_focused = area != nullptr && refuge != nullptr && area->isAncestorOf(focused) ? focused : nullptr;
    }
    ~FocusKeeper() {
        if (m_focused && m_refuge && QApplication::focusWidget() != m_focused && !(m_focused->isVisible() && m_focused->isEnabled())) {
            m_refuge->setFocus(Qt::OtherFocusReason);
        }
    }
    FocusKeeper(const FocusKeeper&) = delete;
    FocusKeeper& operator=(const FocusKeeper&) = delete;

  private:
    QPointer<QWidget> m_focused;
    QPointer<QWidget> m_refuge;
};

} // namespace tealdeck
