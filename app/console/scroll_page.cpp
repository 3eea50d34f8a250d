// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/console/scroll_page.h"

#include <QEvent>
#include <QLayout>

namespace tealdeck {

ScrollPage::ScrollPage(QWidget* page) {
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    setWidget(page);
    page->installEventFilter(this);
}

bool ScrollPage::eventFilter(QObject* watched, QEvent* event) {
    QWidget* page = widget();
    if (watched == page && page->layout() != nullptr && (event->type() == QEvent::LayoutRequest || event->type() == QEvent::Resize)) {
        const int needed = page->layout()->hasHeightForWidth() ? page->layout()->totalHeightForWidth(page->width()) : 0;
        if (page->minimumHeight() != needed) {
            page->setMinimumHeight(needed);
        }
    }
    return QScrollArea::eventFilter(watched, event);
}

} // namespace tealdeck
