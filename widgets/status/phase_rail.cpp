// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/status/phase_rail.h"

#include "widgets/theme/paint.h"
#include "widgets/theme/theme.h"
#include "widgets/theme/words.h"

#include <QPainter>

#include <algorithm>

namespace tealdeck {

QString phaseTitle(Phase phase) {
    QString name = QString::fromLatin1(phaseName(phase)).replace('-', ' ');
    name[0] = name[0].toUpper();
    return word(name.toLatin1().constData());
}

PhaseRail::PhaseRail(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Phases"));
}

QSize PhaseRail::sizeHint() const { return {900, fontMetrics().height() * 2 + 18}; }

void PhaseRail::update(const Snapshot& snapshot, const ViewTime& now) {
    m_snapshot = snapshot;
    m_now = now;
    const QString text = tr("Phase %1. %2").arg(phaseTitle(snapshot.phase), progressText());
    if (text != accessibleDescription()) {
        setAccessibleDescription(text);
    }
    update();
}

int PhaseRail::reached() const {
    // Rolled back is the ramp's place on the rail, green follows again; aborted is the start.
    const Phase at = m_snapshot.phase == Phase::RolledBack ? Phase::Ramp : m_snapshot.phase == Phase::Aborted ? Phase::Plan : m_snapshot.phase;
    const auto& rail = railPhases();
    return static_cast<int>(std::find(rail.begin(), rail.end(), at) - rail.begin());
}

QString PhaseRail::progressText() const {
    const auto& steps = m_snapshot.steps;
    if (steps.empty() || m_snapshot.busyWith.empty()) {
        const auto since = m_now.steadyUs - m_snapshot.phaseSinceUs;
        return m_snapshot.seq == 0 ? QString() : tr("for %1").arg(formatDuration(since));
    }
    const auto running = std::find_if(steps.begin(), steps.end(), [](const StepState& s) { return s.state == "running"; });
    const auto over = std::count_if(steps.begin(), steps.end(), [](const StepState& s) { return s.state == "done" || s.state == "skipped"; });
    QString text = tr("step %1/%2").arg(std::min<qsizetype>(over + 1, static_cast<qsizetype>(steps.size()))).arg(steps.size());
    if (running != steps.end()) {
        text += QStringLiteral(" · %1").arg(formatDuration(m_now.steadyUs - running->startedUs));
        if (running->limitMs > 0) {
            text += tr(" of at most %1").arg(formatSeconds(static_cast<double>(running->limitMs) / 1000));
        }
    }
    return text;
}

void PhaseRail::paintPhase(QPainter& painter, const QRectF& box, Phase phase) {
    const Tokens& t = tokensFor(palette());
    const auto& rail = railPhases();
    const int place = static_cast<int>(std::find(rail.begin(), rail.end(), phase) - rail.begin());
    const bool current = m_snapshot.seq > 0 && place == reached();
    const bool done = place < reached();
    const QRectF body = box.adjusted(1, 5, -1, -5);
    const double point = 9;
    const QPolygonF chevron({body.topLeft(), {body.right() - point, body.top()}, {body.right(), body.center().y()}, {body.right() - point, body.bottom()},
                             body.bottomLeft(), {body.left() + point, body.center().y()}});
    painter.setPen(current ? Qt::NoPen : QPen(t.line, 1));
    painter.setBrush(current ? t.selection : done ? t.raised : t.surface);
    painter.drawPolygon(chevron);
    painter.setFont(scaledFont(font(), 1, current ? QFont::Bold : QFont::Normal));
    painter.setPen(current ? t.onSelection : done ? t.text : t.muted);
    QString text = phaseTitle(phase);
    if (current && (m_snapshot.phase == Phase::RolledBack || m_snapshot.phase == Phase::Aborted)) {
        text = phaseTitle(m_snapshot.phase);
    }
    paintElided(painter, body.adjusted(point + 4, 0, -point, 0), Qt::AlignCenter, done ? QStringLiteral("✓ ") + text : text);
}

void PhaseRail::paintPointOfNoReturn(QPainter& painter, const QRectF& cutover) {
    const Tokens& t = tokensFor(palette());
    const double x = cutover.right() - 18;
    const bool passed = m_snapshot.pastPointOfNoReturn || m_snapshot.phase == Phase::Finalized;
    const bool current = m_snapshot.phase == Phase::Cutover;
    painter.setPen(QPen(current ? t.onSelection : t.text, passed ? 4 : 2));
    painter.drawLine(QPointF(x, cutover.top() + 8), QPointF(x, cutover.bottom() - 8));
    painter.drawLine(QPointF(x + 5, cutover.top() + 8), QPointF(x + 5, cutover.bottom() - 8));
}

void PhaseRail::paintEvent(QPaintEvent*) {
    const Tokens& t = tokensFor(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), t.window);
    painter.setFont(scaledFont(font(), 0.95, QFont::DemiBold));
    const QString progress = progressText();
    const double side = std::max(130.0, painter.fontMetrics().horizontalAdvance(progress) + 24.0);
    const auto& rail = railPhases();
    const double captionHeight = painter.fontMetrics().height();
    const double each = (width() - 16 - side) / static_cast<double>(rail.size());
    QRectF cutover;
    for (std::size_t i = 0; i < rail.size(); ++i) {
        const QRectF box(8 + each * static_cast<double>(i), 0, each, height() - captionHeight + 4);
        paintPhase(painter, box, rail[i]);
        if (rail[i] == Phase::Cutover) {
            cutover = box;
        }
    }
    paintPointOfNoReturn(painter, cutover);
    painter.setFont(scaledFont(font(), 0.82));
    painter.setPen(t.muted);
    const QString note = m_snapshot.pastPointOfNoReturn ? tr("PAST the point of no return") : tr("point of no return");
    painter.drawText(QRectF(cutover.right() - 220, cutover.bottom() - 4, 230, captionHeight), Qt::AlignRight | Qt::AlignVCenter, note);
    painter.setFont(scaledFont(font(), 0.95, QFont::DemiBold));
    painter.setPen(t.text);
    painter.drawText(QRectF(width() - side, 0, side - 10, cutover.height()), Qt::AlignRight | Qt::AlignVCenter, progress);
}

} // namespace tealdeck
