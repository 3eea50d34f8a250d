// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QScrollArea>

namespace tealdeck {

/// A page that scrolls where it has no room: a large text on a small screen must hide nothing. Qt asks a page for its least height without
/// asking how high its wrapped texts become at this width, and then squeezes what stands below them: this one asks.
class ScrollPage final : public QScrollArea {
  public:
    explicit ScrollPage(QWidget* page);

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

} // namespace tealdeck
