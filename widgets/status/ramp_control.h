// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"

#include <QWidget>

class QGridLayout;
class QLabel;
class QPushButton;

namespace tealdeck {

/// The share of reads that green serves: one click a step (L1), each other step is its undo.
class RampControl final : public QWidget {
    Q_OBJECT
  public:
    explicit RampControl(QWidget* parent = nullptr);
    void focusNextShare();
    void update(const Snapshot& snapshot, const QStringList& whyNot);
    using QWidget::update;
    [[nodiscard]] QSize minimumSizeHint() const override; ///< two buttons side by side

  signals:
    void shareRequested(int percent);

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void flow();
    [[nodiscard]] int widest() const;
    QGridLayout* m_grid;
    int m_columns = 0;
    QLabel* m_state;
    int m_target = 0;
    std::vector<std::pair<int, QPushButton*>> m_steps;
};

} // namespace tealdeck
