// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/theme.h"
#include "widgets/topology/topology_view.h"

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace tealdeck {
namespace {

/// All databases of one direction as one arrow: the worst of each.
struct Flow {
    QString state = QStringLiteral("none");
    std::optional<double> lagBytes;
    std::optional<double> lagSeconds;
    int ready = 0;
    int total = 0;
    bool broken = false;
    bool known = false;
    std::int64_t sampledUs = 0;
};

Flow flowOf(const Snapshot& s, const std::string& direction) {
    Flow flow;
    for (const ReplicationState& r : s.replication) {
        if (r.direction != direction) {
            continue;
        }
        const auto worst = [](std::optional<double>& into, const std::optional<double>& value, bool first) {
            into = first ? value : into && value ? std::optional(std::max(*into, *value)) : std::nullopt;
        };
        worst(flow.lagBytes, r.lagBytes, !flow.known);
        worst(flow.lagSeconds, r.lagSeconds, !flow.known);
        flow.sampledUs = flow.known ? std::min(flow.sampledUs, r.sampledUs) : r.sampledUs;
        if (!flow.known || r.state != "streaming") {
            flow.state = safeText(r.state);
        }
        flow.ready += r.tablesReady;
        flow.total += r.tablesTotal;
        flow.broken = flow.broken || !r.error.empty();
        flow.known = true;
    }
    return flow;
}

QString ageNote(std::int64_t ageUs) { return ageUs < 2'000'000 ? QString() : QStringLiteral(" · %1").arg(formatAge(ageUs)); }

} // namespace

void TopologyView::paintEvent(QPaintEvent*) {
    const Tokens& t = tokensFor(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), t.surface);
    if (m_snapshot.blue.empty() && m_snapshot.green.empty()) {
        painter.setPen(t.muted);
        painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap, tr("The servers are not known yet.\nThe checklist asks them."));
        return;
    }
    paintEnv(painter, m_layout.blue, Env::Blue);
    paintEnv(painter, m_layout.green, Env::Green);
    paintLanes(painter);
    paintReplication(painter);
    paintFence(painter, m_layout.blue, m_snapshot.blueFence); // last: a barrier lies over what it stops
    paintFence(painter, m_layout.green, m_snapshot.greenFence);
    if (hasFocus() && m_showFocus) {
        painter.setPen(QPen(t.focus, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(rect()).adjusted(1, 1, -1, -1));
    }
}

void TopologyView::paintRouter(QPainter& painter, const QRectF& box, const QString& name, const QString& detail, bool stale) const {
    const Tokens& t = tokensFor(palette());
    painter.setPen(QPen(t.mark, 1));
    painter.setBrush(t.window);
    painter.drawRoundedRect(box, 4, 4);
    if (stale) {
        paintStaleHatch(painter, box, t);
    }
    painter.setPen(t.text);
    painter.setFont(scaledFont(font(), 0.92, QFont::DemiBold));
    const QRectF inner = box.adjusted(6, 2, -6, -2);
    paintElided(painter, QRectF(inner.left(), inner.top(), inner.width(), inner.height() / 2), Qt::AlignCenter, name);
    painter.setPen(t.muted);
    painter.setFont(scaledFont(font(), 0.85));
    paintElided(painter, QRectF(inner.left(), inner.center().y(), inner.width(), inner.height() / 2), Qt::AlignCenter, detail);
}

void TopologyView::paintLanes(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const bool stale = m_snapshot.traffic.sampledUs > 0 && m_now.steadyUs - m_snapshot.traffic.sampledUs > staleness::NODE_US;
    const bool unknown = m_snapshot.traffic.writesTo == "unknown";
    std::set<std::string> poolers; // a line for each database: "pooler-1: shop → …"
    for (const std::string& line : m_snapshot.traffic.poolers) {
        poolers.insert(line.substr(0, line.find(':')));
    }
    const QString writes = m_snapshot.traffic.writesTo == "paused" ? tr("PAUSED") : poolers.size() > 1 ? tr("%1 poolers").arg(poolers.size()) : tr("writes");
    paintRouter(painter, m_layout.pooler, tr("Pooler"), writes, stale || unknown);
    paintRouter(painter, m_layout.balancer, tr("Balancer"), tr("reads"), stale || !m_snapshot.traffic.readsGreenPercent);
    const auto blue = m_snapshot.metrics.find("tps.blue");
    const auto green = m_snapshot.metrics.find("tps.green");
    std::optional<double> tps;
    for (const auto& found : {blue, green}) {
        if (found != m_snapshot.metrics.end() && found->second.value && m_now.steadyUs - found->second.sampledUs < staleness::METRIC_US) {
            const bool carriesWrites = (found == blue) == (m_snapshot.traffic.writesTo != "green");
            tps = carriesWrites ? found->second.value : tps;
        }
    }
    paintRouter(painter, m_layout.clients, tr("Clients"), tps ? tr("%1 tx/s").arg(formatNumber(std::round(*tps))) : QString(), false);
    painter.setPen(QPen(t.mark, 1.5));
    const double x = m_layout.clients.center().x();
    paintArrow(painter, {x, m_layout.clients.top()}, {x, m_layout.pooler.bottom() + 1});
    paintArrow(painter, {x, m_layout.clients.bottom()}, {x, m_layout.balancer.top() - 1});
    paintWrites(painter);
    paintReads(painter);
}

