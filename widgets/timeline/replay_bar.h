// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/timeline/scrubber.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QPushButton;

namespace tealdeck {

/// The foot of a replay window: play, speed, position, and the scrubber.
class ReplayBar final : public QWidget {
    Q_OBJECT
  public:
    explicit ReplayBar(QWidget* parent = nullptr);
    void setData(TimelineData timeline);
    void setPosition(std::int64_t steadyUs, std::int64_t wallUs);
    void setPlaying(bool playing);
    [[nodiscard]] Scrubber* scrubber() const { return m_scrubber; }

  signals:
    void seekRequested(qlonglong timeUs);
    void playRequested(bool play);
    void speedRequested(double speed);
    void loopRequested(bool loop);
    void skipIdleRequested(bool skip);

  private:
    Scrubber* m_scrubber;
    QPushButton* m_play;
    QComboBox* m_speed;
    QLabel* m_position;
    bool m_playing = false;
};

} // namespace tealdeck
