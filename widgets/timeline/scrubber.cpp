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
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <map>

namespace tealdeck {
namespace {

enum Lane { Phases, Alarms, Acts, Statements, Lag, Notes, LANES };
constexpr double NAME_WIDTH = 72;

/// Letters alone: with Ctrl or Alt they are somebody else's.
bool isAsking(const QKeyEvent* event) {
    const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
    const int key = event->key();
    return plain && (key == Qt::Key_F || key == Qt::Key_M || key == Qt::Key_R || key == Qt::Key_Space);
}

} // namespace

Scrubber::Scrubber(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setMouseTracking(true);
    setAccessibleName(tr("Position in the recording"));
}

QSize Scrubber::sizeHint() const { return {800, (fontMetrics().height() + 3) * LANES + 6}; }

void Scrubber::setData(TimelineData timeline) {
    const bool all = m_toUs - m_fromUs >= m_data.endUs;
    m_data = std::move(timeline);
    ++m_dataNumber;
    if (all) {
        fit();
    }
    update();
}

void Scrubber::fit() {
    m_fromUs = 0;
    m_toUs = std::max<std::int64_t>(1, m_data.endUs);
    update();
}

void Scrubber::zoom(double factor, std::int64_t aroundUs) {
    const double span = std::clamp(static_cast<double>(m_toUs - m_fromUs) * factor, 100'000.0, std::max(100'000.0, static_cast<double>(m_data.endUs)));
    const double part = (static_cast<double>(aroundUs) - static_cast<double>(m_fromUs)) / std::max(1.0, static_cast<double>(m_toUs - m_fromUs));
    const double from = std::clamp(static_cast<double>(aroundUs) - part * span, 0.0, std::max(0.0, static_cast<double>(m_data.endUs) - span));
    m_fromUs = static_cast<std::int64_t>(from);
    m_toUs = std::max(m_fromUs + 1, static_cast<std::int64_t>(from + span));
    update();
}

void Scrubber::setReference(std::optional<std::int64_t> timeUs) {
    m_reference = timeUs;
    update();
}

void Scrubber::setSpan(std::optional<std::int64_t> fromUs) {
    m_span = fromUs;
    update();
}

void Scrubber::setPosition(std::int64_t timeUs) {
    m_position = timeUs;
    if (m_position < m_fromUs || m_position > m_toUs) { // what is shown follows
        const std::int64_t span = m_toUs - m_fromUs;
        m_fromUs = std::clamp<std::int64_t>(m_position - span / 10, 0, std::max<std::int64_t>(0, m_data.endUs - span));
        m_toUs = m_fromUs + span;
    }
    setAccessibleDescription(tr("%1 of %2").arg(formatPosition(m_position), formatPosition(m_data.endUs)));
    update();
}

TimeScale Scrubber::scale() const { return {NAME_WIDTH, std::max(1.0, width() - NAME_WIDTH - 12), std::max(m_fromUs + 1, m_toUs), m_fromUs}; }

QRectF Scrubber::lane(int number) const {
    const double high = (height() - 6.0) / static_cast<int>(LANES);
    return {NAME_WIDTH, 3 + high * number, std::max(1.0, width() - NAME_WIDTH - 12), high - 2};
}

const QPixmap& Scrubber::ground() {
    const GroundKey key{size(), devicePixelRatioF(), m_fromUs, m_toUs, m_dataNumber, palette().cacheKey(), font()};
    if (m_ground.isNull() || !(key == m_groundKey)) {
        m_groundKey = key;
        m_ground = QPixmap(size() * devicePixelRatioF());
        m_ground.setDevicePixelRatio(devicePixelRatioF());
        paintGround();
    }
    return m_ground;
}

void Scrubber::paintGround() {
    const Tokens& t = tokensFor(palette());
    QPainter painter(&m_ground);
    painter.fillRect(rect(), t.surface);
    painter.setFont(scaledFont(font(), 0.85));
    const QString names[LANES] = {tr("Phases"), tr("Alarms"), tr("Acts"), tr("SQL"), tr("Lag"), tr("Notes")};
    for (int i = 0; i < LANES; ++i) {
        painter.setPen(t.muted);
        painter.drawText(QRectF(8, lane(i).top(), NAME_WIDTH - 12, lane(i).height()), Qt::AlignLeft | Qt::AlignVCenter, names[i]);
        painter.fillRect(lane(i), t.window);
    }
    painter.setClipRect(QRectF(NAME_WIDTH - 6, 0, width() - NAME_WIDTH, height()));
    paintPhases(painter);
    paintStatements(painter);
    paintLag(painter);
    paintSpans(painter, m_data.notes, lane(Notes), false);
    paintSpans(painter, m_data.others, lane(Notes), true);
}

