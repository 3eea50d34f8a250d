// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/timeline/timeline_data.h"

#include <QWidget>

namespace tealdeck {

/// The lanes of a recording with the position: phases, alarms, operator acts, gaps. Knows no source; says where one wants to be.
class Scrubber final : public QWidget {
    Q_OBJECT
  public:
    explicit Scrubber(QWidget* parent = nullptr);
    void setData(TimelineData timeline);
    void setPosition(std::int64_t timeUs);
    [[nodiscard]] std::int64_t position() const { return m_position; }
    [[nodiscard]] const TimelineData& data() const { return m_data; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {300, sizeHint().height()}; }

  signals:
    void seekRequested(qlonglong timeUs);
    void playToggled();

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;

  private:
    [[nodiscard]] TimeScale scale() const;
    [[nodiscard]] QRectF lane(int number) const;
    void paintPhases(QPainter& painter) const;
    void paintMarks(QPainter& painter, const std::vector<TimeMark>& marks, const QRectF& box, bool alarms) const;
    void paintPosition(QPainter& painter) const;
    /// Where the key leads, or -1 when it is none of ours.
    [[nodiscard]] std::int64_t target(const QKeyEvent* event) const;
    TimelineData m_data;
    std::int64_t m_position = 0;
    bool m_showFocus = false;
};

} // namespace tealdeck
