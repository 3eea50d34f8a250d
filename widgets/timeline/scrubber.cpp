// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/timeline/scrubber.h"

#include "widgets/status/phase_rail.h"
#include "widgets/theme/format.h"
#include "widgets/theme/paint.h"
#include "widgets/theme/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <map>

namespace tealdeck {
namespace {

constexpr int LANES = 3;
constexpr double NAME_WIDTH = 72;

} // namespace

Scrubber::Scrubber(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMouseTracking(true);
    setAccessibleName(tr("Position in the recording"));
}

QSize Scrubber::sizeHint() const { return {800, (fontMetrics().height() + 3) * LANES + 6}; }

void Scrubber::setData(TimelineData timeline) {
    m_data = std::move(timeline);
    update();
}

void Scrubber::setPosition(std::int64_t timeUs) {
    m_position = timeUs;
    setAccessibleDescription(tr("%1 of %2").arg(formatPosition(m_position), formatPosition(m_data.endUs)));
    update();
}

TimeScale Scrubber::scale() const { return {NAME_WIDTH, std::max(1.0, width() - NAME_WIDTH - 12), std::max<std::int64_t>(1, m_data.endUs)}; }

QRectF Scrubber::lane(int number) const {
    const double high = (height() - 6.0) / LANES;
    return {NAME_WIDTH, 3 + high * number, std::max(1.0, width() - NAME_WIDTH - 12), high - 2};
}

void Scrubber::paintEvent(QPaintEvent*) {
    const Tokens& t = tokensFor(palette());
    QPainter painter(this);
    painter.fillRect(rect(), t.surface);
    painter.setFont(scaledFont(font(), 0.85));
    const QString names[LANES] = {tr("Phases"), tr("Alarms"), tr("Acts")};
    for (int i = 0; i < LANES; ++i) {
        painter.setPen(t.muted);
        painter.drawText(QRectF(8, lane(i).top(), NAME_WIDTH - 12, lane(i).height()), Qt::AlignLeft | Qt::AlignVCenter, names[i]);
        painter.fillRect(lane(i), t.window);
    }
    paintPhases(painter);
    paintMarks(painter, m_data.alarms, lane(1), true);
    paintMarks(painter, m_data.acts, lane(2), false);
    for (const PhaseSpan& gap : m_data.gaps) {
        const QRectF box(scale().x(gap.fromUs), 3, std::max(2.0, scale().x(gap.toUs) - scale().x(gap.fromUs)), height() - 6);
        paintStaleHatch(painter, box, t);
    }
    paintPosition(painter);
    if (hasFocus() && m_showFocus) {
        painter.setPen(QPen(t.focus, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(rect()).adjusted(1, 1, -1, -1));
    }
}

void Scrubber::paintPhases(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const QRectF box = lane(0);
    bool odd = false;
    for (const PhaseSpan& span : m_data.phases) {
        const QRectF part(scale().x(span.fromUs), box.top(), std::max(1.0, scale().x(span.toUs) - scale().x(span.fromUs)), box.height());
        painter.fillRect(part, odd ? t.raised : t.window);
        painter.setPen(t.mark);
        painter.drawLine(part.topLeft(), part.bottomLeft());
        painter.setPen(t.text);
        if (part.width() > 24) {
            paintElided(painter, part.adjusted(4, 0, -2, 0), Qt::AlignLeft | Qt::AlignVCenter, phaseTitle(span.phase));
        }
        odd = !odd;
    }
}

void Scrubber::paintMarks(QPainter& painter, const std::vector<TimeMark>& marks, const QRectF& box, bool alarms) const {
    const Tokens& t = tokensFor(palette());
    // Marks of one pixel become one, the weightiest; none vanishes.
    std::map<int, int> heaviest;
    for (const TimeMark& mark : marks) {
        auto [place, fresh] = heaviest.try_emplace(static_cast<int>(scale().x(mark.timeUs)), mark.weight);
        place->second = std::max(place->second, mark.weight);
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const double half = box.height() * 0.36;
    const double y = box.center().y();
    for (const auto& [x, weight] : heaviest) {
        painter.setBrush(!alarms ? t.text : weight == 2 ? t.high : weight == 1 ? t.medium : t.low);
        if (!alarms) {
            painter.drawRect(QRectF(x - 2, y - half, 4, 2 * half));
        } else if (weight == 2) {
            painter.drawPolygon(QPolygonF({{x - half, y + half}, {x + half, y + half}, {static_cast<double>(x), y - half}}));
        } else if (weight == 1) {
            painter.drawPolygon(QPolygonF({{x - half, y}, {static_cast<double>(x), y - half}, {x + half, y}, {static_cast<double>(x), y + half}}));
        } else {
            painter.drawEllipse(QPointF(x, y), half * 0.8, half * 0.8);
        }
    }
    painter.restore();
}

void Scrubber::paintPosition(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const double x = scale().x(m_position);
    painter.setPen(QPen(t.text, 2));
    painter.drawLine(QPointF(x, 0), QPointF(x, height()));
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(t.text);
    painter.setPen(Qt::NoPen);
    painter.drawPolygon(QPolygonF({{x - 6, 0}, {x + 6, 0}, {x, 8}}));
    painter.restore();
}

void Scrubber::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) {
        emit seekRequested(scale().time(event->position().x()));
    }
}

void Scrubber::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons() & Qt::LeftButton) {
        emit seekRequested(scale().time(event->position().x()));
    }
}

