// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "widgets/status/confirm.h"

#include <QAbstractButton>
#include <QTimer>

namespace tealdeck {

/// A button that acts after being held. Release, focus loss, Esc, leaving it or disabling it cancels; key auto-repeat is ignored.
/// A plain click, also one from assistive technology, does nothing: those people get a typed alternative next to it.
class HoldButton final : public QAbstractButton {
    Q_OBJECT
  public:
    HoldButton(const Clock& clock, Millis needed, QWidget* parent = nullptr);
    /// Draws as the alarm-coloured button (Abort) instead of the neutral one.
    void setAlarming(bool alarming);
    void cancel();
    /// What the timer does every 16 ms; tests call it with their own clock.
    void poll();
    [[nodiscard]] bool holding() const { return m_hold.pressed(); }
    [[nodiscard]] Millis needed() const { return m_needed; }
    /// How far the hold came that ended last, 0 to 1; 1: it was complete, and held() follows holdingChanged(false).
    [[nodiscard]] double reached() const { return m_reached; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

  signals:
    void held();
    void holdingChanged(bool holding);

  protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

  private:
    void begin();
    HoldState m_hold;
    Millis m_needed;
    double m_reached = 0;
    QTimer m_timer;
    QTimer m_release; ///< runs after a key's release until it is known to be no repetition
    quint64 m_releasedAt = 0;
    bool m_alarming = false;
};

} // namespace tealdeck