void TopologyView::paintWrites(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const std::string& to = m_snapshot.traffic.writesTo;
    const double y = m_layout.writesLane;
    const QPointF start(m_layout.pooler.right(), y);
    const auto drop = [&](const PlacedEnv& env, bool carries) {
        const double x = env.box.left() + env.box.width() * 0.5;
        painter.setPen(carries ? QPen(t.text, 3) : QPen(t.line, 1, Qt::DashLine));
        painter.drawLine(start, QPointF(x, y));
        paintArrow(painter, {x, y}, {x, env.box.top() - 1}, carries ? 10 : 7);
    };
    drop(m_layout.green, to == "green");
    drop(m_layout.blue, to == "blue");
    painter.setFont(scaledFont(font(), 0.85, QFont::DemiBold));
    const QString text = to == "paused" ? tr("WRITES PAUSED") : to == "unknown" ? tr("WRITES: UNKNOWN") : tr("WRITES 100 %");
    const QRectF label(start.x() + 8, y - painter.fontMetrics().height() - 1, 140, painter.fontMetrics().height());
    painter.setPen(to == "unknown" ? t.medium : t.text);
    painter.drawText(label, Qt::AlignLeft | Qt::AlignVCenter, text);
    if (to == "paused" || to == "unknown") {
        painter.setPen(QPen(t.text, 3));
        painter.drawLine(QPointF(start.x() + 4, y - 6), QPointF(start.x() + 4, y + 6)); // held at the pooler
    }
}

void TopologyView::paintReads(QPainter& painter) const {
    const Tokens& t = tokensFor(palette());
    const double y = m_layout.readsLane;
    const QPointF start(m_layout.balancer.right(), y);
    const auto& share = m_snapshot.traffic.readsGreenPercent;
    painter.setFont(scaledFont(font(), 0.85, QFont::DemiBold));
    const auto rise = [&](const PlacedEnv& env, const std::optional<double>& percent) {
        const double x = env.box.center().x();
        const bool some = percent && *percent > 0.5;
        const double width = some ? 1 + *percent / 100 * 2.5 : 1;
        painter.setPen(some ? QPen(t.mark, width) : QPen(t.line, 1, Qt::DashLine));
        painter.drawLine(start, QPointF(x, y));
        paintArrow(painter, {x, y}, {x, env.box.bottom() + 1}, some ? 8 : 6);
        painter.setPen(t.text);
        const QString text = percent ? tr("reads %1 %").arg(qRound(*percent)) : tr("reads ?");
        painter.drawText(QRectF(x + 8, y - painter.fontMetrics().height() - 1, 140, painter.fontMetrics().height()), Qt::AlignLeft | Qt::AlignVCenter, text);
    };
    rise(m_layout.green, share);
    rise(m_layout.blue, share ? std::optional(100 - *share) : std::nullopt);
}