void Scrubber::paintEvent(QPaintEvent*) {
    const Tokens& t = tokensFor(palette());
    QPainter painter(this);
    painter.drawPixmap(0, 0, ground());
    painter.setFont(scaledFont(font(), 0.85));
    painter.save();
    painter.setClipRect(QRectF(NAME_WIDTH - 6, 0, width() - NAME_WIDTH, height()));
    paintThrough(painter);
    paintMarks(painter, m_data.alarms, lane(Alarms), true);
    paintMarks(painter, m_data.acts, lane(Acts), false);
    paintPosition(painter);
    painter.restore();
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
        const double at = scale().x(mark.timeUs);
        if (at < NAME_WIDTH - 8 || at > width() + 8) {
            continue;
        }
        auto [place, fresh] = heaviest.try_emplace(static_cast<int>(at), mark.weight);
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

void Scrubber::paintStatements(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const QRectF box = lane(Statements);
    // A column of a pixel is as high as the longest statement in it is long; failed ones reach to the top and carry a notch.
    std::map<int, std::pair<double, bool>> columns;
    for (const StatementSpan& statement : m_data.statements) {
        const double from = scale().x(statement.fromUs);
        const double to = scale().x(statement.toUs);
        if (to < NAME_WIDTH || from > width()) {
            continue;
        }
        const double ms = static_cast<double>(statement.toUs - statement.fromUs) / 1000;
        const int last = static_cast<int>(std::min<double>(to, width()));
        for (int x = static_cast<int>(std::max(from, NAME_WIDTH)); x <= last; ++x) {
            auto& [longest, failed] = columns[x];
            longest = std::max(longest, ms);
            failed = failed || !statement.ok;
        }
    }
    for (const auto& [x, column] : columns) {
        const auto& [ms, failed] = column;
        const double part = std::clamp(std::log10(1 + ms) / 5, 0.08, 1.0); // 1 ms to 100 s
        painter.fillRect(QRectF(x, box.bottom() - part * box.height(), 1, part * box.height()), t.mark);
        if (failed) {
            painter.fillRect(QRectF(x - 1, box.top(), 3, 3), t.high);
        }
    }
}

void Scrubber::paintLag(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const QRectF box = lane(Lag);
    double top = 0.001;
    for (const SeriesColumn& column : m_data.lag) {
        top = std::isfinite(column.high) ? std::max(top, column.high) : top;
    }
    for (const SeriesColumn& column : m_data.lag) {
        const double x = scale().x(column.timeUs);
        if (x < NAME_WIDTH || x > width() || !std::isfinite(column.high)) {
            continue; // what is not known is not drawn
        }
        const double high = std::clamp(column.high / top, 0.04, 1.0) * box.height();
        painter.fillRect(QRectF(x, box.bottom() - high, 1.5, high), t.muted);
    }
}

void Scrubber::paintSpans(QPainter& painter, const std::vector<TimeMark>& marks, const QRectF& box, bool ofOthers) const {
    const Tokens& t = tokensFor(palette());
    const double half = box.height() / 2;
    const QRectF row = ofOthers ? box.adjusted(0, half, 0, 0) : box.adjusted(0, 0, 0, -half);
    for (const TimeMark& mark : marks) {
        const double from = scale().x(mark.timeUs);
        const double to = std::max(from + 4, scale().x(std::max(mark.timeUs, mark.toUs)));
        if (to < NAME_WIDTH || from > width()) {
            continue;
        }
        painter.setPen(QPen(mark.weight == 2 ? t.high : t.mark, 1));
        painter.setBrush(ofOthers ? Qt::NoBrush : QBrush(t.selection));
        painter.drawRect(QRectF(from, row.top() + 1, to - from, row.height() - 3));
    }
}

/// Gaps in the record, steps of the wall clock, the reference and a span that is being marked: through all lanes.
void Scrubber::paintThrough(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    for (const PhaseSpan& gap : m_data.gaps) {
        const QRectF box(scale().x(gap.fromUs), 3, std::max(2.0, scale().x(gap.toUs) - scale().x(gap.fromUs)), height() - 6);
        paintStaleHatch(painter, box.intersected(QRectF(NAME_WIDTH, 0, width(), height())), t);
    }
    painter.setPen(QPen(t.mark, 1, Qt::DotLine));
    for (const TimeMark& step : m_data.clockSteps) {
        painter.drawLine(QPointF(scale().x(step.timeUs), 0), QPointF(scale().x(step.timeUs), height()));
    }
    if (m_span) {
        const double from = scale().x(std::min(*m_span, m_position));
        QColor colour = t.selection;
        colour.setAlpha(90);
        painter.fillRect(QRectF(from, 0, std::max(2.0, scale().x(std::max(*m_span, m_position)) - from), height()), colour);
    }
    if (m_reference) {
        painter.setPen(QPen(t.text, 1, Qt::DashLine));
        const double x = scale().x(*m_reference);
        painter.drawLine(QPointF(x, 0), QPointF(x, height()));
        painter.drawText(QPointF(x + 3, height() - 4), tr("R"));
    }
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
        for (const auto* marks : {&m_data.alarms, &m_data.acts, &m_data.notes, &m_data.others, &m_data.clockSteps}) {
            for (const TimeMark& mark : *marks) {
                if (std::abs(scale().x(mark.timeUs) - help->pos().x()) < 5 && lines.size() < 12 && !mark.text.empty()) {
                    lines << safeText(mark.text);
                }
            }
        }
        QToolTip::showText(help->globalPos(), tooltipText(lines.join('\n')), this);
        return true;
    }
    // The keys below are ours even where a menu or a shortcut would like them.
    if (event->type() == QEvent::ShortcutOverride && (target(static_cast<QKeyEvent*>(event)) >= 0 || isAsking(static_cast<QKeyEvent*>(event)))) {
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

void Scrubber::wheelEvent(QWheelEvent* event) {
    const double steps = event->angleDelta().y() / 120.0;
    zoom(std::pow(0.8, steps), scale().time(event->position().x()));
    event->accept();
}

bool Scrubber::ask(const QKeyEvent* event) {
    if (!isAsking(event)) {
        return false;
    }
    switch (event->key()) {
    case Qt::Key_F: fit(); break;
    case Qt::Key_M: event->modifiers() & Qt::ShiftModifier ? emit spanRequested() : emit noteRequested(); break;
    case Qt::Key_R: emit referenceRequested(); break;
    default: emit playToggled(); break;
    }
    return true;
}

void Scrubber::keyPressEvent(QKeyEvent* event) {
    if (ask(event)) {
        return;
    }
    if (const std::int64_t to = target(event); to >= 0) {
        emit seekRequested(to);
        return;
    }
    QWidget::keyPressEvent(event);
}

} // namespace tealdeck
