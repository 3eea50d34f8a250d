// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/hold_button.h"

#include "widgets/theme/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>

namespace tealdeck {
namespace {

/// Longer than X needs to deliver the second half of a repetition, shorter than a finger needs to press again.
constexpr int REPETITION_MS = 30;

bool isHoldKey(const QKeyEvent* event) {
    return event->key() == Qt::Key_Space || event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
}

} // namespace

HoldButton::HoldButton(const Clock& clock, Millis needed, QWidget* parent) : QAbstractButton(parent), m_hold(clock, needed), m_needed(needed) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    m_timer.setInterval(16);
    connect(&m_timer, &QTimer::timeout, this, &HoldButton::poll);
    m_release.setSingleShot(true);
    m_release.setInterval(REPETITION_MS);
    connect(&m_release, &QTimer::timeout, this, &HoldButton::cancel);
}

void HoldButton::setAlarming(bool alarming) {
    m_alarming = alarming;
    update();
}

void HoldButton::begin() {
    if (!isEnabled() || m_hold.pressed()) {
        return;
    }
    m_hold.press();
    m_timer.start();
    emit holdingChanged(true);
    update();
}

void HoldButton::cancel() {
    m_timer.stop();
    m_release.stop();
    if (m_hold.pressed()) {
        m_reached = m_hold.progress();
        m_hold.cancel();
        emit holdingChanged(false);
    }
    update();
}

void HoldButton::poll() {
    if (m_release.isActive()) {
        return; // perhaps released: nothing completes until that is known
    }
    if (m_hold.tick()) {
        m_timer.stop();
        m_reached = 1;
        emit holdingChanged(false);
        emit held();
    }
    update();
}

void HoldButton::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) {
        setFocus(Qt::MouseFocusReason);
        begin();
    }
    event->accept();
}

void HoldButton::mouseReleaseEvent(QMouseEvent* event) {
    cancel();
    event->accept();
}

void HoldButton::mouseMoveEvent(QMouseEvent* event) {
    if (!rect().contains(event->pos())) {
        cancel();
    }
}

void HoldButton::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) {
        const bool wasHolding = holding();
        cancel();
        event->setAccepted(wasHolding);
    } else if (isHoldKey(event)) {
        if (m_release.isActive() && event->timestamp() == m_releasedAt) {
            m_release.stop(); // the release before was the first half of a repetition
        } else if (!event->isAutoRepeat()) {
            cancel();
            begin();
        }
        event->accept();
    } else {
        QWidget::keyPressEvent(event);
    }
}

void HoldButton::keyReleaseEvent(QKeyEvent* event) {
    // X11 repeats a key as pairs of release and press at the same time: those releases are not the finger's. Qt knows it only when the
    // press has arrived already; else it is waited for.
    if (isHoldKey(event) && !event->isAutoRepeat() && m_hold.pressed()) {
        m_releasedAt = event->timestamp();
        m_release.start();
    }
    event->accept();
}

void HoldButton::focusOutEvent(QFocusEvent* event) {
    cancel();
    QAbstractButton::focusOutEvent(event);
}

void HoldButton::hideEvent(QHideEvent* event) {
    cancel();
    QAbstractButton::hideEvent(event);
}

void HoldButton::changeEvent(QEvent* event) {
    if (event->type() == QEvent::EnabledChange && !isEnabled()) {
        cancel();
    }
    QAbstractButton::changeEvent(event);
}

QSize HoldButton::sizeHint() const {
    const QFontMetrics metrics(scaledFont(font(), 1, QFont::DemiBold));
    return {metrics.horizontalAdvance(text()) + 36, metrics.height() + 16};
}

QSize HoldButton::minimumSizeHint() const { return {std::min(sizeHint().width(), 150), sizeHint().height()}; }

void HoldButton::paintEvent(QPaintEvent*) {
    const Tokens& t = tokensFor(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(rect()).adjusted(1.5, 1.5, -1.5, -1.5);
    const QColor accent = m_alarming ? t.high : t.selection;
    QPainterPath shape;
    shape.addRoundedRect(box, 4, 4);
    painter.fillPath(shape, isEnabled() ? t.surface : t.window);
    if (const double progress = std::min(1.0, m_hold.progress()); progress > 0) {
        painter.save();
        painter.setClipPath(shape);
        QColor fill = accent;
        fill.setAlphaF(0.35F);
        painter.fillRect(QRectF(box.left(), box.top(), box.width() * progress, box.height()), fill);
        painter.fillRect(QRectF(box.left(), box.bottom() - 4, box.width() * progress, 4), accent);
        painter.restore();
    }
    painter.setPen(isEnabled() ? QPen(accent, hasFocus() ? 3 : 2) : QPen(t.line, 1, Qt::DashLine));
    painter.drawPath(shape);
    if (hasFocus()) {
        painter.setPen(QPen(t.focus, 1, Qt::DotLine));
        painter.drawRoundedRect(box.adjusted(4, 4, -4, -4), 2, 2);
    }
    painter.setFont(scaledFont(font(), 1, QFont::DemiBold));
    painter.setPen(!isEnabled() ? t.muted : m_alarming ? t.high : t.text);
    if (m_hold.progress() > 0) {
        painter.setPen(t.text);
    }
    painter.drawText(box.adjusted(10, 0, -10, 0), Qt::AlignCenter | Qt::TextSingleLine,
                     painter.fontMetrics().elidedText(text(), Qt::ElideRight, static_cast<int>(box.width()) - 20));
}

} // namespace tealdeck