void TopologyView::paintEnv(QPainter& painter, const PlacedEnv& placed, Env env) const {
    const Tokens& t = tokensFor(palette());
    const bool carries = m_snapshot.traffic.writesTo == (env == Env::Blue ? "blue" : "green");
    painter.setPen(QPen(t.env(env), carries ? 2.5 : 1.2));
    painter.setBrush(t.envSoft(env));
    painter.drawRoundedRect(placed.box, 6, 6);
    const double size = placed.header.height() - 2;
    paintEnvBadge(painter, QRectF(placed.header.left(), placed.header.top() + 1, size, size), env, t);
    const auto& list = nodes(env);
    const auto primary = std::find_if(list.begin(), list.end(), [](const Node& n) { return n.role == "primary"; });
    const QString version = primary != list.end() && !primary->version.empty() ? tr(" · PostgreSQL %1").arg(safeText(primary->version)) : QString();
    painter.setPen(t.env(env));
    painter.setFont(scaledFont(font(), 1.0, QFont::Bold));
    const QRectF heading = placed.header.adjusted(size + 6, 0, 0, 0);
    const QString shortVersion = primary != list.end() && !primary->version.empty() ? QStringLiteral(" ") + safeText(primary->version) : QString();
    const bool fits = painter.fontMetrics().horizontalAdvance(envName(env) + version) <= heading.width();
    paintElided(painter, heading, Qt::AlignLeft | Qt::AlignVCenter, envName(env) + (fits ? version : shortVersion));
    if (placed.nodes.size() > 1) {
        painter.setPen(QPen(t.line, 1.5));
        const QRectF first = placed.nodes[0].box;
        const double x = placed.box.left() + 4.5;
        const double last = placed.nodes.back().box.center().y();
        painter.drawLine(QPointF(x, first.center().y()), QPointF(x, last));
    }
    for (const PlacedNode& node : placed.nodes) {
        paintNode(painter, node, list[node.index], env);
    }
}

void TopologyView::paintFence(QPainter& painter, const PlacedEnv& placed, const std::string& fence) const {
    if (fence == "open") {
        return;
    }
    const Tokens& t = tokensFor(palette());
    const bool unknown = fence != "fenced" && fence != "read-only";
    painter.save();
    const QRectF bar(placed.box.left() + 10, placed.box.top() - 5, placed.box.width() - 20, 8);
    painter.setPen(QPen(t.text, 1.5, unknown ? Qt::DashLine : Qt::SolidLine));
    painter.setBrush(t.surface);
    painter.drawRect(bar);
    if (!unknown) {
        painter.fillRect(bar, QBrush(t.text, fence == "fenced" ? Qt::DiagCrossPattern : Qt::BDiagPattern));
    }
    painter.setFont(scaledFont(font(), 0.8, QFont::Bold));
    const QString text = unknown ? tr("fence: unknown") : fence == "fenced" ? tr("FENCED") : tr("READ-ONLY");
    const double width = painter.fontMetrics().horizontalAdvance(text) + 12;
    const QRectF tag(placed.box.right() - width - 6, placed.box.top() - painter.fontMetrics().height() - 3, width, painter.fontMetrics().height() + 2);
    painter.setPen(QPen(t.text, 1));
    painter.setBrush(t.surface);
    painter.drawRoundedRect(tag, 3, 3);
    painter.drawText(tag, Qt::AlignCenter, text);
    painter.restore();
}

void TopologyView::paintNode(QPainter& painter, const PlacedNode& placed, const Node& n, Env env) const {
    const Tokens& t = tokensFor(palette());
    const QRectF& box = placed.box;
    const bool down = n.state == "down";
    const bool stale = nodeIsStale(n, m_now);
    const auto list = walkable();
    const bool focused = hasFocus() && m_focusNode >= 0 && m_focusNode < static_cast<int>(list.size()) && list[static_cast<std::size_t>(m_focusNode)].first == &placed;
    painter.setPen(down ? QPen(t.high, 2) : focused ? QPen(t.focus, 2) : QPen(t.line, 1));
    painter.setBrush(t.surface);
    painter.drawRoundedRect(box, 3, 3);
    if (stale) {
        paintStaleHatch(painter, box, t);
    }
    const double pad = m_layout.detail == NodeDetail::Mini ? 4 : 7;
    const QRectF inner = box.adjusted(pad, 2, -pad, -2);
    const int lines = m_layout.detail == NodeDetail::Full ? 3 : m_layout.detail == NodeDetail::Compact ? 2 : 1;
    const double each = inner.height() / lines;
    const auto row = [&](int i) { return QRectF(inner.left(), inner.top() + each * i, inner.width(), each); };
    const QString mark = down ? QStringLiteral("✕ DOWN") : stale ? tr("STALE") : QStringLiteral("✓");
    painter.setFont(scaledFont(font(), 0.85, down || stale ? QFont::Bold : QFont::Normal));
    painter.setPen(down ? t.high : stale ? t.text : t.muted);
    const double markWidth = painter.fontMetrics().horizontalAdvance(mark) + 4;
    painter.drawText(row(0), Qt::AlignRight | Qt::AlignVCenter, mark);
    const bool primary = n.role == "primary";
    painter.setFont(scaledFont(font(), 0.95, primary ? QFont::Bold : QFont::DemiBold));
    painter.setPen(t.text);
    QString name = safeText(n.name);
    if (m_layout.detail == NodeDetail::Mini && !primary && n.lagSeconds) {
        const QString with = name + QStringLiteral(" · ") + formatSeconds(*n.lagSeconds);
        name = painter.fontMetrics().horizontalAdvance(with) < inner.width() - markWidth ? with : name;
    }
    paintElided(painter, row(0).adjusted(0, 0, -markWidth, 0), Qt::AlignLeft | Qt::AlignVCenter, name);
    painter.setFont(scaledFont(font(), 0.85));
    painter.setPen(t.muted);
    const QString lag = primary ? QString() : tr("lag %1").arg(secondsOrUnknown(n.lagSeconds));
    const QString connections = tr("%1 conn").arg(n.connections ? formatNumber(*n.connections) : unknownMark());
    const QString age = n.sampledUs > 0 ? ageNote(m_now.steadyUs - n.sampledUs) : QString();
    if (lines == 2) {
        paintElided(painter, row(1), Qt::AlignLeft | Qt::AlignVCenter, (primary ? connections : lag + QStringLiteral(" · ") + connections) + age);
    } else if (lines == 3) {
        const QString shown = primary ? tr("primary") : safeText(n.role);
        paintElided(painter, row(1), Qt::AlignLeft | Qt::AlignVCenter,
                    shown + (n.zone.empty() ? QString() : QStringLiteral(" · ") + safeText(n.zone)) + (n.version.empty() ? QString() : QStringLiteral(" · ") + safeText(n.version)));
        paintElided(painter, row(2), Qt::AlignLeft | Qt::AlignVCenter, down && !n.detail.empty() ? safeText(n.detail) : (primary ? connections : lag + QStringLiteral(" · ") + connections) + age);
    }
    (void)env;
}

