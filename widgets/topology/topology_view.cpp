// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/topology/topology_view.h"

#include "widgets/theme/theme.h"
#include "widgets/topology/node_facts.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>

namespace tealdeck {

bool nodeIsStale(const Node& node, const ViewTime& now) {
    return node.state != "down" && (node.state != "up" || (node.sampledUs > 0 && now.steadyUs - node.sampledUs > staleness::NODE_US));
}

TopologyView::TopologyView(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Topology"));
    setMouseTracking(true);
}

void TopologyView::update(const Snapshot& snapshot, const ViewTime& now) {
    const bool sameShape = snapshot.blue.size() == m_snapshot.blue.size() && snapshot.green.size() == m_snapshot.green.size();
    m_snapshot = snapshot;
    m_now = now;
    if (!sameShape) {
        m_focusNode = -1;
    }
    relayout();
    const QString text = description();
    if (text != accessibleDescription()) {
        setAccessibleDescription(text);
    }
    update();
}

void TopologyView::relayout() {
    m_layout = layoutTopology(size(), QFontMetricsF(font()).height(), m_snapshot.blue, m_snapshot.green);
    const int needed = static_cast<int>(m_layout.height);
    if (needed > height() || minimumHeight() > 180) {
        setMinimumHeight(std::max(180, std::min(needed, 4000)));
    }
}

void TopologyView::resizeEvent(QResizeEvent*) { relayout(); }

void TopologyView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange) {
        relayout();
    }
    QWidget::changeEvent(event);
}

std::vector<std::pair<const PlacedNode*, Env>> TopologyView::walkable() const {
    std::vector<std::pair<const PlacedNode*, Env>> list;
    for (const PlacedNode& node : m_layout.blue.nodes) {
        list.emplace_back(&node, Env::Blue);
    }
    for (const PlacedNode& node : m_layout.green.nodes) {
        list.emplace_back(&node, Env::Green);
    }
    return list;
}

QString TopologyView::nodeSheet(const Node& n, Env env) const {
    QStringList lines;
    for (const Fact& fact : nodeFacts(m_snapshot, env, n.name, m_now)) {
        lines << fact.cells.join(QStringLiteral(": "));
    }
    return lines.join('\n');
}

QString TopologyView::description() const {
    QStringList parts;
    parts << tr("Writes go to %1.").arg(safeText(m_snapshot.traffic.writesTo));
    const auto& share = m_snapshot.traffic.readsGreenPercent;
    parts << tr("Reads on green: %1.").arg(share ? tr("%1 percent").arg(qRound(*share)) : tr("unknown"));
    for (const Env env : {Env::Blue, Env::Green}) {
        parts << tr("%1, fence %2, %3 servers.").arg(envName(env), safeText(env == Env::Blue ? m_snapshot.blueFence : m_snapshot.greenFence)).arg(nodes(env).size());
        for (const Node& node : nodes(env)) {
            parts << tr("%1, %2, zone %3, version %4, %5%6.")
                         .arg(safeText(node.name), safeText(node.role), safeText(node.zone), safeText(node.version), safeText(node.state), nodeIsStale(node, m_now) ? tr(", stale") : QString());
        }
    }
    for (const ReplicationState& r : m_snapshot.replication) {
        parts << tr("Replication of %1 %2: %3, lag %4.").arg(safeText(r.database), safeText(r.direction), safeText(r.state), bytesOrUnknown(r.lagBytes));
    }
    return parts.join(' ');
}

bool TopologyView::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        for (const auto& [node, env] : walkable()) {
            if (node->box.contains(help->pos())) {
                QToolTip::showText(help->globalPos(), tooltipText(nodeSheet(nodes(env)[node->index], env)), this);
                return true;
            }
        }
        if (m_layout.pooler.contains(help->pos()) || m_layout.balancer.contains(help->pos())) {
            QStringList lines{safeText(m_snapshot.traffic.detail)};
            for (const std::string& line : m_snapshot.traffic.poolers) {
                lines << safeText(line);
            }
            QToolTip::showText(help->globalPos(), tooltipText(lines.join('\n')), this);
            return true;
        }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

void TopologyView::mousePressEvent(QMouseEvent* event) {
    const auto list = walkable();
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].first->box.contains(event->pos())) {
            m_focusNode = static_cast<int>(i);
            emit nodeActivated(list[i].second, QString::fromStdString(nodes(list[i].second)[list[i].first->index].name));
            update();
        }
    }
}

void TopologyView::focusInEvent(QFocusEvent* event) {
    m_showFocus = event->reason() != Qt::OtherFocusReason && event->reason() != Qt::ActiveWindowFocusReason; // not when the window opens
    QWidget::focusInEvent(event);
}

void TopologyView::keyPressEvent(QKeyEvent* event) {
    const auto list = walkable();
    const int count = static_cast<int>(list.size());
    const bool forward = event->key() == Qt::Key_Right || event->key() == Qt::Key_Down;
    const bool back = event->key() == Qt::Key_Left || event->key() == Qt::Key_Up;
    if (count > 0 && (forward || back)) {
        m_focusNode = (m_focusNode + (forward ? 1 : count - 1) + (m_focusNode < 0 && back ? 1 : 0)) % count;
        update();
    } else if (m_focusNode >= 0 && m_focusNode < count && (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)) {
        const auto& [node, env] = list[static_cast<std::size_t>(m_focusNode)];
        emit nodeActivated(env, QString::fromStdString(nodes(env)[node->index].name));
    } else {
        QWidget::keyPressEvent(event);
    }
}

} // namespace tealdeck
