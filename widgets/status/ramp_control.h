// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/snapshot.h"
#include "widgets/theme/format.h"

#include <QWidget>

#include <optional>
#include <utility>
#include <vector>

class QGridLayout;
class QLabel;
class QPushButton;

namespace tealdeck {

/// The share of reads that green serves: one click a step (L1), each other step is its undo. Holding, and stepping back, too.
class RampControl final : public QWidget {
    Q_OBJECT
  public:
    explicit RampControl(QWidget* parent = nullptr);
    void focusNextShare();
    /// Why the reads can't be moved up, and why they can't be moved at all; empty: nothing is against it.
    void update(const Snapshot& snapshot, const ViewTime& now, const QStringList& whyNotMore, const QStringList& whyNotLess);
    using QWidget::update;
    [[nodiscard]] QSize minimumSizeHint() const override; ///< two buttons side by side

  signals:
    void shareRequested(int percent);
    /// "back", "hold" or "resume", as the command ramp knows them.
    void actRequested(const QString& act);

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void flow();
    void note(int target, std::int64_t nowUs);
    [[nodiscard]] std::vector<QPushButton*> buttons() const;
    [[nodiscard]] int widest() const;
    QGridLayout* m_grid;
    int m_columns = 0;
    QLabel* m_state;
    void show(QPushButton* button, const QStringList& whyNot, const QString& does);
    std::optional<int> m_target;
    std::int64_t m_targetSinceUs = -1; ///< steady; -1: it was so before this window looked
    std::vector<std::pair<int, QPushButton*>> m_steps;
    std::vector<std::pair<QString, QPushButton*>> m_ways;
};

} // namespace tealdeck