void TopologyView::paintReplication(QPainter& painter) const {
    const double middle = m_layout.between.top() + std::min(m_layout.between.height() * 0.42, QFontMetricsF(font()).height() * 6);
    paintDirection(painter, "forward", middle - QFontMetricsF(font()).height() * 1.2);
    paintDirection(painter, "reverse", middle + QFontMetricsF(font()).height() * 2.6);
}

void TopologyView::paintDirection(QPainter& painter, const char* direction, double y) const {
    const Flow flow = flowOf(m_snapshot, direction);
    if (!flow.known || flow.state == QStringLiteral("none") || flow.state == QStringLiteral("retired")) {
        return;
    }
    const Tokens& t = tokensFor(palette());
    const bool streaming = flow.state == QStringLiteral("streaming");
    const bool copying = flow.state == QStringLiteral("copying");
    const bool stopped = flow.state == QStringLiteral("stopped");
    const QRectF span = m_layout.between.adjusted(3, 0, -3, 0);
    const bool forward = std::string(direction) == "forward";
    painter.setPen(QPen(flow.broken ? t.high : streaming ? t.text : t.mark, streaming ? 2.5 : 1.5, streaming ? Qt::SolidLine : copying ? Qt::DashLine : Qt::DotLine));
    const QPointF from(forward ? span.left() : span.right(), y);
    const QPointF to(forward ? span.right() : span.left(), y);
    paintArrow(painter, from, to, 9);
    if (stopped) {
        painter.setPen(QPen(t.text, 2.5));
        painter.drawLine(QPointF(span.center().x() - 5, y - 6), QPointF(span.center().x() + 5, y + 6));
    }
    painter.setFont(scaledFont(font(), 0.85, QFont::DemiBold));
    const double line = painter.fontMetrics().height();
    painter.setPen(flow.broken ? t.high : t.text);
    paintElided(painter, QRectF(span.left(), y - line - 3, span.width(), line), Qt::AlignCenter, flow.broken ? tr("✕ error") : flow.state);
    QString detail;
    if (copying && flow.total > 0) {
        detail = tr("%1/%2 tables").arg(flow.ready).arg(flow.total);
    } else if (streaming) {
        detail = tr("lag %1").arg(secondsOrUnknown(flow.lagSeconds));
    }
    painter.setFont(scaledFont(font(), 0.85));
    painter.setPen(t.text);
    const QRectF below(span.left(), y + 4, span.width(), line);
    if (streaming && (!flow.lagSeconds || m_now.steadyUs - flow.sampledUs > staleness::NODE_US)) {
        paintStaleHatch(painter, QRectF(below.left(), below.top(), below.width(), line * 2), t);
    }
    paintElided(painter, below, Qt::AlignCenter, detail);
    if (streaming) {
        paintElided(painter, below.translated(0, line), Qt::AlignCenter, bytesOrUnknown(flow.lagBytes));
    }
}

} // namespace tealdeck
