// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/theme/format.h"

#include <QWidget>

namespace tealdeck {

QString phaseTitle(Phase phase); ///< "Preflight", "Rolled back"

/// The phases from left to right with the point of no return, and the steps of the command that runs.
class PhaseRail final : public QWidget {
    Q_OBJECT
  public:
    explicit PhaseRail(QWidget* parent = nullptr);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QWidget::update;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {480, sizeHint().height()}; }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    [[nodiscard]] QString progressText() const;
    void paintPhase(QPainter& painter, const QRectF& box, Phase phase);
    void paintPointOfNoReturn(QPainter& painter, const QRectF& cutover);
    [[nodiscard]] int reached() const;
    Snapshot m_snapshot;
    ViewTime m_now;
};

} // namespace tealdeck
