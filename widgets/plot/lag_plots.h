// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/model/series.h"
#include "core/model/snapshot.h"
#include "widgets/theme/format.h"

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include <memory>

namespace tealdeck {

struct PlotCanvas;

/// A moment drawn through all plots, such as a change of phase.
struct PlotMark {
    std::int64_t timeUs = 0;
    QString text;
};

/// Lag in bytes and seconds, retained WAL and transactions per second over one shared time axis, with one cursor for all.
class LagPlots final : public QWidget {
    Q_OBJECT
  public:
    explicit LagPlots(QWidget* parent = nullptr);
    ~LagPlots() override;

    /// Must outlive this; nullptr shows the empty state.
    void setSeries(const SeriesStore* series);
    void setMarks(std::vector<PlotMark> marks);
    void update(const Snapshot& snapshot, const ViewTime& now);
    using QWidget::update;
    /// How much time is shown up to now.
    void setSpan(std::int64_t spanUs);
    [[nodiscard]] std::int64_t span() const { return m_spanUs; }
    /// Draws at once instead of within 100 ms: for pictures.
    void drawNow();
    /// The plots as they are now; the data of the shown time as "seconds,metric,value" (empty value: unknown).
    [[nodiscard]] QByteArray asPng();
    [[nodiscard]] QByteArray asSvg();
    [[nodiscard]] QByteArray asCsv() const;
    /// Time of the newest sample in the picture; -1: none.
    [[nodiscard]] std::int64_t newestDrawnUs() const;
    [[nodiscard]] QSize minimumSizeHint() const override { return {320, 200}; }

  protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    void changed();
    std::unique_ptr<PlotCanvas> m_impl;
    const SeriesStore* m_series = nullptr;
    ViewTime m_now;
    std::int64_t m_spanUs = 300'000'000;
    QTimer m_throttle;
};

} // namespace tealdeck