bool Scrubber::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        QStringList lines{formatPosition(scale().time(help->pos().x()))};
        for (const auto* marks : {&m_data.alarms, &m_data.acts}) {
            for (const TimeMark& mark : *marks) {
                if (std::abs(scale().x(mark.timeUs) - help->pos().x()) < 5 && lines.size() < 12) {
                    lines << safeText(mark.text);
                }
            }
        }
        QToolTip::showText(help->globalPos(), tooltipText(lines.join('\n')), this);
        return true;
    }
    // The keys below are ours even where a menu or a shortcut would like them.
    if (event->type() == QEvent::ShortcutOverride && target(static_cast<QKeyEvent*>(event)) >= 0) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

std::int64_t Scrubber::target(const QKeyEvent* event) const {
    const bool control = event->modifiers() & Qt::ControlModifier;
    const bool shift = event->modifiers() & Qt::ShiftModifier;
    const std::int64_t step = control ? 10'000'000 : shift ? 100'000 : 1'000'000;
    switch (event->key()) {
    case Qt::Key_Left: return std::max<std::int64_t>(0, m_position - step);
    case Qt::Key_Right: return std::min(m_data.endUs, m_position + step);
    case Qt::Key_Home: return 0;
    case Qt::Key_End: return m_data.endUs;
    case Qt::Key_Comma: return nextTime(m_data.events, m_position, false);
    case Qt::Key_Period: return nextTime(m_data.events, m_position, true);
    case Qt::Key_BracketLeft: return nextTime(timesOf(m_data.alarms), m_position, false);
    case Qt::Key_BracketRight: return nextTime(timesOf(m_data.alarms), m_position, true);
    case Qt::Key_BraceLeft: return nextTime(timesOf(m_data.acts), m_position, false);
    case Qt::Key_BraceRight: return nextTime(timesOf(m_data.acts), m_position, true);
    default: return -1;
    }
}

void Scrubber::focusInEvent(QFocusEvent* event) {
    m_showFocus = event->reason() != Qt::OtherFocusReason && event->reason() != Qt::ActiveWindowFocusReason; // not when the window opens
    QWidget::focusInEvent(event);
}

void Scrubber::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Space) {
        emit playToggled();
        return;
    }
    if (const std::int64_t to = target(event); to >= 0) {
        emit seekRequested(to);
        return;
    }
    QWidget::keyPressEvent(event);
}

} // namespace tealdeck
